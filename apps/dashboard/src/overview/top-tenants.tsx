import { Link } from 'react-router';
import type { Overview } from '../api/types';
import { milliseconds, percent, rate } from '../ui/format';
import { Card } from '../ui/surface';
import { DataTable } from '../ui/table';
import { EmptyState } from '../ui/states';
import { Building2 } from 'lucide-react';

export function TopTenants({ tenants }: { tenants: Overview['tenants'] }) {
  const shown = tenants.slice(0, 8);
  return (
    <Card title="Top tenants" bare>
      {shown.length === 0 ? (
        <EmptyState icon={<Building2 size={18} aria-hidden />} title="No traffic at the moment">
          Tenants are listed here while they send requests.
        </EmptyState>
      ) : (
        <DataTable
          label="Top tenants"
          rows={shown}
          rowKey={({ tenantId }) => tenantId ?? ''}
          columns={[
            {
              id: 'tenant',
              header: 'Tenant',
              width: 'minmax(0, 1.6fr)',
              cell: ({ tenantId }) =>
                tenantId === null ? (
                  <span className="soft">Nobody known</span>
                ) : (
                  <Link to={`/tenants/${encodeURIComponent(tenantId)}`}>{tenantId}</Link>
                ),
            },
            { id: 'rate', header: 'Req/s', align: 'end', cell: (row) => rate(row.requestsPerSecond) },
            { id: 'errors', header: 'Errors', align: 'end', cell: (row) => percent(row.errorRatio) },
            { id: 'limited', header: 'Limited', align: 'end', cell: (row) => percent(row.limitedRatio) },
            { id: 'p95', header: 'p95', align: 'end', cell: (row) => milliseconds(row.p95) },
          ]}
        />
      )}
    </Card>
  );
}
