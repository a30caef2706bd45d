import { Fingerprint, Pencil, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import type { IdentityProvider, Tenant } from '../api/types';
import { isWhole, useTenant, useTenantOperations } from '../tenants/queries';
import { Button } from '../ui/button';
import { ConfirmDialog, FormDialog } from '../ui/dialog';
import { TextField } from '../ui/field';
import { RowMenu } from '../ui/menu';
import { EmptyState, ErrorState, LoadingRows, Notice } from '../ui/states';
import { Card } from '../ui/surface';
import { ACTIONS, DataTable } from '../ui/table';
import { tell } from '../ui/toast';
import { listOf, textOf, useForm } from '../ui/use-form';

/** Whose tokens count for a tenant. */
export function ProvidersTab({ tenantId }: { tenantId: string }) {
  const { data: tenant, error, refetch } = useTenant(tenantId);
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  if (!tenant) return <LoadingRows />;
  if (!isWhole(tenant)) return <Notice tone="bad">The stored document of this tenant is broken.</Notice>;
  return <Providers tenant={tenant} />;
}

/** The one and the many are the same list to people. */
const providersOf = ({ idp, idps = [] }: Tenant): IdentityProvider[] => [...(idp ? [idp] : []), ...idps];

function Providers({ tenant }: { tenant: Tenant }) {
  const providers = providersOf(tenant);
  const [editing, setEditing] = useState<number | 'new'>();
  const [removing, setRemoving] = useState<number>();
  const save = useSaveProviders(tenant);
  const add = (
    <Button
      small
      needs="Tenants.change"
      icon={<Plus size={14} aria-hidden />}
      onClick={() => setEditing('new')}
    >
      Add provider
    </Button>
  );
  return (
    <Card title="Identity providers" actions={add} bare>
      {providers.length === 0 ? (
        <EmptyState icon={<Fingerprint size={18} aria-hidden />} title="No identity provider">
          Routes that ask for a token accept those that the gateway itself has signed.
        </EmptyState>
      ) : (
        <DataTable
          label="Identity providers"
          rows={providers.map((provider, index) => ({ provider, index }))}
          rowKey={({ index }) => String(index)}
          columns={[
            {
              id: 'issuer',
              header: 'Issuer',
              width: 'minmax(0, 1.8fr)',
              cell: ({ provider }) => <span className="mono break">{provider.issuer}</span>,
            },
            {
              id: 'audience',
              header: 'Audience',
              cell: ({ provider }) => <span className="break">{audienceOf(provider) || 'Any'}</span>,
            },
            {
              id: 'keys',
              header: 'Keys',
              width: 'minmax(0, 1.6fr)',
              cell: ({ provider }) => <span className="soft break">{keysOf(provider)}</span>,
            },
            {
              ...ACTIONS,
              cell: ({ provider, index }) => (
                <RowMenu
                  label={`Actions for ${provider.issuer}`}
                  items={[
                    {
                      text: 'Edit',
                      icon: <Pencil size={15} />,
                      needs: 'Tenants.change',
                      onSelect: () => setEditing(index),
                    },
                    {
                      text: 'Remove',
                      icon: <Trash2 size={15} />,
                      needs: 'Tenants.change',
                      danger: true,
                      onSelect: () => setRemoving(index),
                    },
                  ]}
                />
              ),
            },
          ]}
        />
      )}
      {editing !== undefined && (
        <ProviderForm
          tenant={tenant}
          index={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      {removing !== undefined && (
        <ConfirmDialog
          title="Remove this identity provider?"
          confirm="Remove"
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            await save(providers.filter((_provider, index) => index !== removing));
            tell('Identity provider removed');
          }}
        >
          Tokens of {providers[removing]?.issuer} are refused from now on.
        </ConfirmDialog>
      )}
    </Card>
  );
}

const audienceOf = ({ audience }: IdentityProvider): string =>
  Array.isArray(audience) ? audience.join(', ') : (audience ?? '');

function keysOf({ jwksUri, secrets, introspection }: IdentityProvider): string {
  if (jwksUri) return jwksUri;
  if (secrets) return `${secrets.length} shared secret${secrets.length === 1 ? '' : 's'}`;
  if (introspection) return `Asked about at ${introspection.endpoint}`;
  return 'Found by discovery';
}

function useSaveProviders({ id }: Tenant) {
  const { change } = useTenantOperations();
  return (providers: IdentityProvider[]) =>
    change(id, { idp: null, idps: providers.length > 0 ? providers : null } as never);
}

function ProviderForm({
  tenant,
  index,
  onClose,
}: {
  tenant: Tenant;
  index: number | undefined;
  onClose: () => void;
}) {
  const providers = providersOf(tenant);
  const before = index === undefined ? undefined : providers[index];
  const save = useSaveProviders(tenant);
  const { field, form } = useForm({
    initial: {
      issuer: textOf(before?.issuer),
      audience: before ? audienceOf(before) : '',
      jwksUri: textOf(before?.jwksUri),
      algorithms: (before?.algorithms ?? []).join(', '),
    },
    send: (values) => {
      const next = providerOf(values, before);
      return save(
        index === undefined ? [...providers, next] : providers.map((one, at) => (at === index ? next : one)),
      );
    },
    onDone: () => {
      tell(before ? 'Identity provider changed' : 'Identity provider added');
      onClose();
    },
  });
  const at = (name: string) => [name, `idps.${index ?? providers.length}.${name}`, `idp.${name}`];
  return (
    <FormDialog
      {...form}
      title={before ? 'Edit the identity provider' : 'Add an identity provider'}
      submit={before ? 'Save' : 'Add provider'}
      onClose={onClose}
    >
      <TextField
        label="Issuer"
        required
        autoFocus
        placeholder="https://auth.example.com"
        hint="As tokens say it in “iss”."
        {...field('issuer', ...at('issuer'))}
      />
      <TextField
        label="Audience"
        placeholder="api.example.com"
        hint="One of these must be in “aud”."
        {...field('audience', ...at('audience'))}
      />
      <TextField
        label="Address of its keys (JWKS)"
        placeholder="Found by discovery"
        {...field('jwksUri', ...at('jwksUri'))}
      />
      <TextField
        label="Algorithms"
        placeholder="All asymmetric ones"
        {...field('algorithms', ...at('algorithms'))}
      />
    </FormDialog>
  );
}

interface ProviderValues {
  issuer: string;
  audience: string;
  jwksUri: string;
  algorithms: string;
}

/** Secrets, claims and the rest that the form does not show stay. */
function providerOf(values: ProviderValues, before: IdentityProvider | undefined): IdentityProvider {
  const { audience: _audience, jwksUri: _uri, algorithms: _algorithms, ...rest } = before ?? { issuer: '' };
  const audience = listOf(values.audience);
  const algorithms = listOf(values.algorithms);
  return {
    ...rest,
    issuer: values.issuer,
    ...(audience.length > 0 && { audience: audience.length === 1 ? audience[0]! : audience }),
    ...(values.jwksUri && { jwksUri: values.jwksUri }),
    ...(algorithms.length > 0 && { algorithms: algorithms as never }),
  };
}
