import { HeartPulse } from 'lucide-react';
import type { Overview } from '../api/types';
import { EmptyState } from '../ui/states';
import { Badge, Card, type Tone } from '../ui/surface';
import { DataTable } from '../ui/table';

type Target = Overview['targets'][number];

const TROUBLES: Record<NonNullable<Target['trouble']>, string> = {
  failed_checks: 'Checks fail',
  failed_requests: 'Requests fail',
  circuit_open: 'Circuit open',
};
const BREAKERS: Record<NonNullable<Target['breaker']>, readonly [Tone, string]> = {
  closed: ['good', 'Closed'],
  half_open: ['warn', 'Half open'],
  open: ['bad', 'Open'],
  forced_open: ['bad', 'Forced open'],
  forced_closed: ['warn', 'Forced closed'],
};

/** Upstreams of the last ten minutes, those in trouble first, with their circuit breakers. */
export function TargetsCard({ overview, all }: { overview: Overview; all?: boolean }) {
  const { targets, targetCounts } = overview;
  return (
    <Card
      title="Upstreams"
      bare
      actions={
        <>
          <Badge tone="good">{targetCounts.healthy} healthy</Badge>
          {targetCounts.troubled > 0 && <Badge tone="bad">{targetCounts.troubled} in trouble</Badge>}
        </>
      }
    >
      {targets.length === 0 ? (
        <EmptyState icon={<HeartPulse size={18} aria-hidden />} title="No upstream is watched">
          Services with health checks or circuit breakers are shown here as soon as they are used.
        </EmptyState>
      ) : (
        <DataTable
          label="Upstreams"
          rows={targets.slice(0, 60)}
          rowKey={({ tenantId, serviceId, url }) => `${tenantId} ${serviceId} ${url}`}
          columns={[
            {
              id: 'url',
              header: 'Upstream',
              width: 'minmax(0, 2.4fr)',
              cell: ({ tenantId, serviceId, url }) => (
                <div>
                  <div className="break">{url}</div>
                  <div className="faint">
                    {[all && tenantId, serviceId === null ? 'own upstream' : `service ${serviceId}`]
                      .filter(Boolean)
                      .join(' · ')}
                  </div>
                </div>
              ),
            },
            { id: 'health', header: 'Health', cell: (target) => <Health target={target} /> },
            {
              id: 'breaker',
              header: 'Breaker',
              cell: ({ breaker }) =>
                breaker ? (
                  <Badge tone={BREAKERS[breaker][0]}>{BREAKERS[breaker][1]}</Badge>
                ) : (
                  <span className="faint">None</span>
                ),
            },
            { id: 'pending', header: 'Pending', width: '64px', align: 'end', cell: ({ pending }) => pending },
          ]}
        />
      )}
    </Card>
  );
}

function Health({ target: { trouble, healthy, troubled, problem } }: { target: Target }) {
  if (!trouble) return <Badge tone="good">Healthy</Badge>;
  const where = healthy + troubled > 1 ? ` (${troubled}/${healthy + troubled})` : '';
  return (
    <span title={problem ?? undefined}>
      <Badge tone="bad">
        {TROUBLES[trouble]}
        {where}
      </Badge>
    </span>
  );
}
