import { Plus, Webhook as WebhookIcon } from 'lucide-react';
import { useState } from 'react';
import { Link } from 'react-router';
import type { Webhook } from '../api/types';
import { useLinkTo } from '../session/scope';
import { Button } from '../ui/button';
import { SecretDialog } from '../ui/secret-dialog';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Badge, Card, Page } from '../ui/surface';
import { DataTable } from '../ui/table';
import { Ago } from '../ui/time';
import { useWebhooks } from './queries';
import { WebhookForm } from './webhook-form';

/** Whom the gateway tells what happens. */
export function WebhooksPage() {
  const linkTo = useLinkTo();
  const { data: found, error, refetch } = useWebhooks();
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string>();
  const add = (
    <Button
      variant="primary"
      needs="Webhooks.create"
      icon={<Plus size={15} aria-hidden />}
      onClick={() => setCreating(true)}
    >
      Add webhook
    </Button>
  );
  return (
    <Page title="Webhooks" lead="Programs of yours that are told what happens" actions={add}>
      <Card bare>
        {error ? (
          <ErrorState error={error} retry={() => void refetch()} />
        ) : !found ? (
          <LoadingRows />
        ) : found.webhooks.length === 0 ? (
          <EmptyState icon={<WebhookIcon size={18} aria-hidden />} title="No webhooks yet" action={add}>
            Keys that expire, budgets that run out, breakers that open: each is posted to an address of yours,
            signed.
          </EmptyState>
        ) : (
          <DataTable
            label="Webhooks"
            rows={found.webhooks}
            rowKey={({ id }) => id}
            columns={[
              {
                id: 'url',
                header: 'Sent to',
                width: 'minmax(0, 2.4fr)',
                cell: ({ id, url, description }) => (
                  <div>
                    <Link className="break" to={linkTo(`/webhooks/${id}`)}>
                      {url}
                    </Link>
                    {description && <div className="faint break">{description}</div>}
                  </div>
                ),
              },
              {
                id: 'tenant',
                header: 'Of',
                cell: ({ tenantId }) => tenantId ?? <span className="soft">Everybody</span>,
              },
              {
                id: 'events',
                header: 'Events',
                cell: ({ events }) => <span title={events.join(', ')}>{kindsOf(events)}</span>,
              },
              {
                id: 'state',
                header: 'State',
                width: '110px',
                cell: (webhook) => <WebhookState of={webhook} />,
              },
              {
                id: 'created',
                header: 'Added',
                width: '116px',
                align: 'end',
                cell: ({ createdAt }) => <Ago at={createdAt} />,
              },
            ]}
          />
        )}
      </Card>
      {creating && (
        <WebhookForm
          onMade={(made) => {
            setCreating(false);
            setSecret(made);
          }}
          onClose={() => setCreating(false)}
        />
      )}
      {secret && (
        <SecretDialog
          title="The secret of the webhook"
          secret={secret}
          onClose={() => setSecret(undefined)}
        />
      )}
    </Page>
  );
}

function kindsOf(events: readonly string[]): string {
  if (events.length === 0) return 'All';
  return events.length === 1 ? events[0]! : `${events.length} kinds`;
}

export function WebhookState({ of: { enabled } }: { of: Webhook }) {
  return enabled ? <Badge tone="good">Enabled</Badge> : <Badge>Disabled</Badge>;
}
