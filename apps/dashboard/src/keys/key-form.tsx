import { useMutation } from '@tanstack/react-query';
import type { ApiKey } from '../api/types';
import { fieldError } from '../api/problem';
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
  const { values, set } = useForm(editing ? valuesOf(editing) : { ...EMPTY_KEY, serviceId });
  const { create, change } = useKeyOperations();
  const names = useServiceNames();
  const { mutate, isPending, error } = useMutation<{ api_key?: string } | undefined>({
    mutationFn: async () => {
      if (!editing) return create(keyBody(values));
      await change(editing, keyPatch(values, editing));
      return undefined;
    },
    onSuccess: (made) => {
      if (made?.api_key && !editing) return onMade?.(made.api_key);
      tell('Key changed');
      onClose();
    },
  });
  return (
    <FormDialog
      title={editing ? `Edit ${editing.name}` : 'Create an API key'}
      wide
      submit={editing ? 'Save' : 'Create key'}
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <TextField
        label="Name"
        required
        autoFocus
        value={values.name}
        onChange={set('name')}
        error={fieldError(error, 'name')}
      />
      {!editing && (
        <FieldRow>
          <SelectField
            label="Opens"
            value={values.serviceId}
            onChange={set('serviceId')}
            options={[['', 'All services'], ...[...names].map(([id, name]) => [id, name] as const)]}
          />
          <SelectField
            label="Mode"
            value={values.mode}
            onChange={(mode) => set('mode')(mode as 'live' | 'test')}
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
          value={values.limit}
          onChange={set('limit')}
          error={fieldError(error, 'rate_limit_requests', 'rateLimit')}
        />
        <TextField
          label="In seconds"
          inputMode="numeric"
          placeholder="60"
          value={values.windowSeconds}
          onChange={set('windowSeconds')}
          error={fieldError(error, 'rate_limit_window_seconds')}
        />
        <TextField
          label="Monthly quota"
          inputMode="numeric"
          placeholder="None"
          value={values.quota}
          onChange={set('quota')}
          error={fieldError(error, 'monthly_quota', 'monthlyQuota')}
        />
      </FieldRow>
      <FieldRow>
        <TextField
          label="Price per request"
          inputMode="decimal"
          placeholder="As the tenant"
          value={values.price}
          onChange={set('price')}
          error={fieldError(error, 'price_per_request', 'pricePerRequest')}
        />
        <TextField
          label="Expires"
          type="datetime-local"
          value={values.expiresAt}
          onChange={set('expiresAt')}
          error={fieldError(error, 'expires_at', 'expiresAt')}
        />
      </FieldRow>
      <FieldRow>
        <TextField
          label="Routes"
          placeholder="/v1/users, /v1/orders"
          hint="Path prefixes, with commas between."
          value={values.routes}
          onChange={set('routes')}
          error={fieldError(error, 'allowed_routes', 'allowedRoutes')}
        />
        <TextField
          label="Methods"
          placeholder="GET, POST"
          value={values.methods}
          onChange={set('methods')}
          error={fieldError(error, 'allowed_methods', 'allowedMethods')}
        />
        <TextField
          label="Client addresses"
          placeholder="10.0.0.0/8"
          value={values.ips}
          onChange={set('ips')}
          error={fieldError(error, 'allowed_ips', 'allowedIps')}
        />
      </FieldRow>
      <TextArea
        label="Labels"
        rows={2}
        placeholder="team=payments"
        hint="One name=value a line."
        value={values.labels}
        onChange={set('labels')}
        error={fieldError(error, 'labels')}
      />
    </FormDialog>
  );
}
