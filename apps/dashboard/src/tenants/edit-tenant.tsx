import { useMutation } from '@tanstack/react-query';
import { fieldError } from '../api/problem';
import type { AnyTenant, Tenant, TenantInput, TenantPatch } from '../api/types';
import { FormDialog } from '../ui/dialog';
import { DocumentDialog } from '../ui/document-dialog';
import { FieldRow, SelectField, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { numberOf, useForm } from '../ui/use-form';
import { isWhole, useTenantOperations } from './queries';
import { RateLimitFields, rateLimitOf, type RateLimitValues } from './rate-limit-fields';

/** What is changed most; the rest is in the document. */
export function EditTenant({ tenant, onClose }: { tenant: Tenant; onClose: () => void }) {
  const { change } = useTenantOperations();
  const { values, set } = useForm({
    name: tenant.name,
    upstream: tenant.upstreamBaseUrl,
    limit: tenant.rateLimit ? String(tenant.rateLimit.maxRequests) : '',
    windowSeconds: tenant.rateLimit ? String(tenant.rateLimit.windowSeconds) : '',
    jwt: tenant.auth?.jwt === undefined ? '' : String(tenant.auth.jwt),
    maxBodyBytes: tenant.maxBodyBytes === undefined ? '' : String(tenant.maxBodyBytes),
    maxConcurrency: tenant.maxConcurrency === undefined ? '' : String(tenant.maxConcurrency),
  });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => change(tenant.id, patchOf(values)),
    onSuccess: () => {
      tell('Tenant changed');
      onClose();
    },
  });
  return (
    <FormDialog
      title={`Edit ${tenant.id}`}
      submit="Save"
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
      <TextField
        label="Upstream"
        required
        value={values.upstream}
        onChange={set('upstream')}
        error={fieldError(error, 'upstreamBaseUrl')}
      />
      <RateLimitFields values={values} set={set} error={error} />
      <SelectField
        label="Bearer tokens"
        value={values.jwt}
        onChange={set('jwt')}
        options={[
          ['', 'Asked for if there is an identity provider'],
          ['true', 'Asked for unless a route says otherwise'],
          ['false', 'Not asked for unless a route says otherwise'],
        ]}
      />
      <FieldRow>
        <TextField
          label="Largest body, bytes"
          inputMode="numeric"
          value={values.maxBodyBytes}
          onChange={set('maxBodyBytes')}
          error={fieldError(error, 'maxBodyBytes')}
        />
        <TextField
          label="Requests at once"
          inputMode="numeric"
          value={values.maxConcurrency}
          onChange={set('maxConcurrency')}
          error={fieldError(error, 'maxConcurrency')}
        />
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
