import { createHmac, randomBytes } from 'node:crypto';

/** Fields that hold a secret, and headers that carry one. */
const SECRET_FIELD = /^(.*(secret|password|passphrase|privatekey|credential)s?)$/i;
const SECRET_HEADER =
  /^(authorization|proxy-authorization|cookie|set-cookie|.*(api-?key|token|secret|password|signature).*)$/i;
const HEADER_FIELDS = ['requestHeaders', 'responseHeaders', 'headers'];

/**
 * A document without what must not lie about in files: fields that hold secrets, and values of headers that carry them.
 * @param found is told the dotted path of everything that is left out.
 */
export function withoutSecrets<T>(document: T, found: (field: string) => void = () => undefined): T {
  return stripped(document, '', SECRET_FIELD, found) as T;
}

function stripped(value: unknown, path: string, secret: RegExp, found: (field: string) => void): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => stripped(item, `${path}.${index}`, SECRET_FIELD, found));
  }
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).flatMap(([name, inner]) => {
    const field = path === '' ? name : `${path}.${name}`;
    // A flag that a secret is asked for is none; an empty text removes a header.
    if (secret.test(name) && typeof inner !== 'boolean' && inner !== '' && !isReference(inner)) {
      found(field);
      return [];
    }
    const next = rulesBelow(name);
    return [[name, stripped(inner, field, next, found)] as const];
  });
  return Object.fromEntries(kept);
}

/** Of this run: equal secrets look equal, and nobody can try out which text looks like that. */
const RUN_KEY = randomBytes(32);

/** A document in which texts that may be secrets are unreadable, and still differ where the secrets do. */
export function withSecretsHidden<T>(document: T): T {
  return hidden(document, SECRET_FIELD, false) as T;
}

function hidden(value: unknown, secret: RegExp, isSecret: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => hidden(item, secret, isSecret));
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([name, inner]) => [
      name,
      // What is added to a header that carries secrets is one, too.
      hidden(inner, rulesBelow(name), secret.test(name) || (isSecret && name === 'add')),
    ]);
    return Object.fromEntries(members);
  }
  if (!isSecret || typeof value !== 'string' || value === '') return value;
  return `(secret ${createHmac('sha256', RUN_KEY).update(value).digest('hex').slice(0, 8)})`;
}

function rulesBelow(field: string): RegExp {
  return HEADER_FIELDS.includes(field) ? SECRET_HEADER : SECRET_FIELD;
}

/** Whether secrets are only named, `{ env: NAME }`, or shown as ones that the gateway has; or a list of these. */
function isReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isReference);
  return (
    typeof value === 'object' &&
    value !== null &&
    ['env', 'kept', 'digest'].includes(Object.keys(value).join())
  );
}
