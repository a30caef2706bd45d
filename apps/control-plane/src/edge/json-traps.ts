import { GatewayError } from '#libs/errors';

/** A tenant document is four levels deep. */
const MAX_DEPTH = 16;
/** No document has objects with more fields; the time that validation takes grows with their square. */
const MAX_FIELDS_OF_ONE = 200;
/** Two thousand routes with everything there is. Validation takes some 30 µs for each, and everybody else waits. */
const MAX_FIELDS = 20_000;

/**
 * Refuses JSON that is made to break what handles it: nesting that exhausts the stack of recursive code, fields without
 * number, each of which would be looked at and named, and names that every object inherits, which validation would overlook and assignment could turn on prototypes (CWE-1321).
 * @throws GatewayError bad_request or validation_failed
 */
export function refuseTraps(root: unknown): void {
  // Not recursive, for the reason above.
  const open: Array<{ value: unknown; path: string; depth: number }> = [{ value: root, path: '', depth: 0 }];
  let fields = 0;
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, path, depth } = item;
    if (typeof value !== 'object' || value === null) continue;
    if (depth === MAX_DEPTH)
      throw new GatewayError('bad_request', `the body is nested deeper than ${MAX_DEPTH} levels`);
    const entries = Object.entries(value);
    if (!Array.isArray(value)) {
      checkCount(entries, MAX_FIELDS_OF_ONE, path, 'one object');
      checkCount(entries, MAX_FIELDS - fields, path, 'the body', MAX_FIELDS);
      fields += entries.length;
    }
    for (const [name, inner] of entries) {
      const field = fieldAt(path, name);
      if (name in Object.prototype || name === 'prototype') {
        throw refused(field, 'is not a known field');
      }
      open.push({ value: inner, path: field, depth: depth + 1 });
    }
  }
}

/** Names the first field that is too much. */
function checkCount(
  entries: ReadonlyArray<readonly [string, unknown]>,
  room: number,
  path: string,
  where: string,
  max = room,
): void {
  const excess = entries[room];
  if (excess) throw refused(fieldAt(path, excess[0]), `is beyond the ${max} fields that ${where} may have`);
}

function fieldAt(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function refused(field: string, message: string): GatewayError {
  return new GatewayError('validation_failed', undefined, { fields: [{ field, message }] });
}
