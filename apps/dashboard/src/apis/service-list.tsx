import { Pencil, SquareTerminal, Trash2, Waypoints } from 'lucide-react';
import { useState, type ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Service } from '../api/types';
import { useGatewayUrl, useLinkTo } from '../session/scope';
import { Copyable } from '../ui/copy';
import { SearchField } from '../ui/field';
import { inAll } from '../ui/format';
import { ListCard } from '../ui/list-card';
import { RowMenu } from '../ui/menu';
import { EmptyState } from '../ui/states';
import { Toolbar } from '../ui/surface';
import { ACTIONS } from '../ui/table';
import { Ago } from '../ui/time';
import { useDebounced } from '../ui/use-debounced';
import { RemoveService } from './remove-service';
import { useServices } from './queries';
import { ServiceForm } from './service-form';

export function ServiceList({ register }: { register: ReactNode }) {
  const linkTo = useLinkTo();
  const navigate = useNavigate();
  const gatewayUrl = useGatewayUrl();
  const [typed, setTyped] = useState('');
  const list = useServices(useDebounced(typed.trim()));
  const [editing, setEditing] = useState<Service>();
  const [removing, setRemoving] = useState<Service>();
  const pageOf = ({ id }: Service) => linkTo(`/apis/${encodeURIComponent(id)}`);
  const total = list.first?.total;
  return (
    <>
      <Toolbar>
        <SearchField label="Search by name or id" value={typed} onChange={setTyped} />
      </Toolbar>
      <ListCard
        label="Services"
        list={list}
        rowKey={({ id }) => String(id)}
        foot={inAll(total, 'service')}
        empty={
          typed ? (
            <EmptyState icon={<Waypoints size={18} aria-hidden />} title="No service fits" />
          ) : (
            <EmptyState icon={<Waypoints size={18} aria-hidden />} title="No services yet" action={register}>
              Register the address of an API. It gets an address at the gateway and a key that opens it.
            </EmptyState>
          )
        }
        columns={[
          {
            id: 'name',
            header: 'Name',
            width: 'minmax(0, 1.4fr)',
            cell: (service) => <Link to={pageOf(service)}>{service.name}</Link>,
          },
          {
            id: 'gateway',
            header: 'Gateway URL',
            width: 'minmax(0, 1.9fr)',
            cell: ({ gateway_url }) => (
              <Copyable text={`${gatewayUrl}${gateway_url}`} label="Copy gateway URL" />
            ),
          },
          {
            id: 'targets',
            header: 'Leads to',
            width: 'minmax(0, 1.7fr)',
            cell: ({ target_url, targets }) => (
              <span className="mono soft break">
                {target_url}
                {targets.length > 1 && ` and ${targets.length - 1} more`}
              </span>
            ),
          },
          {
            id: 'created',
            header: 'Created',
            width: '110px',
            align: 'end',
            cell: ({ created_at }) => <Ago at={created_at} />,
          },
          {
            ...ACTIONS,
            cell: (service) => (
              <RowMenu
                label={`Actions for ${service.name}`}
                items={[
                  {
                    text: 'Test',
                    icon: <SquareTerminal size={15} />,
                    needs: 'ServiceTest.testMine',
                    onSelect: () => void navigate(pageOf(service)),
                  },
                  {
                    text: 'Edit',
                    icon: <Pencil size={15} />,
                    needs: 'PortalServices.change',
                    onSelect: () => setEditing(service),
                  },
                  {
                    text: 'Delete',
                    icon: <Trash2 size={15} />,
                    needs: 'PortalServices.remove',
                    danger: true,
                    onSelect: () => setRemoving(service),
                  },
                ]}
              />
            ),
          },
        ]}
      />
      {editing && <ServiceForm editing={editing} onClose={() => setEditing(undefined)} />}
      {removing && <RemoveService of={removing} onClose={() => setRemoving(undefined)} />}
    </>
  );
}
