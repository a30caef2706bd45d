import { FIRST_NUMBER } from '../stage/tenants.mjs';

/** Stands in a request for the number that the load generator chooses anew for each one. */
export const NUMBER = '{n}';

/**
 * What is sent, over and over. `{n}` in a header or in the path becomes a seven-digit number.
 * @typedef {object} LoadRequest
 * @property {string} [method]
 * @property {string} path
 * @property {Record<string, string>} headers
 * @property {number} [bodyBytes]
 */

/**
 * The bytes of a request without its body, `{n}` left as it is.
 * @param {LoadRequest} request
 * @param {string} host
 */
export function requestHead({ method = 'GET', path, headers, bodyBytes }, host) {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (bodyBytes !== undefined) lines.push(`Content-Length: ${bodyBytes}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/**
 * Sends one request and makes sure that the answer is the upstream's own: a proxy that answers by itself, or refuses, would win every race.
 * @param {string} origin
 * @param {LoadRequest} request
 * @param {string | number} expected  the body, or its length in bytes
 * @throws {Error} that says what came instead
 */
export async function probe(origin, { method = 'GET', path, headers, bodyBytes }, expected) {
  const fill = (/** @type {string} */ text) => text.replace(NUMBER, String(FIRST_NUMBER));
  const response = await fetch(origin + fill(path), {
    method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, fill(value)])),
    body: bodyBytes === undefined ? undefined : Buffer.alloc(bodyBytes, 'x'),
  });
  const body = Buffer.from(await response.arrayBuffer());
  const right = typeof expected === 'string' ? body.equals(Buffer.from(expected)) : body.length === expected;
  if (response.status === 200 && right) return;
  throw new Error(
    `${method} ${fill(path)} was answered ${response.status}: ${body.subarray(0, 500).toString()}`,
  );
}
