import { Pencil, Send } from 'lucide-react';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import type { Webhook } from '../api/types';
import { useLinkTo } from '../session/scope';
import { Button } from '../ui/button';
import { Copyable } from '../ui/copy';
import { ConfirmDialog, FormDialog } from '../ui/dialog';
import { SelectField } from '../ui/field';
import { moment } from '../ui/format';
import { SecretDialog } from '../ui/secret-dialog';
import { ErrorState, LoadingRows } from '../ui/states';
import { Card, Fact, Facts, Page, Toolbar } from '../ui/surface';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';
import { DeliveriesCard } from './deliveries-card';
import { useWebhook, useWebhookOperations } from './queries';
import { WebhookForm } from './webhook-form';
import { WebhookState } from './webhooks-page';

type Open = 'edit' | 'rotate' | 'toggle' | 'remove';

/** One webhook: what it is told, what has come of that, and everything that can be done to it. */
export function WebhookPage() {
  const { webhookId = '' } = useParams();
  const linkTo = useLinkTo();
  const { data: webhook, error, refetch } = useWebhook(webhookId);
  const { test } = useWebhookOperations();
  const [open, setOpen] = useState<Open>();
  const [sending, setSending] = useState(false);
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!webhook) return <LoadingRows />;
  const sendTest = async () => {
    setSending(true);
    try {
      await test(webhook.id);
      tell('Test event on its way', 'What has come of it is shown below.');
    } catch (reason) {
      tell('The test event could not be sent', (reason as Error).message);
    } finally {
      setSending(false);
    }
  };
  return (
    <Page
      title={webhook.description || new URL(webhook.url).host}
      lead={<Link to={linkTo('/webhooks')}>All webhooks</Link>}
      actions={
        <>
          <Button
            needs="Webhooks.test"
            busy={sending}
            disabled={!webhook.enabled}
            icon={<Send size={14} aria-hidden />}
            onClick={() => void sendTest()}
          >
            Send test event
          </Button>
          <Button
            needs="Webhooks.change"
            icon={<Pencil size={14} aria-hidden />}
            onClick={() => setOpen('edit')}
          >
            Edit
          </Button>
        </>
      }
    >
      <Card title="Webhook" actions={<WebhookState of={webhook} />}>
        <Facts>
          <Fact term="Sent to">
            <Copyable text={webhook.url} label="Copy URL" />
          </Fact>
          <Fact term="Of">{webhook.tenantId ?? 'All tenants, and the gateway itself'}</Fact>
          <Fact term="Events">{webhook.events.length === 0 ? 'All' : webhook.events.join(', ')}</Fact>
          <Fact term="Added">{moment(webhook.createdAt)}</Fact>
        </Facts>
        <Toolbar below>
          <Button needs="Webhooks.change" onClick={() => setOpen('toggle')}>
            {webhook.enabled ? 'Disable' : 'Enable'}
          </Button>
          <Button needs="Webhooks.rotate" onClick={() => setOpen('rotate')}>
            Rotate secret
          </Button>
          <Button needs="Webhooks.remove" variant="danger" onClick={() => setOpen('remove')}>
            Delete webhook
          </Button>
        </Toolbar>
      </Card>
      <DeliveriesCard webhookId={webhook.id} />
      <Dialogs webhook={webhook} open={open} close={() => setOpen(undefined)} />
    </Page>
  );
}

interface DialogsProps {
  webhook: Webhook;
  open: Open | undefined;
  close: () => void;
}

function Dialogs({ webhook, open, close }: DialogsProps) {
  const navigate = useNavigate();
  const linkTo = useLinkTo();
  const { change, remove } = useWebhookOperations();
  switch (open) {
    case undefined:
      return null;
    case 'edit':
      return <WebhookForm editing={webhook} onClose={close} />;
    case 'rotate':
      return <RotateSecret of={webhook} onClose={close} />;
    case 'toggle':
      return (
        <ConfirmDialog
          title={webhook.enabled ? 'Disable the webhook?' : 'Enable the webhook?'}
          confirm={webhook.enabled ? 'Disable' : 'Enable'}
          onClose={close}
          onConfirm={async () => {
            await change(webhook.id, { enabled: !webhook.enabled });
            tell(webhook.enabled ? 'Webhook disabled' : 'Webhook enabled');
          }}
        >
          {webhook.enabled
            ? 'It is told nothing until it is enabled again. What happens meanwhile is not sent later.'
            : 'It is told what happens from now on.'}
        </ConfirmDialog>
      );
    case 'remove':
      return (
        <ConfirmDialog
          title="Delete the webhook?"
          confirm="Delete webhook"
          onClose={close}
          onConfirm={async () => {
            await remove(webhook.id);
            tell('Webhook deleted');
            void navigate(linkTo('/webhooks'));
          }}
        >
          It is told nothing any more, and what is on its way is thrown away. This cannot be undone.
        </ConfirmDialog>
      );
  }
}

const GRACES = [
  ['0', 'Not at all: the old secret ends at once'],
  ['3600', '1 hour'],
  ['86400', '1 day'],
  ['604800', '7 days'],
] as const;

function RotateSecret({ of: webhook, onClose }: { of: Webhook; onClose: () => void }) {
  const { rotate } = useWebhookOperations();
  const { field, form, result } = useForm({
    initial: { grace: '86400' },
    send: ({ grace }) => rotate(webhook.id, Number(grace)),
  });
  if (result)
    return <SecretDialog title="The new secret of the webhook" secret={result.secret} onClose={onClose} />;
  return (
    <FormDialog
      {...form}
      title="Rotate the secret"
      description="Events are signed with a new one."
      submit="Rotate secret"
      onClose={onClose}
    >
      <SelectField
        label="The old one signs beside it for"
        options={GRACES}
        hint="Long enough for the receiver to change over."
        {...field('grace', 'graceSeconds')}
      />
    </FormDialog>
  );
}
