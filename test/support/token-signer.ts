import { createHmac, generateKeyPairSync, randomUUID, sign as signBytes, type KeyObject } from 'node:crypto';

export interface TestKey {
  alg: string;
  kid: string;
  privateKey: KeyObject;
  jwk: Record<string, unknown>;
}

export interface TokenSigner {
  issuer: string;
  audience: string;
  /** What is published; tests may put anything here. */
  jwks: { keys: unknown[] };
  /** The key that `sign` uses. */
  key: TestKey;
  /** A new signing key, published beside the old ones, or alone. */
  rotateKeys(options?: { keepOld?: boolean }): TestKey;
  /** A token that is valid for ten minutes unless `claims` and `header` say otherwise; undefined removes one. */
  sign(claims?: Record<string, unknown>, header?: Record<string, unknown>, key?: TestKey): string;
}

/** An issuer without a server; see `startFakeIssuer`. */
export function createSigner(audience = 'api.test', algorithm = 'RS256'): TokenSigner {
  const key = createKey(algorithm);
  const signer: TokenSigner = {
    issuer: 'https://issuer.test',
    audience,
    jwks: { keys: [key.jwk] },
    key,
    rotateKeys({ keepOld = true } = {}) {
      signer.key = createKey(algorithm);
      signer.jwks = { keys: [signer.key.jwk, ...(keepOld ? signer.jwks.keys : [])] };
      return signer.key;
    },
    sign(claims = {}, header = {}, by = signer.key) {
      const now = Math.floor(Date.now() / 1000);
      const standard = { iss: signer.issuer, aud: audience, sub: 'somebody', iat: now, exp: now + 600 };
      return signCompact(
        JSON.stringify({ alg: by.alg, kid: by.kid, typ: 'JWT', ...header }),
        JSON.stringify({ ...standard, ...claims }),
        by.privateKey,
      );
    },
  };
  return signer;
}

/** A key pair for a JWS algorithm, with its JWK as it would be published. */
export function createKey(algorithm: string, members: Record<string, unknown> = {}): TestKey {
  const kid = randomUUID();
  const { privateKey, publicKey } = keyPair(algorithm);
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...members };
  return { alg: algorithm, kid, privateKey, jwk };
}

function keyPair(algorithm: string): { privateKey: KeyObject; publicKey: KeyObject } {
  const curves: Record<string, string> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' };
  const namedCurve = curves[algorithm];
  if (namedCurve) return generateKeyPairSync('ec', { namedCurve });
  if (algorithm.startsWith('Ed')) return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: 2048 });
}

/**
 * Signs any two texts with the algorithm that the header seems to name; a Buffer as key means HMAC, no key no
 * signature.
 */
export function signCompact(
  header: string | Buffer,
  payload: string | Buffer,
  key?: KeyObject | Buffer,
): string {
  const input = `${Buffer.from(header).toString('base64url')}.${Buffer.from(payload).toString('base64url')}`;
  const alg = /"alg":"(\w+)"/.exec(header.toString())?.[1] ?? '';
  return `${input}.${signatureOf(input, alg, key).toString('base64url')}`;
}

function signatureOf(input: string, alg: string, key?: KeyObject | Buffer): Buffer {
  if (key === undefined) return Buffer.alloc(0);
  const digest = `sha${/\d{3}$/.exec(alg)?.[0] ?? '256'}`;
  if (Buffer.isBuffer(key)) return createHmac(digest, key).update(input).digest();
  const bytes = Buffer.from(input);
  if (key.asymmetricKeyType === 'ed25519') return signBytes(null, bytes, key);
  // Salt as long as the digest (RFC 7518 §3.5); ECDSA as two plain numbers (§3.4).
  const padding = alg.startsWith('PS') ? { padding: 6, saltLength: -1 } : {};
  return signBytes(digest, bytes, { key, dsaEncoding: 'ieee-p1363', ...padding });
}
