import { useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { Registration, ServicePatch } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';
import { useScope } from '../session/scope';

const WATCH_MS = 4000;

export function useServices(search: string) {
  const { tenantId, query } = useScope();
  return usePages({
    key: ['services', tenantId, 'list', search],
    load: (page) =>
      data(api.GET('/services', { params: { query: { ...query, ...page, ...(search && { search }) } } })),
    rows: ({ services }) => services,
    next: ({ next_cursor }) => next_cursor,
  });
}

export function useService(serviceId: string) {
  const { tenantId, query } = useScope();
  return useQuery({
    queryKey: ['services', tenantId, serviceId],
    queryFn: () =>
      data(api.GET('/services/{service_id}', { params: { path: { service_id: serviceId }, query } })),
  });
}

/** Everything an administrator can set, beside what tenants see. */
export function useServicePolicies(serviceId: string) {
  const { tenantId = '' } = useScope();
  return useQuery({
    queryKey: ['services', tenantId, serviceId, 'policies'],
    queryFn: () =>
      data(
        api.GET('/admin/tenants/{tenantId}/services/{serviceId}', {
          params: { path: { tenantId, serviceId } },
        }),
      ),
  });
}

/** How the targets are, watched while the page is open. */
export function useServiceHealth(serviceId: string) {
  const { tenantId = '' } = useScope();
  return useQuery({
    queryKey: ['services', tenantId, serviceId, 'health'],
    queryFn: () =>
      data(
        api.GET('/admin/tenants/{tenantId}/services/{serviceId}/health', {
          params: { path: { tenantId, serviceId } },
        }),
      ),
    refetchInterval: WATCH_MS,
  });
}

export function useServiceOperations() {
  const { tenantId = '', query } = useScope();
  const done = useDone('services');
  const at = (id: string) => ({ path: { service_id: id }, query });
  return {
    register: (body: Registration) => done(data(api.POST('/register-api', { params: { query }, body }))),
    change: (id: string, body: Partial<Registration>) =>
      done(data(api.PATCH('/services/{service_id}', { params: at(id), body }))),
    setPolicies: (serviceId: string, body: ServicePatch) =>
      done(
        data(
          api.PATCH('/admin/tenants/{tenantId}/services/{serviceId}', {
            params: { path: { tenantId, serviceId } },
            body,
          }),
        ),
      ),
    remove: (id: string) => done(data(api.DELETE('/services/{service_id}', { params: at(id) }))),
    orderBreaker: (serviceId: string, action: 'open' | 'close' | 'reset', target?: string) =>
      done(
        data(
          api.POST('/admin/tenants/{tenantId}/services/{serviceId}/breaker', {
            params: { path: { tenantId, serviceId } },
            body: { action, ...(target && { target }) },
          }),
        ),
      ),
  };
}
