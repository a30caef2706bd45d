import { KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useScope } from '../session/scope';
import { TenantGate } from '../session/tenant-gate';
import { Button } from '../ui/button';
import { SearchField, FilterSelect } from '../ui/field';
import { inAll } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { EmptyState } from '../ui/states';
import { Page, Toolbar } from '../ui/surface';
import { useDebounced } from '../ui/use-debounced';
import { KeyActions, type KeyAction } from './key-actions';
import { keyColumns } from './key-columns';
import { useKeys, useServiceNames } from './queries';

/** Everything a key can do, from its making to its end. */
export function KeysPage() {
  const [action, setAction] = useState<KeyAction>();
  const create = (
    <Button
      variant="primary"
      needs="PortalKeys.create"
      icon={<Plus size={15} aria-hidden />}
      onClick={() => setAction({ kind: 'create' })}
    >
      Create key
    </Button>
  );
  return (
    <Page title="API keys" lead="Who may call, how often, and at what price" actions={create}>
      <TenantGate>
        {() => (
          <>
            <KeyList act={setAction} create={create} />
            {action && <KeyActions action={action} act={setAction} />}
          </>
        )}
      </TenantGate>
    </Page>
  );
}

function KeyList({ act, create }: { act: (action: KeyAction) => void; create: React.ReactNode }) {
  const { tenantId } = useScope();
  const [params, setParams] = useSearchParams();
  const [typed, setTyped] = useState('');
  const search = useDebounced(typed.trim());
  const serviceId = params.get('service') ?? '';
  const names = useServiceNames();
  const list = useKeys({ search, serviceId });
  const total = list.first?.total;
  const choose = (id: string) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      if (id) after.set('service', id);
      else after.delete('service');
      return after;
    });
  return (
    <>
      <Toolbar>
        <SearchField label="Search by name, prefix, label or id" value={typed} onChange={setTyped} />
        <FilterSelect
          label="Service"
          value={serviceId}
          onChange={choose}
          options={[['', 'All services'], ...[...names].map(([id, name]) => [id, name] as const)]}
        />
      </Toolbar>
      <ListCard
        key={tenantId}
        label="API keys"
        list={list}
        rowKey={({ id }) => id}
        columns={keyColumns({ names, act })}
        foot={inAll(total, 'key')}
        empty={
          search || serviceId ? (
            <EmptyState icon={<KeyRound size={18} aria-hidden />} title="No key fits">
              Nothing begins with what you have typed.
            </EmptyState>
          ) : (
            <EmptyState icon={<KeyRound size={18} aria-hidden />} title="No keys yet" action={create}>
              A key lets a client in. It can open one service or all of them, with a limit, a price and a
              quota.
            </EmptyState>
          )
        }
      />
    </>
  );
}
