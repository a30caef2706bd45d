import { countMembers, keys, type Store } from '#libs/store';
import type { TenantRepository } from '#libs/tenants';
import type { Principal } from '../edge/principal';
import type { Management } from './management';
import type { MeDto } from './me.dto';

/** Whose a credential is, and how much there is of his. */
export class WhoIs {
  constructor(
    private readonly store: Store,
    private readonly tenants: TenantRepository,
    private readonly management: Management,
  ) {}

  /** @throws GatewayError tenant_not_found */
  async describe(principal: Principal): Promise<MeDto> {
    const { tenantId, kind, serviceId } = principal;
    const { tenant } = await this.tenants.get(tenantId);
    const name = tenant?.name ?? null;
    // How much else there is, is no business of a consumer.
    if (serviceId !== undefined)
      return { tenant_id: tenantId, name, services: 1, api_keys: 1, role: 'consumer' };
    const { documents } = this.store;
    const manages = await this.management.isOpenTo(principal);
    return {
      tenant_id: tenantId,
      name,
      services: await countMembers(documents, keys.serviceIndex(tenantId)),
      api_keys: await countMembers(documents, keys.apiKeyIndex(tenantId)),
      role: kind === 'owner' ? 'owner' : manages ? 'tenant' : 'reader',
    };
  }
}
