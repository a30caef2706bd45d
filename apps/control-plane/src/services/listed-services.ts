import type { ServiceRepository, StoredService } from '#libs/tenants';
import { positionOf, type PageQuery } from '../edge/page.dto';
import { searched } from '../edge/search';

/**
 * A page of a tenant's services, and how many there are of all where none is searched for.
 * @throws GatewayError tenant_not_found or validation_failed
 */
export async function listedServices(
  services: ServiceRepository,
  tenantId: string,
  { search, ...page }: Pick<PageQuery, 'cursor' | 'limit'> & { readonly search?: string },
): Promise<{ services: readonly StoredService[]; next?: string; total: number | null }> {
  const { items, next } = await searched(
    async (after, limit) => {
      const found = await services.list(tenantId, after, limit);
      return { items: found.services, next: found.next };
    },
    { search, after: positionOf(page), limit: page.limit },
    { idOf: ({ service }) => service.id, textsOf: ({ service }) => [service.id, service.name] },
  );
  return { services: items, next, total: search === undefined ? await services.count(tenantId) : null };
}
