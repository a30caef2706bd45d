import { GatewayError } from '#libs/errors';
import { ApiKeyRepository, type ApiKeyRecord } from '#libs/tenants';
import type { Principal } from '../edge/principal';

/** Keys that other programs have mapped have no record, and no restriction. */
const FOREIGN_ID = /^sha256-/;
const MANAGES_NOT = 'the API key has restrictions of its own, and may read but change nothing';

/** Terms that somebody has narrowed a key by; `validUntil` because a key that has been replaced is on its way out. */
const RESTRICTIONS = [
  'serviceId',
  'rateLimit',
  'monthlyQuota',
  'expiresAt',
  'validUntil',
  'allowedRoutes',
  'allowedMethods',
  'allowedIps',
] as const satisfies ReadonlyArray<keyof ApiKeyRecord>;

/**
 * Who may change services and keys of a tenant: the owner, its portal tokens, and those of its keys that nothing restricts. Whoever holds a
 * restricted one could otherwise make himself a key without the restriction, or take it off his own: what expires would
 * last, what is counted would not be, and what leaked would be worth more than the key that leaked.
 */
export class Management {
  constructor(private readonly apiKeys: ApiKeyRepository) {}

  /** @throws GatewayError key_not_allowed, or invalid_api_key if the key has ended since it was accepted */
  async require(principal: Principal): Promise<void> {
    if (!(await this.isOpenTo(principal))) throw new GatewayError('key_not_allowed', MANAGES_NOT);
  }

  /** @throws GatewayError invalid_api_key if the key has ended since it was accepted */
  async isOpenTo({ kind, tenantId, keyId, serviceId }: Principal): Promise<boolean> {
    // Whether a token was taken back was read from the store a moment ago.
    if (kind === 'owner' || kind === 'token') return true;
    if (kind !== 'key' || keyId === undefined || serviceId !== undefined) return false;
    if (FOREIGN_ID.test(keyId)) return true;
    // As it is stored now: the directory's view may be some milliseconds old.
    const { record, active } = await this.current(tenantId, keyId);
    if (!active) throw new GatewayError('invalid_api_key');
    return RESTRICTIONS.every((term) => record[term] === undefined);
  }

  private async current(tenantId: string, keyId: string): ReturnType<ApiKeyRepository['get']> {
    try {
      return await this.apiKeys.get(tenantId, keyId);
    } catch (error) {
      const gone = error instanceof GatewayError && error.code === 'api_key_not_found';
      throw gone ? new GatewayError('invalid_api_key', undefined, { cause: error }) : error;
    }
  }
}
