import type { Overview } from '../api/types';
import { bytes, counted, duration, milliseconds, rate } from '../ui/format';
import { Badge, Card, Fact, Facts, type Tone } from '../ui/surface';
import { DataTable, type Column } from '../ui/table';

type Replica = Overview['replicas'][number];

const STATES: Record<Replica['state'], readonly [Tone, string]> = {
  starting: ['warn', 'Starting'],
  ready: ['good', 'Ready'],
  draining: ['warn', 'Draining'],
  silent: ['bad', 'Silent'],
};

/** The processes behind the figures, and what configuration each follows. */
export function ReplicasCard({ replicas }: { replicas: Overview['replicas'] }) {
  return (
    <Card title="Replicas" bare>
      <DataTable label="Replicas" rows={replicas} rowKey={({ id }) => id} columns={COLUMNS} />
    </Card>
  );
}

const COLUMNS: ReadonlyArray<Column<Replica>> = [
  {
    id: 'replica',
    header: 'Replica',
    width: 'minmax(0, 1.7fr)',
    cell: ({ host, id, version, uptimeSeconds }) => (
      <div>
        <div title={id}>{host}</div>
        <div className="faint">
          {version} · up {duration(uptimeSeconds)}
        </div>
      </div>
    ),
  },
  {
    id: 'state',
    header: 'State',
    cell: ({ state }) => <Badge tone={STATES[state][0]}>{STATES[state][1]}</Badge>,
  },
  {
    id: 'configuration',
    header: 'Configuration',
    width: 'minmax(0, 1.5fr)',
    cell: ({ config }) => (
      <div>
        <div>
          {config.revision === null ? `${config.changes} changes followed` : `Revision ${config.revision}`}
        </div>
        <div className="faint">
          {config.trusted ? 'proven' : 'not proven'} {milliseconds(config.ageMs)} ago
        </div>
      </div>
    ),
  },
  { id: 'rate', header: 'Req/s', align: 'end', cell: ({ requestsPerSecond }) => rate(requestsPerSecond) },
  { id: 'inflight', header: 'Under way', align: 'end', cell: ({ inflight }) => inflight },
  { id: 'cpu', header: 'CPU', align: 'end', cell: ({ cpu }) => `${Math.round(cpu * 100)}%` },
  { id: 'memory', header: 'Memory', align: 'end', cell: ({ rssBytes }) => bytes(rssBytes) },
  {
    id: 'delay',
    header: 'Loop delay',
    align: 'end',
    cell: ({ eventLoopDelayMs }) => milliseconds(eventLoopDelayMs),
  },
];

const STORE_TONES: Record<string, Tone> = { ready: 'good', starting: 'warn', away: 'bad' };

export function StoreCard({ overview: { store, usageBacklog } }: { overview: Overview }) {
  if (!store) return null;
  return (
    <Card
      title={store.kind === 'redis' ? 'Redis' : 'Embedded store'}
      actions={<Badge tone={STORE_TONES[store.state] ?? 'quiet'}>{store.state}</Badge>}
    >
      <Facts>
        <Fact term="Latency">{milliseconds(store.latencyMs)}</Fact>
        {usageBacklog && (
          <Fact term="Usage on its way">
            {usageBacklog.batches === 0
              ? 'Everything is in the store'
              : `${counted(usageBacklog.batches, 'batch', 'batches')}, the oldest ${duration(usageBacklog.oldestSeconds)} old`}
            {usageBacklog.journalErrors > 0 && ` · ${counted(usageBacklog.journalErrors, 'journal error')}`}
          </Fact>
        )}
      </Facts>
    </Card>
  );
}
