import { useNavigate } from 'react-router';
import { FormDialog } from '../ui/dialog';
import { FieldRow, TextArea, TextField } from '../ui/field';
import { tell } from '../ui/toast';
import { listOf, useForm } from '../ui/use-form';
import { useTenantOperations } from './queries';
import { limitValuesOf, RateLimitFields, rateLimitOf } from './rate-limit-fields';

export function CreateTenant({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate();
  const { create } = useTenantOperations();
  const { field, form } = useForm({
    initial: { id: '', name: '', upstream: '', routes: '/', ...limitValuesOf(undefined) },
    send: ({ id, name, upstream, routes, ...limit }) => {
      const rateLimit = rateLimitOf(limit);
      return create({
        id,
        name: name || id,
        upstreamBaseUrl: upstream,
        allowedRoutes: listOf(routes).map((path) => ({ path })),
        ...(rateLimit && { rateLimit }),
      });
    },
    onDone: ({ id }) => {
      tell('Tenant created');
      onClose();
      void navigate(`/tenants/${encodeURIComponent(id)}?tenant=${encodeURIComponent(id)}`);
    },
  });
  return (
    <FormDialog {...form} title="Create a tenant" submit="Create tenant" onClose={onClose}>
      <FieldRow>
        <TextField label="Id" required autoFocus placeholder="acme" {...field('id')} />
        <TextField label="Name" placeholder="ACME Ltd" {...field('name')} />
      </FieldRow>
      <TextField
        label="Upstream"
        required
        placeholder="https://api.acme.com"
        hint="Where requests below /api go."
        {...field('upstream', 'upstreamBaseUrl')}
      />
      <TextArea
        label="Routes"
        rows={3}
        hint="Paths that may be called, one a line, each with everything below it."
        {...field('routes', 'allowedRoutes')}
      />
      <RateLimitFields field={field} />
    </FormDialog>
  );
}
