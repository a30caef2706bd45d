import { Combobox } from '@base-ui/react/combobox';
import { useQuery } from '@tanstack/react-query';
import { ChevronsUpDown, Search } from 'lucide-react';
import { useState } from 'react';
import { useNavigate, useLocation, useSearchParams } from 'react-router';
import { api, data } from '../api/client';
import styles from '../ui/menu.module.css';
import { useDebounced } from '../ui/use-debounced';

/** An administrator's choice of whose services, keys and figures the pages show. Searched for on the gateway. */
export function TenantPicker() {
  const [params] = useSearchParams();
  const chosen = params.get('tenant');
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [typed, setTyped] = useState('');
  const search = useDebounced(typed.trim());
  const { data: found, isPending } = useQuery({
    queryKey: ['tenants', 'picker', search],
    queryFn: () =>
      data(api.GET('/admin/tenants', { params: { query: { limit: 50, ...(search && { search }) } } })),
  });
  const ids = (found?.tenants ?? []).map(({ id }) => id);
  return (
    <Combobox.Root
      items={ids}
      filter={null}
      value={chosen}
      onValueChange={(id: string | null) =>
        id && void navigate(`${pathname}?tenant=${encodeURIComponent(id)}`)
      }
      onInputValueChange={setTyped}
    >
      <Combobox.Trigger className={styles.trigger} aria-label={`Tenant: ${chosen ?? 'none chosen'}`}>
        <span className="truncate">{chosen ?? 'Choose a tenant'}</span>
        <ChevronsUpDown size={14} aria-hidden />
      </Combobox.Trigger>
      <Combobox.Portal>
        <Combobox.Positioner className={styles.positioner} sideOffset={4} align="start">
          <Combobox.Popup className={styles.popup} aria-label="Tenants">
            <div className={styles.searchIn}>
              <Search size={14} aria-hidden />
              <Combobox.Input
                className={styles.input}
                placeholder="Search tenants"
                aria-label="Search tenants"
              />
            </div>
            <Combobox.Empty className={styles.empty}>
              {isPending ? 'Loading' : 'No such tenant'}
            </Combobox.Empty>
            <Combobox.List>
              {(id: string) => (
                <Combobox.Item key={id} value={id} className={styles.item}>
                  {id}
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}
