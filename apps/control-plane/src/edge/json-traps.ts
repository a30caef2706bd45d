import { GatewayError } from '#libs/errors';

/** A tenant document is four levels deep. */
const MAX_DEPTH = 16;

/**
 * Refuses JSON that is made to break what handles it: nesting that exhausts the stack of recursive code, and names
 * that every object inherits, which validation would overlook and assignment could turn on prototypes (CWE-1321).
 * @throws GatewayError bad_request or validation_failed
 */
export function refuseTraps(root: unknown): void {
  // Not recursive, for the reason above.
  const open: Array<{ value: unknown; path: string; depth: number }> = [{ value: root, path: '', depth: 0 }];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    const { value, path, depth } = item;
    if (typeof value !== 'object' || value === null) continue;
    if (depth === MAX_DEPTH)
      throw new GatewayError('bad_request', `the body is nested deeper than ${MAX_DEPTH} levels`);
    for (const [name, inner] of Object.entries(value)) {
      const field = path === '' ? name : `${path}.${name}`;
      if (name in Object.prototype || name === 'prototype') {
        throw new GatewayError('validation_failed', undefined, {
          fields: [{ field, message: 'is not a known field' }],
        });
      }
      open.push({ value: inner, path: field, depth: depth + 1 });
    }
  }
}
