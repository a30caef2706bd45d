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
    if (secret.test(name) && typeof inner !== 'boolean' && inner !== '') {
      found(field);
      return [];
    }
    const next = HEADER_FIELDS.includes(name) ? SECRET_HEADER : SECRET_FIELD;
    return [[name, stripped(inner, field, next, found)] as const];
  });
  return Object.fromEntries(kept);
}
