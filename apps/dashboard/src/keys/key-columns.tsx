import { Ban, CirclePause, CirclePlay, Pencil, RefreshCw } from 'lucide-react';
import type { ApiKey } from '../api/types';
import { ago, decimal, whole } from '../ui/format';
import { RowMenu } from '../ui/menu';
import { Badge, type Tone } from '../ui/surface';
import { ACTIONS, RowButton, type Column } from '../ui/table';
import { Ago } from '../ui/time';
import type { KeyAction } from './key-actions';

interface Surroundings {
  names: ReadonlyMap<string, string>;
  act: (action: KeyAction) => void;
}

export function keyColumns({ names, act }: Surroundings): ReadonlyArray<Column<ApiKey>> {
  return [
    {
      id: 'name',
      header: 'Name',
      width: 'minmax(0, 1.9fr)',
      cell: (key) => (
        <div>
          <RowButton onClick={() => act({ kind: 'show', key })}>{key.name}</RowButton>
          <div className="mono faint">{key.prefix}…</div>
        </div>
      ),
    },
    {
      id: 'service',
      header: 'Opens',
      width: 'minmax(0, 1.2fr)',
      cell: ({ service_id }) =>
        service_id === null ? (
          <span className="soft">All services</span>
        ) : (
          <span>{names.get(String(service_id)) ?? `Service ${service_id}`}</span>
        ),
    },
    { id: 'state', header: 'State', width: '128px', cell: (key) => <KeyState of={key} /> },
    { id: 'limit', header: 'Limit', align: 'end', width: 'minmax(110px, 1fr)', cell: limitText },
    {
      id: 'quota',
      header: 'Monthly quota',
      align: 'end',
      cell: ({ monthly_quota }) =>
        monthly_quota ? whole(monthly_quota) : <span className="faint">None</span>,
    },
    {
      id: 'price',
      header: 'Price',
      align: 'end',
      width: 'minmax(0, 0.8fr)',
      cell: ({ price_per_request }) => decimal(price_per_request),
    },
    {
      id: 'created',
      header: 'Created',
      align: 'end',
      width: '116px',
      cell: ({ created_at }) => <Ago at={created_at} />,
    },
    { ...ACTIONS, cell: (key) => <KeyMenu of={key} act={act} /> },
  ];
}

function KeyMenu({ of: key, act }: { of: ApiKey; act: (action: KeyAction) => void }) {
  const ended = key.replaced_by !== null || hasExpired(key);
  return (
    <RowMenu
      label={`Actions for ${key.name}`}
      items={[
        {
          text: 'Edit',
          icon: <Pencil size={15} />,
          needs: 'PortalKeys.change',
          onSelect: () => act({ kind: 'edit', key }),
        },
        {
          text: 'Rotate',
          needs: 'PortalKeys.rotate',
          icon: <RefreshCw size={15} />,
          disabled: ended,
          onSelect: () => act({ kind: 'rotate', key }),
        },
        {
          text: key.enabled ? 'Disable' : 'Enable',
          icon: key.enabled ? <CirclePause size={15} /> : <CirclePlay size={15} />,
          needs: 'PortalKeys.change',
          onSelect: () => act({ kind: 'toggle', key }),
        },
        {
          text: 'Revoke',
          icon: <Ban size={15} />,
          needs: 'PortalKeys.revoke',
          danger: true,
          onSelect: () => act({ kind: 'revoke', key }),
        },
      ]}
    />
  );
}

export function KeyState({ of: key }: { of: ApiKey }) {
  const [tone, text] = stateOf(key);
  return <Badge tone={tone}>{text}</Badge>;
}

function stateOf(key: ApiKey): readonly [Tone, string] {
  if (!key.enabled) return ['quiet', 'Disabled'];
  if (hasExpired(key)) return ['bad', 'Expired'];
  if (!key.active) return ['quiet', 'Ended'];
  if (key.valid_until) return ['warn', `Ends ${ago(key.valid_until)}`];
  return ['good', 'Active'];
}

const hasExpired = ({ expires_at }: ApiKey): boolean => !!expires_at && Date.parse(expires_at) <= Date.now();

export function limitText({ rate_limit_requests, rate_limit_window_seconds }: ApiKey) {
  if (!rate_limit_requests) return <span className="faint">None</span>;
  return `${whole(rate_limit_requests)} / ${rate_limit_window_seconds ?? 60} s`;
}
