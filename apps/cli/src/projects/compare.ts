import { isDeepStrictEqual } from 'node:util';
import type { Document } from '../admin-api';

/** One field that differs; `+` is only there afterwards, `-` only before. */
export interface FieldChange {
  sign: '+' | '~' | '-';
  /** Dotted path; entries of a list by their name where they have one. */
  field: string;
  before?: unknown;
  after?: unknown;
}

/** What has to change to get from one value to the other, down to single fields. */
export function compare(before: unknown, after: unknown, field = ''): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (before === undefined) return [{ sign: '+', field, after }];
  if (after === undefined) return [{ sign: '-', field, before }];
  if (Array.isArray(before) && Array.isArray(after)) {
    const changes = compareMembers(entriesOf(before), entriesOf(after), field);
    return changes.length > 0 ? changes : [{ sign: '~', field, before: 'one order', after: 'another' }];
  }
  if (isObject(before) && isObject(after)) {
    const changes = compareMembers(Object.entries(before), Object.entries(after), field);
    // Nothing but members that are undefined.
    return changes;
  }
  return [{ sign: '~', field, before, after }];
}

/** The JSON merge patch (RFC 7396) that turns one document into the other. */
export function patchBetween(before: Document, after: Document): Document {
  const patch: Document = {};
  for (const name of Object.keys(before)) {
    if (before[name] !== undefined && after[name] === undefined) patch[name] = null;
  }
  for (const [name, value] of Object.entries(after)) {
    const old = before[name];
    if (value === undefined || isDeepStrictEqual(old, value)) continue;
    patch[name] = isObject(old) && isObject(value) ? patchBetween(old, value) : value;
  }
  return patch;
}

function compareMembers(
  before: ReadonlyArray<[string, unknown]>,
  after: ReadonlyArray<[string, unknown]>,
  field: string,
): FieldChange[] {
  const old = new Map(before);
  const young = new Map(after);
  const names = new Set([...old.keys(), ...young.keys()]);
  return [...names].flatMap((name) =>
    compare(old.get(name), young.get(name), field === '' ? name : `${field}.${name}`),
  );
}

/** By name where every entry has one of its own: an entry put in front must not make all others look changed. */
function entriesOf(list: readonly unknown[]): Array<[string, unknown]> {
  const names = list.map((item) => (isObject(item) ? (item.name ?? item.path) : undefined));
  const named = names.every((name) => typeof name === 'string') && new Set(names).size === names.length;
  return list.map((item, index) => [named ? String(names[index]) : String(index), item]);
}

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
