import { HeartPulse } from 'lucide-react';
import { useState } from 'react';
import type { TargetHealth } from '../api/types';
import { ConfirmDialog } from '../ui/dialog';
import { RowMenu } from '../ui/menu';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Badge, Card, type Tone } from '../ui/surface';
import { ACTIONS, DataTable } from '../ui/table';
import { Ago } from '../ui/time';
import { tell } from '../ui/toast';
import { useServiceHealth, useServiceOperations } from './queries';

const BREAKERS: Record<string, readonly [Tone, string]> = {
  closed: ['good', 'Closed'],
  half_open: ['warn', 'Half open'],
  open: ['bad', 'Open'],
  forced_open: ['bad', 'Forced open'],
  forced_closed: ['warn', 'Forced closed'],
};

interface Order {
  action: 'open' | 'close' | 'reset';
  target: string;
}

/** How the targets are doing and what their circuit breakers say; the operator may overrule them. */
export function HealthCard({ serviceId }: { serviceId: string }) {
  const { data: health, error, refetch } = useServiceHealth(serviceId);
  const { orderBreaker } = useServiceOperations();
  const [order, setOrder] = useState<Order>();
  return (
    <Card title="Targets" bare>
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : !health ? (
        <LoadingRows rows={2} />
      ) : health.targets.length === 0 ? (
        <EmptyState icon={<HeartPulse size={18} aria-hidden />} title="Nothing is known of the targets yet">
          They are watched from the first request on.
        </EmptyState>
      ) : (
        <DataTable
          label="Targets"
          rows={health.targets}
          rowKey={({ url }) => url}
          columns={[
            {
              id: 'url',
              header: 'Target',
              width: 'minmax(0, 2fr)',
              cell: ({ url }) => <span className="mono break">{url}</span>,
            },
            { id: 'health', header: 'Health', cell: (target) => <TargetState of={target} /> },
            {
              id: 'breaker',
              header: 'Breaker',
              cell: ({ breaker }) => {
                if (!breaker) return <span className="faint">None</span>;
                const [tone, text] = BREAKERS[breaker.state] ?? ['quiet', breaker.state];
                return <Badge tone={tone}>{text}</Badge>;
              },
            },
            { id: 'pending', header: 'Pending', align: 'end', width: '70px', cell: ({ pending }) => pending },
            {
              id: 'checked',
              header: 'Checked',
              align: 'end',
              cell: ({ checkedAt }) =>
                checkedAt ? <Ago at={checkedAt} /> : <span className="faint">Never</span>,
            },
            {
              ...ACTIONS,
              cell: ({ url, breaker }) =>
                breaker && (
                  <RowMenu
                    label={`Breaker of ${url}`}
                    items={ORDERS.map(([action, text]) => ({
                      text,
                      needs: 'Breakers.orderOfService',
                      danger: action === 'open',
                      onSelect: () => setOrder({ action, target: url }),
                    }))}
                  />
                ),
            },
          ]}
        />
      )}
      {order && (
        <ConfirmDialog
          title={TITLES[order.action]}
          confirm={CONFIRMS[order.action]}
          onClose={() => setOrder(undefined)}
          onConfirm={async () => {
            await orderBreaker(serviceId, order.action, order.target);
            tell('All replicas have been told');
          }}
        >
          {EXPLANATIONS[order.action]}
        </ConfirmDialog>
      )}
    </Card>
  );
}

const ORDERS = [
  ['open', 'Open the breaker'],
  ['close', 'Close the breaker'],
  ['reset', 'Leave it to itself'],
] as const;
const TITLES = {
  open: 'Open the breaker?',
  close: 'Close the breaker?',
  reset: 'Leave the breaker to itself?',
};
const CONFIRMS = { open: 'Open it', close: 'Close it', reset: 'Reset it' };
const EXPLANATIONS = {
  open: 'No request goes to this target until the breaker is closed or left to itself.',
  close: 'Requests go to this target even if they fail.',
  reset: 'It counts from the beginning, and opens and closes by what it sees.',
};

function TargetState({ of: { healthy, trouble, problem } }: { of: TargetHealth }) {
  if (healthy) return <Badge tone="good">Healthy</Badge>;
  return (
    <span title={problem ?? undefined}>
      <Badge tone="bad">{(trouble ?? 'In trouble').replaceAll('_', ' ')}</Badge>
    </span>
  );
}
