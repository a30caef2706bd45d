import { useMutation } from '@tanstack/react-query';
import type { Tenant } from '../api/types';
import { fieldError } from '../api/problem';
import { isWhole, useTenant, useTenantOperations } from '../tenants/queries';
import { Button } from '../ui/button';
import { FieldRow, TextArea, TextField } from '../ui/field';
import { ErrorNotice, ErrorState, LoadingRows, Notice } from '../ui/states';
import { Card } from '../ui/surface';
import { tell } from '../ui/toast';
import { listOf, numberOf, useForm } from '../ui/use-form';
import styles from '../billing/billing.module.css';

/** From where a tenant's clients may come, and how often from one address. */
export function AddressesTab({ tenantId }: { tenantId: string }) {
  const { data: tenant, error, refetch } = useTenant(tenantId);
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!tenant) return <LoadingRows />;
  if (!isWhole(tenant)) return <Notice tone="bad">The stored document of this tenant is broken.</Notice>;
  return (
    <AddressesForm key={JSON.stringify([tenant.ipAllow, tenant.ipDeny, tenant.rateLimitPerIp])} of={tenant} />
  );
}

function AddressesForm({ of: tenant }: { of: Tenant }) {
  const { change } = useTenantOperations();
  const { values, set } = useForm({
    allow: (tenant.ipAllow ?? []).join('\n'),
    deny: (tenant.ipDeny ?? []).join('\n'),
    limit: tenant.rateLimitPerIp ? String(tenant.rateLimitPerIp.maxRequests) : '',
    windowSeconds: tenant.rateLimitPerIp ? String(tenant.rateLimitPerIp.windowSeconds) : '',
  });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => {
      const maxRequests = numberOf(values.limit);
      const windowSeconds = numberOf(values.windowSeconds) ?? 60;
      return change(tenant.id, {
        ipAllow: orNull(listOf(values.allow)),
        ipDeny: orNull(listOf(values.deny)),
        rateLimitPerIp: maxRequests === undefined ? null : { maxRequests, windowSeconds },
      } as never);
    },
    onSuccess: () => tell('IP lists changed', 'Every replica follows within moments.'),
  });
  return (
    <Card title="Addresses of clients">
      <form
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          mutate();
        }}
      >
        <FieldRow>
          <TextArea
            label="Allowed"
            rows={6}
            placeholder={'203.0.113.7\n10.0.0.0/8'}
            hint="One address or range a line. Empty: from anywhere."
            value={values.allow}
            onChange={set('allow')}
            error={fieldError(error, 'ipAllow')}
          />
          <TextArea
            label="Denied"
            rows={6}
            hint="Refused, whatever is allowed."
            value={values.deny}
            onChange={set('deny')}
            error={fieldError(error, 'ipDeny')}
          />
        </FieldRow>
        <FieldRow>
          <TextField
            label="Requests per address"
            inputMode="numeric"
            placeholder="No limit"
            value={values.limit}
            onChange={set('limit')}
            error={fieldError(error, 'rateLimitPerIp')}
          />
          <TextField
            label="In seconds"
            inputMode="numeric"
            placeholder="60"
            value={values.windowSeconds}
            onChange={set('windowSeconds')}
          />
        </FieldRow>
        {error ? <ErrorNotice error={error} /> : null}
        <div>
          <Button type="submit" variant="primary" busy={isPending}>
            Save lists
          </Button>
        </div>
      </form>
    </Card>
  );
}

const orNull = (list: string[]): string[] | null => (list.length > 0 ? list : null);
