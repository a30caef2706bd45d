import { Inbox } from 'lucide-react';
import { useState } from 'react';
import type { Delivery } from '../api/types';
import { Button } from '../ui/button';
import { ListCard } from '../ui/list-card';
import { EmptyState, ErrorNotice } from '../ui/states';
import { Badge, Segments, type Tone } from '../ui/surface';
import { ACTIONS } from '../ui/table';
import { Ago } from '../ui/time';
import { tell } from '../ui/toast';
import { useDeliveries, useWebhookOperations } from './queries';

const STATES = [
  ['delivered', 'Arrived'],
  ['pending', 'On their way'],
  ['dead', 'Given up'],
] as const;
const NOTHING: Record<Delivery['state'], readonly [title: string, text: string]> = {
  delivered: ['Nothing has arrived lately', 'What has arrived is shown here for three days.'],
  pending: [
    'Nothing is on its way',
    'What is not answered with 2xx stays here and is sent again, later each time.',
  ],
  dead: [
    'Nothing was given up',
    'What could not be delivered in time is kept here, and can be sent again by hand.',
  ],
};

/** What has come of the events: watched, for most of it happens while one looks. */
export function DeliveriesCard({ webhookId }: { webhookId: string }) {
  const [state, setState] = useState<Delivery['state']>('delivered');
  const list = useDeliveries(webhookId, state);
  const [title, text] = NOTHING[state];
  return (
    <ListCard
      title="Deliveries"
      actions={<Segments label="State of deliveries" options={STATES} value={state} onChange={setState} />}
      label="Deliveries"
      list={list}
      rowKey={({ id }) => id}
      empty={
        <EmptyState icon={<Inbox size={18} aria-hidden />} title={title}>
          {text}
        </EmptyState>
      }
      columns={[
        {
          id: 'event',
          header: 'Event',
          width: 'minmax(0, 1.6fr)',
          cell: ({ event, id }) => (
            <div>
              <div>{event}</div>
              <div className="mono faint">{id}</div>
            </div>
          ),
        },
        {
          id: 'tenant',
          header: 'Tenant',
          cell: ({ tenantId }) => tenantId ?? <span className="faint">–</span>,
        },
        { id: 'outcome', header: 'Outcome', width: 'minmax(0, 1.4fr)', cell: (one) => <Outcome of={one} /> },
        { id: 'attempts', header: 'Attempts', width: '76px', align: 'end', cell: ({ attempts }) => attempts },
        {
          id: 'when',
          header: state === 'pending' ? 'Next attempt' : 'When',
          width: '120px',
          align: 'end',
          cell: ({ deliveredAt, nextAttemptAt, createdAt }) => (
            <Ago at={deliveredAt ?? nextAttemptAt ?? createdAt} />
          ),
        },
        ...(state === 'dead'
          ? [{ ...ACTIONS, width: '96px', cell: (delivery: Delivery) => <Replay of={delivery} /> }]
          : []),
      ]}
    />
  );
}

function Outcome({ of: { state, lastStatus, lastError } }: { of: Delivery }) {
  if (state === 'pending' && lastStatus === undefined && !lastError) return <Badge>Not yet sent</Badge>;
  const tone: Tone = state === 'delivered' ? 'good' : state === 'dead' ? 'bad' : 'warn';
  return (
    <span className="break">
      <Badge tone={tone}>{lastStatus === undefined ? 'No answer' : `Answered ${lastStatus}`}</Badge>{' '}
      {lastError && <span className="soft">{lastError}</span>}
    </span>
  );
}

function Replay({ of: delivery }: { of: Delivery }) {
  const { replay } = useWebhookOperations();
  const [error, setError] = useState<unknown>();
  if (error) return <ErrorNotice error={error} />;
  return (
    <Button
      small
      needs="Webhooks.replay"
      aria-label={`Send ${delivery.event} again`}
      onClick={() => void replay(delivery).then(() => tell('On its way again'), setError)}
    >
      Send again
    </Button>
  );
}
