import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { api, data } from '../api/client';
import type { ApiKey, NewKey } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';
import { useMay } from '../session/may';
import { useScope } from '../session/scope';

export function useKeys({ search, serviceId }: { search: string; serviceId: string }) {
  const { tenantId, query } = useScope();
  return usePages({
    key: ['keys', tenantId, search, serviceId],
    load: (page) => {
      const asked = { ...(search && { search }), ...(serviceId && { service_id: serviceId }) };
      return data(api.GET('/api-keys', { params: { query: { ...query, ...page, ...asked } } }));
    },
    rows: ({ api_keys }) => api_keys,
    next: ({ next_cursor }) => next_cursor,
  });
}

const MOST_SERVICES = 200;

/** Names of services by id, for lists that know the ids only. */
export function useServiceNames(): ReadonlyMap<string, string> {
  const { tenantId, query } = useScope();
  const enabled = useMay()('PortalServices.list');
  const { data: found } = useQuery({
    queryKey: ['services', tenantId, 'names'],
    queryFn: () => data(api.GET('/services', { params: { query: { ...query, limit: MOST_SERVICES } } })),
    enabled,
  });
  return useMemo(() => new Map((found?.services ?? []).map(({ id, name }) => [String(id), name])), [found]);
}

/** What can be done with keys; each says no by rejecting, and the lists are asked for anew after each. */
export function useKeyOperations() {
  const { query } = useScope();
  const done = useDone('keys');
  const at = (key: ApiKey) => ({ path: { key_id: key.id }, query });
  return {
    create: (body: NewKey) => done(data(api.POST('/api-keys', { params: { query }, body }))),
    change: (key: ApiKey, body: Partial<NewKey>) =>
      done(data(api.PATCH('/api-keys/{key_id}', { params: at(key), body }))),
    rotate: (key: ApiKey, graceSeconds: number) =>
      done(
        data(
          api.POST('/api-keys/{key_id}/rotate', { params: at(key), body: { grace_seconds: graceSeconds } }),
        ),
      ),
    revoke: (key: ApiKey) =>
      done(
        data(
          api.DELETE('/api-keys/{key_id}', {
            params: { path: { key_id: key.id }, query: { ...query, wait: true } },
          }),
        ),
      ),
  };
}
