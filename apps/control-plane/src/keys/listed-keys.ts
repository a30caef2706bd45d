import type { ApiKeyRepository, ListedApiKey } from '#libs/tenants';
import { positionOf, type PageQuery } from '../edge/page.dto';
import { searched } from '../edge/search';

type Asked = Pick<PageQuery, 'cursor' | 'limit'> & { readonly serviceId?: string; readonly search?: string };

/**
 * A page of a tenant's keys, and how many there are of all where none is searched for.
 * @throws GatewayError tenant_not_found or validation_failed
 */
export async function listedKeys(
  apiKeys: ApiKeyRepository,
  tenantId: string,
  { serviceId, search, ...page }: Asked,
): Promise<{ apiKeys: readonly ListedApiKey[]; next?: string; total: number | null }> {
  const { items, next } = await searched(
    async (after, limit) => {
      const found = await apiKeys.list(tenantId, after, limit, { serviceId });
      return { items: found.apiKeys, next: found.next };
    },
    { search, after: positionOf(page), limit: page.limit },
    {
      idOf: ({ id }) => id,
      textsOf: ({ id, name, prefix, labels }) => [id, name, prefix, ...Object.values(labels ?? {})],
    },
  );
  const total = search === undefined ? await apiKeys.count(tenantId, { serviceId }) : null;
  return { apiKeys: items, next, total };
}
