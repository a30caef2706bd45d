import type { GatewayConfig } from '#libs/config';
import type { GatewayKeys, OwnKeys, RevocationDirectory } from './own-tokens';

type TokenSettings = Pick<GatewayConfig, 'gatewayJwtSecret' | 'gatewayJwtPreviousSecrets' | 'jwtSecretKey'>;

/**
 * The keys that the settings give for tokens that name no issuer.
 * @param publicKeys of service tokens that are not signed with a secret.
 */
export function ownKeys(
  { gatewayJwtSecret, gatewayJwtPreviousSecrets, jwtSecretKey }: TokenSettings,
  revocations: RevocationDirectory,
  publicKeys: GatewayKeys['publicKeys'] = [],
): OwnKeys {
  const current = gatewayJwtSecret === undefined ? [] : [gatewayJwtSecret];
  const secrets = [...current, ...gatewayJwtPreviousSecrets].map((secret) => Buffer.from(secret));
  const sharedSecret = jwtSecretKey === undefined ? undefined : Buffer.from(jwtSecretKey);
  return { gateway: { secrets, publicKeys }, sharedSecret, revocations };
}

/** Whether tenants that have no identity provider may ask for tokens at all. */
export function hasOwnKeys(settings: TokenSettings): boolean {
  const { gatewayJwtSecret, gatewayJwtPreviousSecrets, jwtSecretKey } = settings;
  return gatewayJwtSecret !== undefined || gatewayJwtPreviousSecrets.length > 0 || jwtSecretKey !== undefined;
}
