import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

const KEY_ID = 'bench-1';
const AUDIENCE = 'bench';

/**
 * An identity provider as small as one can be: a JWKS with one RS256 key made at start, and a token signed with it.
 * @returns {Promise<{ idp: { issuer: string, jwksUri: string, audience: string }, token: string, close: () => void }>}
 */
export async function startIssuer() {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwks = JSON.stringify({
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' }],
  });
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(jwks);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');

  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const issuer = `http://127.0.0.1:${port}/`;
  return {
    idp: { issuer, jwksUri: `${issuer}.well-known/jwks.json`, audience: AUDIENCE },
    token: issueToken(issuer, privateKey),
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * @param {string} issuer
 * @param {import('node:crypto').KeyObject} key
 */
function issueToken(issuer, key) {
  const now = Math.floor(Date.now() / 1000);
  const part = (/** @type {object} */ value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const header = part({ alg: 'RS256', kid: KEY_ID, typ: 'JWT' });
  // A day: longer than any run, so that no cached verification ends in the middle of one.
  const payload = part({
    iss: issuer,
    aud: AUDIENCE,
    sub: 'user-1',
    scope: 'read write',
    iat: now,
    exp: now + 86_400,
  });
  const signature = sign('sha256', Buffer.from(`${header}.${payload}`), key).toString('base64url');
  return `${header}.${payload}.${signature}`;
}
