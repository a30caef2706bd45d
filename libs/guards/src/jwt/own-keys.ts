import type { GatewayConfig } from '#libs/config';
import { gatewayKeys } from '#libs/tokens';
import type { OwnKeys, RevocationDirectory } from './own-tokens';

type TokenSettings = Pick<GatewayConfig, 'serviceTokens' | 'jwtSecretKey'>;

/** The keys that the settings give for tokens that name no issuer. */
export function ownKeys(settings: TokenSettings, revocations: RevocationDirectory): OwnKeys {
  const { jwtSecretKey } = settings;
  const sharedSecret = jwtSecretKey === undefined ? undefined : Buffer.from(jwtSecretKey);
  return { gateway: gatewayKeys(settings), sharedSecret, revocations };
}

/** Whether tenants that have no identity provider may ask for tokens at all. */
export function hasOwnKeys(settings: TokenSettings): boolean {
  const { secrets, publicKeys } = gatewayKeys(settings);
  return secrets.length > 0 || publicKeys.length > 0 || settings.jwtSecretKey !== undefined;
}
