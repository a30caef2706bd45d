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
