import { useQuery } from '@tanstack/react-query';
import { Building2 } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, Navigate, useLocation } from 'react-router';
import { api, data } from '../api/client';
import { buttonClass } from '../ui/button';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Card } from '../ui/surface';
import { useScope } from './scope';

/** Shows what belongs to a tenant once one is chosen. Whoever sees all starts with the first there is. */
export function TenantGate({ children }: { children: (tenantId: string) => ReactNode }) {
  const { tenantId, everyTenant } = useScope();
  const { pathname, search } = useLocation();
  const {
    data: found,
    error,
    refetch,
  } = useQuery({
    queryKey: ['tenants', 'picker', ''],
    queryFn: () => data(api.GET('/admin/tenants', { params: { query: { limit: 50 } } })),
    enabled: everyTenant && tenantId === undefined,
  });
  if (tenantId !== undefined) return children(tenantId);
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!found) return <LoadingRows />;
  const first = found.tenants[0];
  if (first) {
    const params = new URLSearchParams(search);
    params.set('tenant', first.id);
    return <Navigate to={`${pathname}?${params}`} replace />;
  }
  return (
    <Card bare>
      <EmptyState
        icon={<Building2 size={18} aria-hidden />}
        title="There is no tenant yet"
        action={
          <Link className={buttonClass('primary')} to="/tenants">
            Go to tenants
          </Link>
        }
      >
        Services, keys and their usage belong to a tenant.
      </EmptyState>
    </Card>
  );
}
