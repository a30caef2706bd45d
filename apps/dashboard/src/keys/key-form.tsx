import type { ApiKey } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { FieldRow, SelectField, TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { useForm } from '../ui/use-form';
import { EMPTY_KEY, keyBody, keyPatch, valuesOf } from './key-values';
import { useKeyOperations, useServiceNames } from './queries';

interface KeyFormProps {
  editing?: ApiKey;
  serviceId?: string;
  onMade?: (secret: string) => void;
  onClose: () => void;
}

/** Makes a key or changes its terms. What the terms may be is the gateway's to say; its words stand at the fields. */
export function KeyForm({ editing, serviceId = '', onMade, onClose }: KeyFormProps) {
  const { create, change } = useKeyOperations();
  const names = useServiceNames();
  const { field, form } = useForm({
    initial: editing ? valuesOf(editing) : { ...EMPTY_KEY, serviceId },
    send: async (values): Promise<{ api_key?: string } | undefined> => {
      if (!editing) return create(keyBody(values));
      await change(editing, keyPatch(values, editing));
      return undefined;
    },
    onDone: (made) => {
      if (made?.api_key) return onMade?.(made.api_key);
      tell('Key changed');
      onClose();
    },
  });
  return (
    <FormDialog
      {...form}
      title={editing ? `Edit ${editing.name}` : 'Create an API key'}
      wide
      submit={editing ? 'Save' : 'Create key'}
      onClose={onClose}
    >
      <TextField label="Name" required autoFocus {...field('name')} />
      {!editing && (
        <FieldRow>
          <SelectField
            label="Opens"
            {...field('serviceId', 'service_id')}
            options={[['', 'All services'], ...[...names].map(([id, name]) => [id, name] as const)]}
          />
          <SelectField
            label="Mode"
            {...field('mode')}
            options={[
              ['live', 'Live'],
              ['test', 'Test'],
            ]}
          />
        </FieldRow>
      )}
      <FieldRow>
        <TextField
          label="Requests"
          inputMode="numeric"
          placeholder={editing ? 'No limit' : 'Default'}
          {...field('limit', 'rate_limit_requests', 'rateLimit')}
        />
        <TextField
          label="In seconds"
          inputMode="numeric"
          placeholder="60"
          {...field('windowSeconds', 'rate_limit_window_seconds')}
        />
        <TextField
          label="Monthly quota"
          inputMode="numeric"
          placeholder="None"
          {...field('quota', 'monthly_quota', 'monthlyQuota')}
        />
      </FieldRow>
      <FieldRow>
        <TextField
          label="Price per request"
          inputMode="decimal"
          placeholder="As the tenant"
          {...field('price', 'price_per_request', 'pricePerRequest')}
        />
        <TextField label="Expires" type="datetime-local" {...field('expiresAt', 'expires_at', 'expiresAt')} />
      </FieldRow>
      <FieldRow>
        <TextField
          label="Routes"
          placeholder="/v1/users, /v1/orders"
          hint="Path prefixes, with commas between."
          {...field('routes', 'allowed_routes', 'allowedRoutes')}
        />
        <TextField
          label="Methods"
          placeholder="GET, POST"
          {...field('methods', 'allowed_methods', 'allowedMethods')}
        />
        <TextField
          label="Client addresses"
          placeholder="10.0.0.0/8"
          {...field('ips', 'allowed_ips', 'allowedIps')}
        />
      </FieldRow>
      <TextArea
        label="Labels"
        rows={2}
        placeholder="team=payments"
        hint="One name=value a line."
        {...field('labels')}
      />
    </FormDialog>
  );
}
