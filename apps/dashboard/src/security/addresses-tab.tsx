import type { Tenant } from '../api/types';
import { isWhole, useTenant, useTenantOperations } from '../tenants/queries';
import { limitValuesOf, RateLimitFields, rateLimitOf } from '../tenants/rate-limit-fields';
import { CardForm } from '../ui/card-form';
import { FieldRow, TextArea } from '../ui/field';
import { ErrorState, LoadingRows, Notice } from '../ui/states';
import { Card } from '../ui/surface';
import { tell } from '../ui/toast';
import { listOf, orNull, useForm } from '../ui/use-form';

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
  const { field, form } = useForm({
    initial: {
      allow: (tenant.ipAllow ?? []).join('\n'),
      deny: (tenant.ipDeny ?? []).join('\n'),
      ...limitValuesOf(tenant.rateLimitPerIp),
    },
    send: ({ allow, deny, ...limit }) =>
      change(tenant.id, {
        ipAllow: orNull(listOf(allow)),
        ipDeny: orNull(listOf(deny)),
        rateLimitPerIp: rateLimitOf(limit) ?? null,
      } as never),
    onDone: () => tell('IP lists changed', 'Every replica follows within moments.'),
  });
  return (
    <Card title="Addresses of clients">
      <CardForm {...form} submit="Save lists" needs="Tenants.change">
        <FieldRow>
          <TextArea
            label="Allowed"
            rows={6}
            placeholder={'203.0.113.7\n10.0.0.0/8'}
            hint="One address or range a line. Empty: from anywhere."
            {...field('allow', 'ipAllow')}
          />
          <TextArea
            label="Denied"
            rows={6}
            hint="Refused, whatever is allowed."
            {...field('deny', 'ipDeny')}
          />
        </FieldRow>
        <RateLimitFields
          field={field}
          names={['rateLimitPerIp']}
          label="Requests per address"
          placeholder="No limit"
        />
      </CardForm>
    </Card>
  );
}
