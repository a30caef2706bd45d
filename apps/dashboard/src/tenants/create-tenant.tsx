import { useMutation } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import { fieldError } from '../api/problem';
import { FormDialog } from '../ui/dialog';
import { FieldRow, TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { listOf, numberOf, useForm } from '../ui/use-form';
import { useTenantOperations } from './queries';

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
      const maxRequests = numberOf(values.limit);
      return create({
        id: values.id,
        name: values.name || values.id,
        upstreamBaseUrl: values.upstream,
        allowedRoutes: listOf(values.routes).map((path) => ({ path })),
        ...(maxRequests !== undefined && {
          rateLimit: { maxRequests, windowSeconds: numberOf(values.windowSeconds) ?? 60 },
        }),
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
      <FieldRow>
        <TextField
          label="Requests"
          inputMode="numeric"
          placeholder="100"
          value={values.limit}
          onChange={set('limit')}
          error={fieldError(error, 'rateLimit')}
        />
        <TextField
          label="In seconds"
          inputMode="numeric"
          placeholder="60"
          value={values.windowSeconds}
          onChange={set('windowSeconds')}
        />
      </FieldRow>
    </FormDialog>
  );
}
