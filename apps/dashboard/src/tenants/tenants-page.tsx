import { Building2, Plus } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { AnyTenant } from '../api/types';
import { Button } from '../ui/button';
import { SearchField } from '../ui/field';
import { inAll, whole } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { EmptyState } from '../ui/states';
import { Badge, Page, Toolbar } from '../ui/surface';
import { useDebounced } from '../ui/use-debounced';
import { CreateTenant } from './create-tenant';
import { isWhole, useTenants } from './queries';

export function TenantsPage() {
  const [typed, setTyped] = useState('');
  const [creating, setCreating] = useState(false);
  const list = useTenants(useDebounced(typed.trim()));
  const total = list.first?.total;
  const pageOf = ({ id }: AnyTenant) => `/tenants/${encodeURIComponent(id)}?tenant=${encodeURIComponent(id)}`;
  const create = (
    <Button
      variant="primary"
      needs="Tenants.create"
      icon={<Plus size={15} aria-hidden />}
      onClick={() => setCreating(true)}
    >
      Create tenant
    </Button>
  );
  return (
    <Page title="Tenants" lead="Who is served" actions={create}>
      <Toolbar>
        <SearchField label="Search by id or name" value={typed} onChange={setTyped} />
      </Toolbar>
      <ListCard
        label="Tenants"
        list={list}
        rowKey={({ id }) => id}
        foot={inAll(total, 'tenant')}
        empty={
          typed ? (
            <EmptyState icon={<Building2 size={18} aria-hidden />} title="No tenant fits" />
          ) : (
            <EmptyState icon={<Building2 size={18} aria-hidden />} title="No tenants yet" action={create}>
              A tenant has an upstream, routes to it, keys and limits of its own.
            </EmptyState>
          )
        }
        columns={[
          {
            id: 'id',
            header: 'Tenant',
            width: 'minmax(0, 1.6fr)',
            cell: (tenant) => (
              <div>
                <Link to={pageOf(tenant)}>{tenant.id}</Link>
                {isWhole(tenant) && tenant.name !== tenant.id && (
                  <div className="soft break">{tenant.name}</div>
                )}
              </div>
            ),
          },
          {
            id: 'upstream',
            header: 'Upstream',
            width: 'minmax(0, 2fr)',
            cell: (tenant) =>
              isWhole(tenant) ? <span className="mono soft break">{tenant.upstreamBaseUrl}</span> : null,
          },
          { id: 'state', header: 'State', width: '130px', cell: (tenant) => <TenantState of={tenant} /> },
          {
            id: 'routes',
            header: 'Routes',
            align: 'end',
            width: '70px',
            cell: (tenant) => (isWhole(tenant) ? tenant.allowedRoutes.length : null),
          },
          {
            id: 'limit',
            header: 'Limit',
            align: 'end',
            width: '120px',
            cell: (tenant) =>
              isWhole(tenant) && tenant.rateLimit ? (
                `${whole(tenant.rateLimit.maxRequests)} / ${tenant.rateLimit.windowSeconds} s`
              ) : (
                <span className="faint">Default</span>
              ),
          },
        ]}
      />
      {creating && <CreateTenant onClose={() => setCreating(false)} />}
    </Page>
  );
}

export function TenantState({ of: tenant }: { of: AnyTenant }) {
  if (!isWhole(tenant)) return <Badge tone="bad">Broken</Badge>;
  if (tenant.suspended) return <Badge tone="bad">Suspended</Badge>;
  if (tenant.maintenance) return <Badge tone="warn">Maintenance</Badge>;
  return <Badge tone="good">Served</Badge>;
}
