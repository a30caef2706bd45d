import type { UsageRow } from '../api/types';
import type { Series } from '../charts/time-chart';
import { stepsOf, type Range } from './ranges';

export type Group = 'status' | 'service' | 'key' | 'route';

/** All that happened in one group over the whole range. */
export interface GroupTotal {
  id: string;
  requests: number;
  billed: number;
  bytesIn: number;
  bytesOut: number;
}

/** As many as there are colours, the last being everything else. */
const SHOWN = 5;
const REST = 'Everything else';
const STATUS_COLOURS: Record<string, number> = { '2xx': 4, '3xx': 6, '4xx': 3, '5xx': 2, '1xx': 1 };

export function groupId(row: UsageRow, group: Group): string {
  if (group === 'status') return row.status ?? '';
  if (group === 'route') return row.route ?? '';
  if (group === 'key') return row.api_key_id ?? '';
  return row.service_id === null || row.service_id === undefined ? '' : String(row.service_id);
}

/** The largest first. */
export function totalsOf(rows: readonly UsageRow[], group: Group): GroupTotal[] {
  const totals = new Map<string, GroupTotal>();
  for (const row of rows) {
    const id = groupId(row, group);
    const total = totals.get(id) ?? { id, requests: 0, billed: 0, bytesIn: 0, bytesOut: 0 };
    total.requests += row.requests;
    total.billed += row.billed;
    total.bytesIn += row.bytes_in;
    total.bytesOut += row.bytes_out;
    totals.set(id, total);
  }
  return [...totals.values()].sort((a, b) => b.requests - a.requests);
}

/** One series for each of the largest groups and one for the rest, with a value for every step of the range. */
export function seriesOf(
  rows: readonly UsageRow[],
  { group, range, name }: { group: Group; range: Range; name: (id: string) => string },
): { times: number[]; series: Series[] } {
  const steps = stepsOf(range);
  const places = new Map(steps.map((at, index) => [at, index]));
  const totals = totalsOf(rows, group);
  const shown = totals.slice(0, SHOWN).map(({ id }) => id);
  const values = new Map(shown.map((id) => [id, new Array<number>(steps.length).fill(0)]));
  const rest = new Array<number>(steps.length).fill(0);
  for (const row of rows) {
    const place = places.get(Date.parse(row.hour ?? `${row.day}T00:00:00Z`));
    if (place === undefined) continue;
    const line = values.get(groupId(row, group)) ?? rest;
    line[place] = (line[place] ?? 0) + row.requests;
  }
  const series = shown.map((id, index) => ({
    label: name(id),
    colour: (group === 'status' ? STATUS_COLOURS[id] : undefined) ?? (index % SHOWN) + 1,
    values: values.get(id) ?? [],
  }));
  if (totals.length > SHOWN) series.push({ label: REST, colour: 6, values: rest });
  return { times: steps.map((at) => at / 1000), series };
}
