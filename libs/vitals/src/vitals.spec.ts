import { historyOf, overviewOf } from './overview';
import { parseNote, noteText, type ProcessNote, type VitalsNote } from './vitals-note';
import { Vitals } from './vitals';

const START = Date.parse('2030-01-01T00:00:00Z');
const PROCESS: ProcessNote = {
  version: '1.0.0',
  startedAt: START,
  state: 'ready',
  cpu: 0.5,
  rssBytes: 1,
  heapBytes: 1,
  eventLoopDelayMs: 0,
  inflight: 2,
  openStreams: 1,
  config: { ageMs: 1, trusted: true, changes: 3, changedAt: null, revision: '7' },
  storeLatencyMs: 1,
  usageBacklog: { batches: 0, oldestSeconds: 0, journalErrors: 0 },
};

/** One process, on a clock that is set by hand. */
class Replica {
  readonly vitals: Vitals;

  constructor(
    readonly id: string,
    private now = START,
  ) {
    this.vitals = new Vitals(() => this.now);
  }

  setClock(now: number): void {
    this.now = now;
  }

  serve(times: number, tenantId?: string, status = 200, durationMs = 2): void {
    const limited = status === 429;
    for (let i = 0; i < times; i++)
      this.vitals.note({ tenantId, status, refused: limited, limited, durationMs });
  }

  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000;
      this.vitals.tick();
    }
  }

  note(more: Partial<VitalsNote> = {}): VitalsNote {
    const text = noteText({
      ...PROCESS,
      id: this.id,
      at: this.now,
      targets: [],
      ...this.vitals.read(),
      ...more,
    });
    return parseNote(text) as VitalsNote;
  }
}

const at = (seconds: number): number => START + seconds * 1000;

it('adds up what replicas have counted, each by the time that it has counted for', () => {
  const [one, two] = [new Replica('host-1:1:a'), new Replica('host-2:1:b')];
  one.serve(100, 'acme');
  one.serve(20, 'acme', 502);
  one.pass(10);
  two.pass(6);
  two.serve(40, 'other', 429, 100);
  two.pass(4);
  const overview = overviewOf([one.note(), two.note()], '', ['host-1:1:a', 'host-2:1:b', 'gone:1:c'], at(10));
  expect(overview.total).toEqual({ requests: 160, errors: 20, limited: 40, refused: 40 });
  expect(overview).toMatchObject({
    windowSeconds: 10,
    inflight: 4,
    openStreams: 2,
    now: {
      requestsPerSecond: 16,
      errorRatio: 0.125,
      limitedRatio: 0.25,
      byStatus: { '2xx': 10, '4xx': 4, '5xx': 2 },
    },
  });
  expect(overview.now.latencyMs.p50).toBeLessThanOrEqual(2);
  expect(overview.now.latencyMs.p95).toBeGreaterThan(75);
  expect(overview.replicas.map(({ id, state, host }) => [id, state, host])).toEqual([
    ['gone:1:c', 'silent', 'gone'],
    ['host-1:1:a', 'ready', 'host-1'],
    ['host-2:1:b', 'ready', 'host-2'],
  ]);
  expect(overview.replicas[1]).toMatchObject({
    requestsPerSecond: 12,
    config: { revision: '7', changes: 3 },
  });
});

it('does not take a replica that has just started for an idle one', () => {
  const [old, young] = [new Replica('a'), new Replica('b')];
  old.serve(100);
  old.pass(10);
  young.serve(20);
  young.pass(2);
  expect(overviewOf([old.note(), young.note()], '', [], at(10)).now.requestsPerSecond).toBe(20);
});

it('forgets a second after ten, and a step after five minutes', () => {
  const replica = new Replica('a');
  replica.serve(50);
  replica.pass(10);
  const figures = () => overviewOf([replica.note()], '', [], at(0));
  expect(figures().now.requestsPerSecond).toBe(5);
  replica.pass(1);
  expect(figures().now.requestsPerSecond).toBe(0);
  expect(historyOf([replica.note()], '', at(11))).toMatchObject([
    { at: '2030-01-01T00:00:00.000Z', seconds: 5, requestsPerSecond: 10 },
  ]);
  replica.pass(300);
  expect(historyOf([replica.note()], '', at(311))).toEqual([]);
  expect(figures().total.requests).toBe(50);
});

it('joins the steps of replicas by their time, without gaps', () => {
  const [one, two] = [new Replica('a'), new Replica('b')];
  one.serve(10);
  one.pass(15);
  two.serve(5);
  two.pass(10);
  two.serve(15);
  two.pass(5);
  const history = historyOf([one.note(), two.note()], '', at(15));
  expect(history.map(({ requestsPerSecond }) => requestsPerSecond)).toEqual([3, 0, 3]);
  expect(history.map(({ at: time }) => Date.parse(time))).toEqual([at(0), at(5), at(10)]);
});

it.each([
  ['years behind', -40 * 365 * 86_400],
  ['an hour ahead', 3600],
])(
  'leaves a replica out of the last five minutes whose clock is %s, rather than fill the time between',
  (_, seconds) => {
    const [sound, wrong] = [new Replica('a'), new Replica('b', at(seconds))];
    for (const replica of [sound, wrong]) {
      replica.serve(10);
      replica.pass(10);
    }
    const history = historyOf([wrong.note(), sound.note()], '', at(10));
    expect(history.map(({ at: time, requestsPerSecond }) => [Date.parse(time), requestsPerSecond])).toEqual([
      [at(0), 2],
    ]);
  },
);

it('goes on where a clock is put back', () => {
  const replica = new Replica('a', at(3600));
  replica.serve(10);
  replica.pass(10);
  replica.setClock(at(0));
  replica.pass(1);
  replica.serve(40);
  replica.pass(10);
  const { now, total } = overviewOf([replica.note()], '', [], at(11));
  expect([now.requestsPerSecond, total.requests]).toEqual([4, 50]);
  expect(historyOf([replica.note()], '', at(11))).toMatchObject([{ requestsPerSecond: 8 }]);
});

it('tells tenants apart while somebody looks, and shows a tenant nothing of others', () => {
  const [one, two] = [new Replica('a'), new Replica('b')];
  for (const replica of [one, two]) {
    replica.serve(7, 'acme');
    replica.vitals.want(['', 'acme']);
    replica.serve(3, 'acme');
    replica.serve(9, 'other');
    replica.serve(1, undefined, 429);
    replica.pass(2);
  }
  const target = { serviceId: '', url: 'http://up', trouble: null, breaker: null, pending: 1, problem: null };
  const targets = ['acme', 'other'].map((tenantId) => ({ ...target, tenantId }));
  const notes = [one.note({ targets }), two.note({ targets })];
  const all = overviewOf(notes, '', [], at(2));
  expect(all.tenants.map(({ tenantId, limitedRatio }) => [tenantId, limitedRatio])).toEqual([['other', 0], ['acme', 0], [null, 1]]); // prettier-ignore
  expect(all.targetCounts).toEqual({ healthy: 2, troubled: 0 });
  const acme = overviewOf(notes, 'acme', ['a', 'b'], at(2));
  expect(acme).toMatchObject({
    total: { requests: 6 },
    replicas: [],
    tenants: [],
    inflight: null,
    openStreams: null,
  });
  expect(acme.targets).toEqual([
    { ...target, tenantId: 'acme', serviceId: null, pending: 2, healthy: 2, troubled: 0 },
  ]);
  expect(JSON.stringify(acme)).not.toContain('other');
  one.pass(61);
  expect(Object.keys(one.note().counted)).toEqual(['']);
  expect(one.note().top.tenants).toEqual([]);
});

it('shows what is wrong with a target at any of the replicas, first', () => {
  const target = { tenantId: 't', serviceId: '1', pending: 0, problem: null };
  const well = { ...target, url: 'http://a', trouble: null, breaker: 'closed' } as const;
  const ill = { ...well, trouble: 'circuit_open', breaker: 'open', problem: 'why' } as const;
  const other = { ...well, url: 'http://0' };
  const [one, two] = [
    new Replica('a').note({ targets: [other, well] }),
    new Replica('b').note({ targets: [ill] }),
  ];
  for (const notes of [
    [one, two],
    [two, one],
  ]) {
    const { targets, targetCounts } = overviewOf(notes, '', [], at(0));
    expect(targets.map(({ url }) => url)).toEqual(['http://a', 'http://0']);
    expect(targets[0]).toMatchObject({
      healthy: 1,
      troubled: 1,
      trouble: 'circuit_open',
      breaker: 'open',
      problem: 'why',
    });
    expect(targetCounts).toEqual({ healthy: 1, troubled: 1 });
  }
});

it('does not read notes of another form', () => {
  expect(parseNote(JSON.stringify({ form: 2, id: 'a' }))).toBeUndefined();
});
