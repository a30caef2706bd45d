import { keys, type Store } from '#libs/store';
import type { TenantRepository } from '#libs/tenants';
import type { Principal } from '../edge/principal';
import type { Management } from './management';
import type { MeDto } from './me.dto';

const PAGE = 1000;

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
    const manages = await this.management.isOpenTo(principal);
    return {
      tenant_id: tenantId,
      name,
      services: await this.count(keys.serviceIndex(tenantId)),
      api_keys: await this.count(keys.apiKeyIndex(tenantId)),
      role: kind === 'owner' ? 'owner' : manages ? 'tenant' : 'reader',
    };
  }

  private async count(index: string): Promise<number> {
    let count = 0;
    let page = await this.store.documents.indexPage(index, '', PAGE);
    while (page.length > 0) {
      count += page.length;
      page = await this.store.documents.indexPage(index, page.at(-1) ?? '', PAGE);
    }
    return count;
  }
}
