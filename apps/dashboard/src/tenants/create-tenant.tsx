import { useMutation } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { fieldError } from '../api/problem';
import { FormDialog } from '../ui/dialog';
import { FieldRow, TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { listOf, useForm } from '../ui/use-form';
import { useTenantOperations } from './queries';
import { RateLimitFields, rateLimitOf } from './rate-limit-fields';

export function CreateTenant({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const { create } = useTenantOperations();
  const { values, set } = useForm({
    id: '',
    name: '',
    upstream: '',
    routes: '/',
    limit: '',
    windowSeconds: '',
  });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => {
      const rateLimit = rateLimitOf(values);
      return create({
        id: values.id,
        name: values.name || values.id,
        upstreamBaseUrl: values.upstream,
        allowedRoutes: listOf(values.routes).map((path) => ({ path })),
        ...(rateLimit && { rateLimit }),
      });
    },
    onSuccess: ({ id }) => {
      tell('Tenant created');
      onClose();
      void navigate(`/tenants/${encodeURIComponent(id)}?tenant=${encodeURIComponent(id)}`);
    },
  });
  return (
    <FormDialog
      title="Create a tenant"
      submit="Create tenant"
      busy={isPending}
      error={error}
      onSubmit={() => mutate()}
      onClose={onClose}
    >
      <FieldRow>
        <TextField
          label="Id"
          required
          autoFocus
          placeholder="acme"
          value={values.id}
          onChange={set('id')}
          error={fieldError(error, 'id')}
        />
        <TextField
          label="Name"
          placeholder="ACME Ltd"
          value={values.name}
          onChange={set('name')}
          error={fieldError(error, 'name')}
        />
      </FieldRow>
      <TextField
        label="Upstream"
        required
        placeholder="https://api.acme.com"
        hint="Where requests below /api go."
        value={values.upstream}
        onChange={set('upstream')}
        error={fieldError(error, 'upstreamBaseUrl')}
      />
      <TextArea
        label="Routes"
        rows={3}
        hint="Paths that may be called, one a line, each with everything below it."
        value={values.routes}
        onChange={set('routes')}
        error={fieldError(error, 'allowedRoutes')}
      />
      <RateLimitFields values={values} set={set} error={error} />
    </FormDialog>
  );
}
