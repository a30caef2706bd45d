import type { AuditedChange } from '#libs/audit';
import { documentOf, type ConfigKind } from './config-object';
import type { RevisedObject } from './revisions';

/** A change as it may be shown: nothing in it is a secret. */
export interface ShownChange extends AuditedChange {
  readonly kind: ConfigKind;
}

export interface ChangeInFull extends ShownChange {
  readonly before: object | null;
  readonly after: object | null;
}

const SECRET = '(secret)';
/** Names of members whose texts are secrets, also in documents that other programs have added to. */
const SECRET_NAME = /secret|passw|passphrase|private|credential|bypass|apikey|api_key/i;
/** More of it is read in the whole documents. */
const MAX_STEPS = 100;
const MAX_VALUE = 2000;

export function shownChange(object: RevisedObject): ShownChange {
  const { kind, id, tenantId, before, after } = object;
  const change = before === null ? 'created' : after === null ? 'deleted' : 'updated';
  const patch = change === 'updated' ? steps(documentOf(before), documentOf(after)) : [];
  return { kind, id, tenantId, change, patch };
}

export function shownChangeInFull(object: RevisedObject): ChangeInFull {
  const shown = (text: string | null): object | null =>
    text === null ? null : (redacted(documentOf(text) ?? {}) as object);
  return { ...shownChange(object), before: shown(object.before), after: shown(object.after) };
}

/** A value without the texts in it that are secret. A reference to a variable is none. */
export function redacted(value: unknown, secret = false): unknown {
  if (typeof value === 'string') return secret ? SECRET : value;
  if (Array.isArray(value)) return value.map((item) => redacted(item, secret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      redacted(member, name !== 'env' && (secret || SECRET_NAME.test(name))),
    ]),
  );
}

/** How two documents differ, member by member. A secret that has changed is said to have, and not into what. */
function steps(before: unknown, after: unknown): ShownChange['patch'] {
  const found: Array<{ path: string; before?: unknown; after?: unknown }> = [];
  const compare = (old: unknown, now: unknown, path: string, secret: boolean): void => {
    if (found.length >= MAX_STEPS || JSON.stringify(old) === JSON.stringify(now)) return;
    if (!isContainer(old) || !isContainer(now) || Array.isArray(old) !== Array.isArray(now))
      return void found.push({ path, before: short(old, secret), after: short(now, secret) });
    for (const name of new Set([...Object.keys(old), ...Object.keys(now)])) {
      const inside = name !== 'env' && (secret || (!Array.isArray(old) && SECRET_NAME.test(name)));
      const pointer = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
      compare(memberOf(old, name), memberOf(now, name), pointer, inside);
    }
  };
  compare(before, after, '', false);
  return found;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function memberOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}

function short(value: unknown, secret: boolean): unknown {
  const shown = redacted(value, secret);
  const text = JSON.stringify(shown) as string | undefined;
  return text !== undefined && text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : shown;
}
