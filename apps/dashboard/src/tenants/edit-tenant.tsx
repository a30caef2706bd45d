import { useMutation } from '@tanstack/react-query';
import type { AnyTenant, Tenant, TenantInput, TenantPatch } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { DocumentDialog } from '../ui/document-dialog';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { numberOf, textOf, useForm } from '../ui/use-form';
import { isWhole, useTenantOperations } from './queries';
import { limitValuesOf, RateLimitFields, rateLimitOf, type RateLimitValues } from './rate-limit-fields';

/** What is changed most; the rest is in the document. */
export function EditTenant({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const { change } = useTenantOperations();
  const { field, form } = useForm({
    initial: {
      name: tenant.name,
      upstream: tenant.upstreamBaseUrl,
      ...limitValuesOf(tenant.rateLimit),
      jwt: textOf(tenant.auth?.jwt),
      maxBodyBytes: textOf(tenant.maxBodyBytes),
      maxConcurrency: textOf(tenant.maxConcurrency),
    },
    send: (values) => change(tenant.id, patchOf(values)),
    onDone: () => {
      tell('Tenant changed');
      onClose();
    },
  });
  return (
    <FormDialog {...form} title={`Edit ${tenant.id}`} submit="Save" onClose={onClose}>
      <TextField label="Name" required autoFocus {...field('name')} />
      <TextField label="Upstream" required {...field('upstream', 'upstreamBaseUrl')} />
      <RateLimitFields field={field} />
      <SelectField
        label="Bearer tokens"
        {...field('jwt')}
        options={[
          ['', 'Asked for if there is an identity provider'],
          ['true', 'Asked for unless a route says otherwise'],
          ['false', 'Not asked for unless a route says otherwise'],
        ]}
      />
      <FieldRow>
        <TextField label="Largest body, bytes" inputMode="numeric" {...field('maxBodyBytes')} />
        <TextField label="Requests at once" inputMode="numeric" {...field('maxConcurrency')} />
      </FieldRow>
    </FormDialog>
  );
}

interface TenantValues extends RateLimitValues {
  name: string;
  upstream: string;
  jwt: string;
  maxBodyBytes: string;
  maxConcurrency: string;
}

/** null takes a field away. */
function patchOf(values: TenantValues): TenantPatch {
  return {
    name: values.name,
    upstreamBaseUrl: values.upstream,
    rateLimit: rateLimitOf(values) ?? null,
    auth: values.jwt === '' ? null : { jwt: values.jwt === 'true' },
    maxBodyBytes: numberOf(values.maxBodyBytes) ?? null,
    maxConcurrency: numberOf(values.maxConcurrency) ?? null,
  } as unknown as TenantPatch;
}

/** Everything, also where the stored document is broken. */
export function TenantDocument({ tenant, onClose }: { tenant: AnyTenant; onClose: () => void }) {
  const { replace } = useTenantOperations();
  const { mutate, isPending, error } = useMutation({
    mutationFn: (document: unknown) => replace(tenant.id, document as TenantInput),
    onSuccess: () => {
      tell('Tenant changed');
      onClose();
    },
  });
  const empty = {
    id: tenant.id,
    name: tenant.id,
    upstreamBaseUrl: 'https://',
    allowedRoutes: [{ path: '/' }],
  };
  return (
    <DocumentDialog
      title={`Document of ${tenant.id}`}
      value={isWhole(tenant) ? tenant : empty}
      busy={isPending}
      error={error}
      onSave={mutate}
      onClose={onClose}
    />
  );
}
