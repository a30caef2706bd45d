import type { CountedRequests } from './recent-seconds';
import { HISTORY_SECONDS, STEP_SECONDS } from './recent-seconds';
import {
  CLASSES,
  ERRORS,
  LIMITED,
  REFUSED,
  REQUESTS,
  addTally,
  emptyTally,
  percentile,
  type Tally,
} from './tally';
import type { TargetNote, UsageNote, VitalsNote } from './vitals-note';

export interface Figures {
  readonly requestsPerSecond: number;
  /** Parts of all requests, 0 to 1. */
  readonly errorRatio: number;
  readonly limitedRatio: number;
  readonly refusedRatio: number;
  readonly latencyMs: {
    readonly p50: number | null;
    readonly p95: number | null;
    readonly p99: number | null;
  };
  /** Requests per second. */
  readonly byStatus: Readonly<Record<'1xx' | '2xx' | '3xx' | '4xx' | '5xx', number>>;
}

export interface HistoryPoint extends Figures {
  readonly at: string;
  readonly seconds: number;
}

export interface TenantFigures {
  readonly tenantId: string | null;
  readonly requestsPerSecond: number;
  readonly errorRatio: number;
  readonly limitedRatio: number;
  readonly p95: number | null;
}

export type UsageBacklog = UsageNote;

export interface ReplicaView {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly state: 'starting' | 'ready' | 'draining' | 'silent';
  readonly reportedAt: string | null;
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly eventLoopDelayMs: number;
  readonly inflight: number;
  readonly openStreams: number;
  readonly requestsPerSecond: number;
  readonly config: {
    readonly ageMs: number;
    readonly trusted: boolean;
    readonly changes: number;
    readonly changedAt: string | null;
    readonly revision: string | null;
  };
  readonly storeLatencyMs: number | null;
  readonly usageBacklog: UsageBacklog;
}

export interface TargetView extends Omit<TargetNote, 'serviceId'> {
  readonly serviceId: string | null;
  /** Processes that say so. */
  readonly healthy: number;
  readonly troubled: number;
}

/** What all processes together do. */
export interface Overview {
  readonly at: string;
  readonly windowSeconds: number;
  readonly now: Figures;
  readonly total: {
    readonly requests: number;
    readonly errors: number;
    readonly limited: number;
    readonly refused: number;
  };
  readonly point: HistoryPoint;
  readonly tenants: readonly TenantFigures[];
  readonly inflight: number | null;
  readonly openStreams: number | null;
  readonly replicas: readonly ReplicaView[];
  readonly targets: readonly TargetView[];
  readonly targetCounts: { readonly healthy: number; readonly troubled: number };
}

/** By so much clocks may be apart without anything being amiss. */
const CLOCKS_DIFFER_SECONDS = 60;
const MAX_TENANTS = 20;
const MAX_TARGETS = 200;

/**
 * Adds up what processes say of themselves.
 * @param scope a tenant, of whom it is then; empty: of all.
 * @param members who should have said something.
 * @param now milliseconds since the epoch.
 */
export function overviewOf(
  notes: readonly VitalsNote[],
  scope: string,
  members: readonly string[],
  now: number,
): Overview {
  const counted = notes.flatMap((note) => note.counted[scope] ?? []);
  const seconds = Math.max(1, ...counted.map((each) => each.seconds));
  const total = sumOf(counted.map((each) => each.total));
  const targets = targetViews(notes, scope);
  const all = scope === '';
  const at = (Math.floor(now / 1000) - 1) * 1000;
  return {
    at: new Date(now).toISOString(),
    windowSeconds: seconds,
    now: recentFigures(counted),
    total: { requests: total[REQUESTS] as number, errors: total[ERRORS] as number, limited: total[LIMITED] as number, refused: total[REFUSED] as number }, // prettier-ignore
    point: pointOf(at, 1, sumOf(counted.map((each) => each.last))),
    tenants: all ? tenantViews(notes) : [],
    inflight: all ? notes.reduce((sum, { inflight }) => sum + inflight, 0) : null,
    openStreams: all ? notes.reduce((sum, { openStreams }) => sum + openStreams, 0) : null,
    replicas: all ? replicaViews(notes, members, now) : [],
    targets: targets.slice(0, MAX_TARGETS),
    targetCounts: {
      healthy: targets.filter(({ troubled }) => troubled === 0).length,
      troubled: targets.filter(({ troubled }) => troubled > 0).length,
    },
  };
}

/**
 * The last five minutes in steps without gaps, the oldest first. A process that takes this moment for another one, because
 * its clock is wrong, is left out: from its time to ours there would be steps without end.
 * @param now milliseconds since the epoch.
 */
export function historyOf(notes: readonly VitalsNote[], scope: string, now: number): HistoryPoint[] {
  const sums = new Map<number, number[]>();
  const seconds = now / 1000;
  for (const { counted } of notes) {
    for (const { at, tally } of counted[scope]?.steps ?? []) {
      if (Math.abs(seconds - at) > HISTORY_SECONDS + CLOCKS_DIFFER_SECONDS) continue;
      const sum = sums.get(at) ?? emptyTally();
      addTally(sum, tally);
      sums.set(at, sum);
    }
  }
  const times = [...sums.keys()];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const points: HistoryPoint[] = [];
  for (let at = first; at <= last; at += STEP_SECONDS)
    points.push(pointOf(at * 1000, STEP_SECONDS, sums.get(at) ?? emptyTally()));
  return points;
}

function pointOf(at: number, seconds: number, tally: Tally): HistoryPoint {
  return { at: new Date(at).toISOString(), seconds, ...figuresOf(tally, () => seconds) };
}

/** Each process has counted for as long as it has: one that has just started must not halve its own rate. */
function recentFigures(counted: readonly CountedRequests[]): Figures {
  const sum = sumOf(counted.map(({ recent }) => recent));
  const perSecond = (place: number): number =>
    counted.reduce((rate, { recent, seconds }) => rate + (recent[place] ?? 0) / Math.max(1, seconds), 0);
  const figures = figuresOf(sum, () => 1);
  const [one, two, three, four, five] = [0, 1, 2, 3, 4].map((group) => rounded(perSecond(CLASSES + group)));
  return {
    ...figures,
    requestsPerSecond: rounded(perSecond(REQUESTS)),
    byStatus: { '1xx': one ?? 0, '2xx': two ?? 0, '3xx': three ?? 0, '4xx': four ?? 0, '5xx': five ?? 0 },
  };
}

function figuresOf(tally: Tally, secondsOf: () => number): Figures {
  const seconds = secondsOf();
  const requests = tally[REQUESTS] as number;
  const ratio = (place: number): number =>
    requests === 0 ? 0 : rounded((tally[place] as number) / requests);
  const rate = (place: number): number => rounded((tally[place] as number) / seconds);
  return {
    requestsPerSecond: rate(REQUESTS),
    errorRatio: ratio(ERRORS),
    limitedRatio: ratio(LIMITED),
    refusedRatio: ratio(REFUSED),
    latencyMs: { p50: percentile(tally, 0.5), p95: percentile(tally, 0.95), p99: percentile(tally, 0.99) },
    byStatus: {
      '1xx': rate(CLASSES),
      '2xx': rate(CLASSES + 1),
      '3xx': rate(CLASSES + 2),
      '4xx': rate(CLASSES + 3),
      '5xx': rate(CLASSES + 4),
    },
  };
}

/** Of the first fifty of each process: whoever is further down on all of them is missed. */
function tenantViews(notes: readonly VitalsNote[]): TenantFigures[] {
  const sums = new Map<string, { rate: number; tally: number[] }>();
  for (const { top } of notes) {
    for (const { id, tally } of top.tenants) {
      const sum = sums.get(id) ?? { rate: 0, tally: emptyTally() };
      addTally(sum.tally, tally);
      sum.rate += (tally[REQUESTS] as number) / top.seconds;
      sums.set(id, sum);
    }
  }
  return [...sums]
    .sort(([, a], [, b]) => b.rate - a.rate)
    .slice(0, MAX_TENANTS)
    .map(([id, { rate, tally }]) => {
      const { errorRatio, limitedRatio, latencyMs } = figuresOf(tally, () => 1);
      const tenantId = id === '' ? null : id;
      return { tenantId, requestsPerSecond: rounded(rate), errorRatio, limitedRatio, p95: latencyMs.p95 };
    });
}

function replicaViews(notes: readonly VitalsNote[], members: readonly string[], now: number): ReplicaView[] {
  const known = new Map(notes.map((note) => [note.id, note]));
  const ids = new Set([...known.keys(), ...members]);
  return [...ids].sort().map((id) => {
    const note = known.get(id);
    return note ? replicaView(note, now) : silentReplica(id);
  });
}

function replicaView(note: VitalsNote, now: number): ReplicaView {
  const { id, at, startedAt, counted, config, targets: _targets, top: _top, form: _form, ...rest } = note;
  const own = counted[''];
  return {
    ...rest,
    id,
    host: hostOf(id),
    startedAt: new Date(startedAt).toISOString(),
    uptimeSeconds: Math.max(0, Math.floor((now - startedAt) / 1000)),
    reportedAt: new Date(at).toISOString(),
    requestsPerSecond: own ? rounded((own.recent[REQUESTS] ?? 0) / Math.max(1, own.seconds)) : 0,
    config: {
      ...config,
      changedAt: config.changedAt === null ? null : new Date(config.changedAt).toISOString(),
    },
  };
}

function silentReplica(id: string): ReplicaView {
  const config = { ageMs: 0, trusted: false, changes: 0, changedAt: null, revision: null };
  const nothing = { cpu: 0, rssBytes: 0, heapBytes: 0, eventLoopDelayMs: 0, inflight: 0, openStreams: 0 };
  const usageBacklog = { batches: 0, oldestSeconds: 0, journalErrors: 0 };
  const times = { startedAt: new Date(0).toISOString(), uptimeSeconds: 0, reportedAt: null };
  // prettier-ignore
  return {
    id, host: hostOf(id), version: '', state: 'silent', ...times, ...nothing, requestsPerSecond: 0, config,
    storeLatencyMs: null, usageBacklog,
  };
}

function hostOf(id: string): string {
  return id.split(':')[0] ?? id;
}

function targetViews(notes: readonly VitalsNote[], scope: string): TargetView[] {
  const views = new Map<string, TargetView>();
  for (const { targets } of notes) {
    for (const target of targets) {
      if (scope !== '' && target.tenantId !== scope) continue;
      const key = `${target.tenantId} ${target.serviceId} ${target.url}`;
      views.set(key, joined(views.get(key), target));
    }
  }
  return [...views.values()].sort((a, b) => b.troubled - a.troubled || (a.url < b.url ? -1 : 1));
}

/** Whatever is wrong at one of them is shown. */
function joined(view: TargetView | undefined, target: TargetNote): TargetView {
  const { serviceId, ...rest } = target;
  const troubled = (view?.troubled ?? 0) + (target.trouble === null ? 0 : 1);
  const healthy = (view?.healthy ?? 0) + (target.trouble === null ? 1 : 0);
  const breaker = view?.breaker && view.breaker !== 'closed' ? view.breaker : target.breaker;
  return {
    ...rest,
    serviceId: serviceId === '' ? null : serviceId,
    trouble: view?.trouble ?? target.trouble,
    problem: view?.problem ?? target.problem,
    pending: (view?.pending ?? 0) + target.pending,
    breaker,
    healthy,
    troubled,
  };
}

function sumOf(tallies: readonly Tally[]): number[] {
  const sum = emptyTally();
  for (const tally of tallies) addTally(sum, tally);
  return sum;
}

function rounded(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
