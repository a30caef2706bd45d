import { useQuery } from '@tanstack/react-query';
import { api, data } from '../api/client';
import type { Maintenance, Tenant, TenantInput, TenantPatch } from '../api/types';
import { useDone } from '../api/use-done';
import { usePages } from '../api/use-pages';

export function useTenants(search: string) {
  return usePages({
    key: ['tenants', 'list', search],
    load: (page) =>
      data(api.GET('/admin/tenants', { params: { query: { ...page, ...(search && { search }) } } })),
    rows: ({ tenants }) => tenants,
    next: ({ nextCursor }) => nextCursor,
  });
}

export function useTenant(tenantId: string) {
  return useQuery({
    queryKey: ['tenants', 'one', tenantId],
    queryFn: () => data(api.GET('/admin/tenants/{tenantId}', { params: { path: { tenantId } } })),
  });
}

export function useTenantOperations() {
  const done = useDone('tenants');
  const at = (tenantId: string) => ({ path: { tenantId } });
  return {
    create: (body: TenantInput) => done(data(api.POST('/admin/tenants', { body }))),
    change: (tenantId: string, body: TenantPatch) =>
      done(data(api.PATCH('/admin/tenants/{tenantId}', { params: at(tenantId), body }))),
    replace: (tenantId: string, body: TenantInput) =>
      done(data(api.PUT('/admin/tenants/{tenantId}', { params: at(tenantId), body }))),
    remove: (tenantId: string) =>
      done(data(api.DELETE('/admin/tenants/{tenantId}', { params: at(tenantId) }))),
    suspend: (tenantId: string) =>
      done(data(api.POST('/admin/tenants/{tenantId}/suspend', { params: at(tenantId) }))),
    resume: (tenantId: string) =>
      done(data(api.POST('/admin/tenants/{tenantId}/resume', { params: at(tenantId) }))),
    /** null ends it. */
    setMaintenance: (tenantId: string, maintenance: Maintenance | null) =>
      done(
        data(
          api.PATCH('/admin/tenants/{tenantId}', {
            params: at(tenantId),
            body: { maintenance },
          }),
        ),
      ),
  };
}

/** A stored document may be broken; then only what is wrong with it is known. */
export function isWhole(tenant: { id: string }): tenant is Tenant {
  return !('problems' in tenant);
}
