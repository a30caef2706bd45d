import type { NewWebhook, Webhook, WebhookEvent } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { CheckField, FieldSet, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';
import { useWebhookOperations } from './queries';

/** All that can be asked for; the compiler misses none. */
const EVENTS: Record<Exclude<WebhookEvent, 'webhook.test'>, string> = {
  'key.created': 'A key was created',
  'key.revoked': 'A key was revoked',
  'key.rotated': 'A key was rotated',
  'key.expiring': 'A key expires soon',
  'billing.cycle_closed': 'A billing cycle was closed',
  'billing.spend_cap': 'A spend cap is nearly or wholly reached',
  'billing.quota': 'A quota is nearly or wholly used',
  'limit.degraded': 'Limits are kept without the store',
  'limit.tenant_limited': 'A tenant is limited',
  'breaker.opened': 'A circuit breaker has opened',
  'breaker.closed': 'A circuit breaker has closed',
};

interface WebhookFormProps {
  editing?: Webhook;
  onMade?: (secret: string) => void;
  onClose: () => void;
}

export function WebhookForm({ editing, onMade, onClose }: WebhookFormProps) {
  const { create, change } = useWebhookOperations();
  const { values, set, field, form } = useForm({
    initial: {
      url: editing?.url ?? '',
      description: editing?.description ?? '',
      tenantId: '',
      events: new Set<string>(editing?.events ?? []),
    },
    send: async ({ url, description, tenantId, events }): Promise<string | undefined> => {
      const body = { url, description, events: [...events] as NewWebhook['events'] };
      if (editing) await change(editing.id, body);
      else return (await create({ ...body, ...(tenantId && { tenantId }) })).secret;
    },
    onDone: (secret) => {
      if (secret) return onMade?.(secret);
      tell('Webhook changed');
      onClose();
    },
  });
  const toggle = (name: string) => (checked: boolean) => {
    const events = new Set(values.events);
    if (checked) events.add(name);
    else events.delete(name);
    set('events')(events);
  };
  return (
    <FormDialog
      {...form}
      title={editing ? 'Edit the webhook' : 'Add a webhook'}
      submit={editing ? 'Save' : 'Add webhook'}
      wide
      onClose={onClose}
    >
      <TextField
        label="URL"
        required
        autoFocus
        type="url"
        placeholder="https://hooks.example.com/gatehouse"
        hint="Every event is posted here, signed, until it is answered with 2xx."
        {...field('url')}
      />
      <TextField label="Description" maxLength={200} {...field('description')} />
      {!editing && (
        <TextField
          label="Tenant"
          placeholder="Events of all, and of the gateway itself"
          {...field('tenantId')}
        />
      )}
      <FieldSet legend="Events" hint="None chosen: all of them, also those that are added later.">
        {Object.entries(EVENTS).map(([name, text]) => (
          <CheckField
            key={name}
            checked={values.events.has(name)}
            onChange={toggle(name)}
            label={
              <>
                {text} <code className="faint">{name}</code>
              </>
            }
          />
        ))}
      </FieldSet>
    </FormDialog>
  );
}
