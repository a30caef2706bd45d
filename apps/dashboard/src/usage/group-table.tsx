import { bytes, percent, whole } from '../ui/format';
import { Card, Meter } from '../ui/surface';
import { DataTable } from '../ui/table';
import type { Group, GroupTotal } from './series';

const HEADERS: Record<Group, string> = { status: 'Status', service: 'Service', key: 'Key', route: 'Route' };

export function GroupTable({
  totals,
  all,
  group,
  name,
}: {
  totals: readonly GroupTotal[];
  all: number;
  group: Group;
  name: (id: string) => string;
}) {
  return (
    <Card title={`By ${HEADERS[group].toLowerCase()}`} bare>
      <DataTable
        label={`Usage by ${HEADERS[group].toLowerCase()}`}
        rows={totals}
        rowKey={({ id }) => id}
        columns={[
          {
            id: 'name',
            header: HEADERS[group],
            width: 'minmax(0, 2fr)',
            cell: ({ id }) => (
              <span className={group === 'key' || group === 'route' ? 'mono' : ''}>{name(id)}</span>
            ),
          },
          {
            id: 'meter',
            header: 'Share',
            width: 'minmax(0, 1.2fr)',
            unnamed: true,
            cell: ({ id, requests }) => <Meter share={requests / all} label={`Share of ${name(id)}`} />,
          },
          {
            id: 'share',
            header: '',
            width: '60px',
            align: 'end',
            cell: ({ requests }) => percent(requests / all),
          },
          { id: 'requests', header: 'Requests', align: 'end', cell: ({ requests }) => whole(requests) },
          { id: 'billed', header: 'Billed', align: 'end', cell: ({ billed }) => whole(billed) },
          { id: 'in', header: 'Received', align: 'end', cell: ({ bytesIn }) => bytes(bytesIn) },
          { id: 'out', header: 'Sent', align: 'end', cell: ({ bytesOut }) => bytes(bytesOut) },
        ]}
      />
    </Card>
  );
}
