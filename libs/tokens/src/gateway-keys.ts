import { createPublicKey, hash, type JsonWebKey, type KeyObject } from 'node:crypto';
import type { GatewayConfig } from '#libs/config';

/** Everything that service tokens are accepted by. What they are signed with comes first. */
export interface GatewayKeys {
  /** For HS256 and nothing else. */
  readonly secrets: readonly Buffer[];
  /** Each for its own algorithm and nothing else. */
  readonly publicKeys: ReadonlyArray<{ kid: string; alg: string; key: KeyObject }>;
}

/** The keys of the settings. */
export function gatewayKeys({ serviceTokens }: Pick<GatewayConfig, 'serviceTokens'>): GatewayKeys {
  const { secret, previousSecrets, signingKey, previousKeys } = serviceTokens;
  const own = signingKey && { alg: signingKey.alg, key: createPublicKey(signingKey.key) };
  const secrets = secret === undefined ? previousSecrets : [secret, ...previousSecrets];
  const publicKeys = own ? [own, ...previousKeys] : previousKeys;
  return {
    secrets: secrets.map((text) => Buffer.from(text)),
    publicKeys: publicKeys.map(({ alg, key }) => ({ kid: thumbprint(key), alg, key })),
  };
}

/** Whether tenants that have no identity provider may ask for tokens at all. */
export function hasOwnKeys(settings: Pick<GatewayConfig, 'serviceTokens' | 'jwtSecretKey'>): boolean {
  const { secrets, publicKeys } = gatewayKeys(settings);
  return secrets.length > 0 || publicKeys.length > 0 || settings.jwtSecretKey !== undefined;
}

/** The public keys as others fetch them (RFC 7517 §5). */
export function publishedKeys({ publicKeys }: GatewayKeys): { keys: JsonWebKey[] } {
  const published = publicKeys.map(({ kid, alg, key }) => ({
    ...key.export({ format: 'jwk' }),
    kid,
    alg,
    use: 'sig',
  }));
  return { keys: published };
}

/** Members that make a key what it is, in the order of their names (RFC 7638 §3.2, RFC 8037 §2). */
const REQUIRED: Record<string, readonly string[]> = {
  RSA: ['e', 'kty', 'n'],
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
};

/** RFC 7638 §3. */
export function thumbprint(key: KeyObject): string {
  const jwk = key.export({ format: 'jwk' }) as Record<string, string>;
  const required = (REQUIRED[jwk.kty ?? ''] ?? []).map((member) => [member, jwk[member]]);
  return hash('sha256', JSON.stringify(Object.fromEntries(required)), 'base64url');
}
