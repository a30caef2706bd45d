import { useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';
import { TimeChart } from '../charts/time-chart';
import { useServiceNames } from '../keys/queries';
import { useSession } from '../session/session';
import { TenantGate } from '../session/tenant-gate';
import { Button } from '../ui/button';
import { FilterSelect } from '../ui/field';
import { bytes, compact, percent, whole } from '../ui/format';
import { EmptyState, ErrorState, LoadingRows } from '../ui/states';
import { Card, Page, Segments, Stat, Stats, Toolbar } from '../ui/surface';
import { ChartLine, ZoomOut } from 'lucide-react';
import { ExportButtons } from './export-buttons';
import { GroupTable } from './group-table';
import { PRESETS, presetRange, stepOf, zoomed, type Preset, type Range } from './ranges';
import { seriesOf, totalsOf, type Group } from './series';
import { useUsage } from './queries';

const GROUPS = [
  ['status', 'Status'],
  ['service', 'Service'],
  ['key', 'Key'],
  ['route', 'Route'],
] as const;

export function UsagePage() {
  return (
    <Page title="Usage" lead="Requests over time, whatever came of them. Days and hours are those of UTC.">
      <TenantGate>{(tenantId) => <Usage key={tenantId} />}</TenantGate>
    </Page>
  );
}

function Usage() {
  const { session } = useSession();
  const [params, setParams] = useSearchParams();
  const asked = params.get('service') ?? '';
  const serviceId = session.serviceId ?? asked;
  const [preset, setPreset] = useState<Preset | undefined>('7d');
  const [range, setRange] = useState<Range>(() => presetRange('7d', Date.now()));
  const [group, setGroup] = useState<Group>('status');
  const names = useServiceNames();
  const { data: usage, error, isPending, refetch } = useUsage({ range, group, serviceId });
  const choose = (next: Preset) => {
    setPreset(next);
    setRange(presetRange(next, Date.now()));
  };
  const zoom = (from: number, to: number) => {
    const next = zoomed(from * 1000, to * 1000, stepOf(range));
    setPreset(undefined);
    setRange({ from: Math.max(next.from, range.from), to: Math.min(next.to, range.to) });
  };
  const chooseService = (id: string) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      if (id) after.set('service', id);
      else after.delete('service');
      return after;
    });
  const groups = serviceId ? GROUPS.filter(([id]) => id !== 'service') : GROUPS;
  return (
    <>
      <Toolbar>
        <Segments label="Range" options={PRESETS} value={preset} onChange={choose} />
        <Segments label="Told apart by" options={groups} value={group} onChange={setGroup} />
        {session.serviceId === null && (
          <FilterSelect
            label="Service"
            value={serviceId}
            onChange={(id) => {
              if (group === 'service') setGroup('status');
              chooseService(id);
            }}
            options={[['', 'All services'], ...[...names].map(([id, name]) => [id, name] as const)]}
          />
        )}
        {!preset && (
          <Button small icon={<ZoomOut size={14} aria-hidden />} onClick={() => choose('7d')}>
            Whole range
          </Button>
        )}
      </Toolbar>
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <Card bare>
          <LoadingRows />
        </Card>
      ) : (
        <Figures rows={usage.rows} successes={usage.successes} range={range} group={group} zoom={zoom} />
      )}
    </>
  );
}

interface FiguresProps {
  rows: NonNullable<ReturnType<typeof useUsage>['data']>['rows'];
  successes: number;
  range: Range;
  group: Group;
  zoom: (from: number, to: number) => void;
}

function Figures({ rows, successes, range, group, zoom }: FiguresProps) {
  const names = useServiceNames();
  const totals = useMemo(() => totalsOf(rows, group), [rows, group]);
  const drawn = useMemo(
    () => seriesOf(rows, { group, range, name: (id) => nameOf(id, group, names) }),
    [rows, group, range, names],
  );
  const sum = (of: (row: (typeof rows)[number]) => number) => rows.reduce((all, row) => all + of(row), 0);
  const requests = sum((row) => row.requests);
  return (
    <>
      <Stats>
        <Stat label="Requests">{compact(requests)}</Stat>
        <Stat label="Succeeded">{requests === 0 ? '–' : percent(successes / requests)}</Stat>
        <Stat label="Billed">{compact(sum((row) => row.billed))}</Stat>
        <Stat label="Received">{bytes(sum((row) => row.bytes_in))}</Stat>
        <Stat label="Sent">{bytes(sum((row) => row.bytes_out))}</Stat>
      </Stats>
      <Card title={`Requests per ${stepOf(range)}`} actions={<ExportButtons rows={rows} range={range} />}>
        {requests === 0 ? (
          <EmptyState icon={<ChartLine size={18} aria-hidden />} title="No requests in this time">
            Usage is counted a moment after each response.
          </EmptyState>
        ) : (
          <>
            <TimeChart
              label={`Requests per ${stepOf(range)}, ${whole(requests)} in all; the numbers are in the table below`}
              stacked
              utc
              height={260}
              times={drawn.times}
              series={drawn.series}
              format={compact}
              onZoom={zoom}
            />
            <p className="faint">Drag across the chart to look closer.</p>
          </>
        )}
      </Card>
      {requests > 0 && (
        <GroupTable totals={totals} all={requests} group={group} name={(id) => nameOf(id, group, names)} />
      )}
    </>
  );
}

function nameOf(id: string, group: Group, names: ReadonlyMap<string, string>): string {
  if (group === 'service') return id === '' ? 'Own routes' : (names.get(id) ?? `Service ${id}`);
  if (group === 'route') return id === '' ? 'Services' : id;
  return id === '' ? 'Unknown' : id;
}
