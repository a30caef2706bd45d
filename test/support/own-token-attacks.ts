import { createHash, createHmac } from 'node:crypto';
import type { TokenAttack } from './token-attacks';
import { createKey, signCompact } from './token-signer';

export const GATEWAY_SECRET = 'k7Qm2xVb9RtY4wZc8NhJ5sLd3PfG6uAe';
export const PREVIOUS_SECRET = 'Zp4Wn8Bq1TfM6yHs3KdR7vXj2LgC9eUa';
/** It was a previous one, and has been removed. */
export const REMOVED_SECRET = 'Ht5Gv9Lx2QwN7cFk4JzB8mSd1YrP6aEu';
export const SHARED_SECRET = 'Vd3Jm8Rk5XtQ1hWz7NcL4bYs9GfP2eUo';

/** A service token as the generator of the reference makes them; undefined removes a claim or header. */
export function serviceToken(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  secret: string | Buffer = GATEWAY_SECRET,
): string {
  const iat = Math.floor(Date.now() / 1000);
  const own = { jti: 'token-1', project: 'acme', service: 'prefect', iat, exp: iat + 600, ...claims };
  return signCompact(
    JSON.stringify({ alg: 'HS256', typ: 'JWT', ...header }),
    JSON.stringify(own),
    Buffer.from(secret),
  );
}

/** A token of whoever holds JWT_SECRET_KEY. */
export function sharedToken(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
): string {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const payload = JSON.stringify({ sub: 'somebody', exp, ...claims });
  return signCompact(
    JSON.stringify({ alg: 'HS256', typ: 'JWT', ...header }),
    payload,
    Buffer.from(SHARED_SECRET),
  );
}

export function kidOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 16);
}

type Row = [name: string, token: string, reason: string];

/** Tokens that name no issuer, or should not, for the tenant `acme` without an identity provider. */
export function ownTokenAttacks(foreignIssuer: string): TokenAttack[] {
  const now = Math.floor(Date.now() / 1000);
  const unsound = 'the signature does not match';
  const notAccepted = 'the algorithm is not accepted';
  const otherIssuer = 'the token has another issuer';
  const [header, payload, mac] = serviceToken().split('.') as [string, string, string];
  const input = `${header}.${payload}`;
  const macOf = (hash: string) => createHmac(hash, GATEWAY_SECRET).update(input).digest('base64url');
  const cut = Buffer.from(mac, 'base64url');
  const rsa = createKey('RS256');
  const rows: Row[] = [
    ['an empty secret', serviceToken({}, {}, ''), unsound],
    ['another secret', serviceToken({}, {}, 'x'.repeat(32)), unsound],
    ['a secret that was removed', serviceToken({}, {}, REMOVED_SECRET), unsound],
    ['the secret in upper case', serviceToken({}, {}, GATEWAY_SECRET.toUpperCase()), unsound],
    ['the digest of the secret', serviceToken({}, {}, kidOf(GATEWAY_SECRET)), unsound],
    ['the removed secret under the name of the current one', serviceToken({}, { kid: kidOf(GATEWAY_SECRET) }, REMOVED_SECRET), unsound],
    ['the previous secret under the name of the current one', serviceToken({}, { kid: kidOf(GATEWAY_SECRET) }, PREVIOUS_SECRET), unsound],
    ['the shared secret under the name of the current one', serviceToken({}, { kid: kidOf(GATEWAY_SECRET) }, SHARED_SECRET), unsound],
    ['an unknown name', serviceToken({}, { kid: 'unknown' }), 'the token is signed by an unknown key'],
    ['the name of the removed secret', serviceToken({}, { kid: kidOf(REMOVED_SECRET) }, REMOVED_SECRET), 'the token is signed by an unknown key'],
    ['the name in upper case', serviceToken({}, { kid: kidOf(GATEWAY_SECRET).toUpperCase() }), 'the token is signed by an unknown key'],
    ['an empty name', serviceToken({}, { kid: '' }), 'the token names no key'],
    ['a MAC of zeros', `${input}.${Buffer.alloc(32).toString('base64url')}`, unsound],
    ['a MAC cut to 16 bytes', `${input}.${cut.subarray(0, 16).toString('base64url')}`, unsound],
    ['a MAC of one byte', `${input}.${cut.subarray(0, 1).toString('base64url')}`, unsound],
    ['a MAC with a zero behind it', `${input}.${Buffer.concat([cut, Buffer.alloc(1)]).toString('base64url')}`, unsound],
    ['a MAC by SHA-512 under HS256', `${input}.${macOf('sha512')}`, unsound],
    ['a MAC by SHA-1 under HS256', `${input}.${macOf('sha1')}`, unsound],
    ['no MAC', `${input}.`, 'the token is not signed'],
    ...['HS384', 'HS512', 'none', 'RS256', 'ES256', 'hs256', 'HS256 '].map((alg): Row => [
      `alg ${alg}`, serviceToken({}, { alg }), notAccepted,
    ]),
    ['a key pair of its own', signCompact(JSON.stringify({ alg: 'RS256', kid: rsa.kid, jwk: undefined }), Buffer.from(payload, 'base64url'), rsa.privateKey), notAccepted],
    ['jwk in the header', serviceToken({}, { jwk: { kty: 'oct', k: 'AAAA' } }), 'the header parameter jwk is not accepted'],
    ['crit', serviceToken({}, { crit: ['exp'] }), 'the header parameter crit is not accepted'],
    ['b64', serviceToken({}, { b64: false }), 'the header parameter b64 is not accepted'],
    ['the type of a logout token', serviceToken({}, { typ: 'logout+jwt' }), 'the token is not an access token'],
    ...[undefined, '', 7, null, ['token-1'], 'two words', 'line\nend', 'é', 'x'.repeat(129)].map((jti): Row => [
      `jti ${String(JSON.stringify(jti)).slice(0, 20)}`, serviceToken({ jti }), 'the token has no id',
    ]),
    ...[undefined, '', 7, null, ['acme'], { acme: true }].map((project): Row => [
      `project ${String(JSON.stringify(project))}`, serviceToken({ project }), 'the token names no project',
    ]),
    ...['other', 'ACME', 'acme ', 'acme\u0000', 'acm\u0435', 'ａcme', 'acme.'].map((project): Row => [
      `project ${JSON.stringify(project)}`, serviceToken({ project }), 'the token is for another project',
    ]),
    ['no service', serviceToken({ service: undefined }), 'the token names no service'],
    ['exp missing', serviceToken({ exp: undefined }), 'the token has no expiry'],
    ['exp past', serviceToken({ exp: now - 1 }), 'the token has expired'],
    ['exp in text', serviceToken({ exp: String(now + 600) }), 'the claim exp is not a time'],
    ['nbf in a minute', serviceToken({ nbf: now + 60 }), 'the token is not valid yet'],
    ['iat in a minute', serviceToken({ iat: now + 60 }), 'the token is issued in the future'],
    ...['gateway', 'shared-secret', foreignIssuer, '', null, ['gateway']].map((iss): Row => [
      `iss ${JSON.stringify(iss)}`, serviceToken({ iss }), otherIssuer,
    ]),
    ['an audience', serviceToken({ aud: 'api.test' }), 'the token is for another audience'],
    ['no audiences', serviceToken({ aud: [] }), 'the token is for another audience'],
    ['shared secret, no expiry', sharedToken({ exp: undefined }), 'the token has no expiry'],
    ['shared secret, past', sharedToken({ exp: now }), 'the token has expired'],
    ['shared secret, an issuer', sharedToken({ iss: 'shared-secret' }), otherIssuer],
    ['shared secret, an audience', sharedToken({ aud: 'x' }), 'the token is for another audience'],
    ['shared secret, no text as subject', sharedToken({ sub: 7 }), 'the claim sub is not a text'],
    ['shared secret, another algorithm', sharedToken({}, { alg: 'HS512' }), notAccepted],
    ['too long', serviceToken({ padding: 'x'.repeat(8 * 1024) }), 'the token is too long'],
    ['jti twice', signCompact('{"alg":"HS256"}', Buffer.from(payload, 'base64url').toString().replace('{', '{"jti":"other",'), Buffer.from(GATEWAY_SECRET)), 'the token has duplicate members'],
  ]; // prettier-ignore
  return rows.map(([name, token, reason]) => ({ name: `service token: ${name}`, token, reason }));
}
