import { SharedBreakers } from '#libs/breakers';
import type { GatewayError } from '#libs/errors';
import { freshBreaker, stepBreaker, type BreakerRecord, type BreakerStep, type Store } from '#libs/store';
import type { ServedTarget } from './served-target';
import type { TargetTerms } from './equip-targets';
import { TargetHealth } from './target-health';
import type { TargetEvent } from './target-events';
import { TargetSet, type Entry } from './target-set';

const T = 1_800_000_000_000;

beforeEach(() => void jest.useFakeTimers({ now: T }));
afterEach(() => void jest.useRealTimers());

const OWNER = { tenantId: 'acme', serviceId: '7' };
const named = (names: string): TargetTerms['targets'] =>
  [...names].map((name) => ({ url: `http://${name}.test` }));
const nameOf = (target: ServedTarget | undefined): string => target?.upstream.host[0] ?? '-';
const taken = (set: TargetSet, count: number): string =>
  Array.from({ length: count }, () => nameOf(set.next())).join('');
const counts = (turns: string): Record<string, number> =>
  Object.fromEntries([...new Set(turns)].sort().map((name) => [name, turns.split(name).length - 1]));
const at = (set: TargetSet, place: number): ServedTarget => set.targets[place] as ServedTarget;
/** Requests to one target that end: `.` well, `x` failed. */
const end = (target: ServedTarget, outcomes: string): void => {
  for (const outcome of outcomes) target.noteRequest(outcome === 'x', 1, Date.now());
};
const trouble = (set: TargetSet): string =>
  set.targets.map((target) => (target.trouble(Date.now()) === undefined ? '.' : 'x')).join('');

describe('slow start', () => {
  const targets = [{ url: 'http://a.test' }, { url: 'http://b.test' }];

  it('gives a target that comes back a share that grows evenly', () => {
    const set = new TargetSet(OWNER, {
      targets,
      slowStartSeconds: 100,
      passive: { failures: 1, ejectSeconds: 10 },
    });
    // What is there from the beginning begins with its whole share.
    expect(counts(taken(set, 100))).toEqual({ a: 50, b: 50 });
    end(at(set, 0), 'x');
    expect(counts(taken(set, 100))).toEqual({ b: 100 });
    const shares = [0, 25, 50, 75, 100].map((seconds) => {
      jest.setSystemTime(T + 10_000 + seconds * 1000);
      return counts(taken(set, 1000)).a ?? 0;
    });
    // Of parts p and 1: p ÷ (1 + p).
    const expected = [0.01, 0.25, 0.5, 0.75, 1].map((part) => (1000 * part) / (1 + part));
    shares.forEach((share, i) => expect(Math.abs(share - (expected[i] ?? 0))).toBeLessThanOrEqual(2));
  });

  it('counts for weights and for the least under way as well', () => {
    const weighed = [{ url: 'http://a.test', weight: 3 }, { url: 'http://b.test' }];
    const set = new TargetSet(OWNER, { targets: weighed, slowStartSeconds: 100 });
    at(set, 0).returnedAt = T - 50_000;
    expect(counts(taken(set, 1000))).toEqual({ a: 600, b: 400 });
    const least = new TargetSet(OWNER, { targets, slowStartSeconds: 100, balance: 'least-pending' });
    at(least, 0).returnedAt = T - 25_000;
    const hosts = Array.from({ length: 20 }, () => {
      const target = least.next() as ServedTarget;
      target.pending += 1;
      return nameOf(target);
    });
    expect(counts(hosts.join(''))).toEqual({ a: 4, b: 16 });
  });

  it('begins for targets that are new, that pass their checks again, or whose breaker has closed', async () => {
    const health = new TargetHealth();
    const terms = { slowStartSeconds: 100, breaker: { failures: 1, openMs: 1000, probes: 1 } };
    const before = new TargetSet(OWNER, { ...terms, targets: named('ab') }, health);
    const part = (set: TargetSet, place: number): number => set.partOf(at(set, place), Date.now());
    expect([part(before, 0), part(before, 1)]).toEqual([1, 1]);
    const set = new TargetSet(OWNER, { ...terms, targets: named('abc') }, health);
    jest.setSystemTime(T + 50_000);
    expect([part(set, 0), part(set, 1), part(set, 2)]).toEqual([1, 1, 0.5]);
    const check = { path: '/', healthyAfter: 1, unhealthyAfter: 1 };
    at(set, 0).noteCheck('x', check, Date.now());
    at(set, 0).noteCheck(undefined, check, Date.now());
    end(at(set, 1), 'x');
    jest.setSystemTime(T + 51_000);
    const { target, permit } = (await set.enter()) as Entry;
    expect(target).toBe(at(set, 1));
    permit?.settle('succeeded');
    await jest.advanceTimersByTimeAsync(0);
    expect([part(set, 0), part(set, 1), part(set, 2)]).toEqual([0.01, 0.01, 0.51]);
    expect(at(set, 1).failures).toBe(0);
  });
});

describe('ejection', () => {
  it.each<[terms: TargetTerms['passive'], names: string, out: string]>([
    [undefined, 'ab', 'x.'],
    [undefined, 'abc', 'x..'],
    [undefined, 'abcd', 'xx..'],
    [{ maxEjectedPercent: 100 }, 'abc', 'xxx'],
    [{ maxEjectedPercent: 30 }, 'abc', '...'],
    [{ maxEjectedPercent: 34 }, 'abc', 'x..'],
    [false, 'abc', '...'],
  ])('by %j takes out of %s: %s', (passive, names, out) => {
    const set = new TargetSet(OWNER, { targets: named(names), passive });
    for (const target of set.targets) end(target, 'xxxxxx');
    expect(trouble(set)).toBe(out);
  });

  it.each<[own: string, others: string, out: boolean]>([
    ['x'.repeat(12) + '.x'.repeat(4), '.'.repeat(10), true],
    // Not enough requests, of the others or of its own; and not worse than they are.
    ['.xx'.repeat(7), '.'.repeat(9), false],
    ['.xx'.repeat(6), '.'.repeat(10), false],
    ['.xx'.repeat(7), '.xx'.repeat(4), false],
    ['.xx'.repeat(7), '.....x'.repeat(3), true],
    ['.x'.repeat(10), '.....x'.repeat(3), false],
  ])('of a target that ends %s beside two that end %s: %s', (own, others, out) => {
    const set = new TargetSet(OWNER, { targets: named('abc'), passive: { failures: 1000 } });
    for (const place of [1, 2]) end(at(set, place), others);
    end(at(set, 0), own);
    expect(trouble(set)).toBe(out ? 'x..' : '...');
  });

  it('is left to the breaker where there is one, unless both are asked for', () => {
    const breaker = { failures: 1000 };
    const set = new TargetSet(OWNER, { targets: named('ab'), breaker });
    end(at(set, 0), 'xxxxxx');
    expect(trouble(set)).toBe('..');
    const both = new TargetSet(OWNER, { targets: named('ab'), breaker, passive: {} });
    end(at(both, 0), 'xxxxxx');
    expect(trouble(both)).toBe('x.');
  });

  it('is told, and the return as well', () => {
    const events: TargetEvent[] = [];
    const health = new TargetHealth(undefined, (event) => void events.push(event));
    const set = new TargetSet(
      OWNER,
      { targets: named('ab'), passive: { failures: 1, ejectSeconds: 1 } },
      health,
    );
    set.next();
    end(at(set, 0), 'x');
    jest.setSystemTime(T + 999);
    health.look(Date.now());
    expect(events).toEqual([
      {
        event: 'target_ejected', ...OWNER, target: 'http://a.test', reason: '1 failures in a row',
        until: new Date(T + 1000).toISOString(), times: 1, decided: true,
      },
    ]); // prettier-ignore
    jest.setSystemTime(T + 1000);
    for (let i = 0; i < 2; i++) health.look(Date.now());
    expect(events.slice(1)).toMatchObject([{ event: 'target_returned', target: 'http://a.test' }]);
  });
});

describe('the next attempt', () => {
  it('avoids the targets it is told to, if it can', () => {
    const set = new TargetSet(OWNER, { targets: named('abc') });
    for (let i = 0; i < 4; i++) {
      expect(nameOf(set.next([at(set, 0)]))).not.toBe('a');
      expect(nameOf(set.next([at(set, 0), at(set, 1)]))).toBe('c');
    }
    expect(nameOf(set.next([...set.targets]))).toMatch(/[abc]/);
    // One that has just failed is still better than one that is out.
    for (const place of [1, 2]) at(set, place).ejectedUntil = T + 1;
    expect(nameOf(set.next([at(set, 0)]))).toBe('a');
    at(set, 0).ejectedUntil = T + 1;
    expect(nameOf(set.next([at(set, 0)]))).toMatch(/[bc]/);
  });
});

describe('breakers', () => {
  const breaker = { failures: 1, openMs: 1000, probes: 1 };

  it('leave targets out that are open, also where all others are in trouble', () => {
    const set = new TargetSet(OWNER, { targets: named('abc'), breaker });
    end(at(set, 0), 'x');
    expect(taken(set, 4)).toBe('bcbc');
    for (const place of [1, 2]) at(set, place).noteCheck('x', { path: '/', unhealthyAfter: 1 }, T);
    expect(counts(taken(set, 10))).toEqual({ b: 5, c: 5 });
  });

  it('refuse when all are open, until the first may be probed', () => {
    const set = new TargetSet(OWNER, { targets: named('ab'), breaker: { ...breaker, openMs: 5000 } });
    end(at(set, 0), 'x');
    jest.setSystemTime(T + 1500);
    end(at(set, 1), 'x');
    expect(set.next()).toBeUndefined();
    expect(set.rest).toContain('http://a.test: 1 failures in a row; ');
    let refusal: GatewayError | undefined;
    try {
      void set.enter();
    } catch (error) {
      refusal = error as GatewayError;
    }
    expect(refusal).toMatchObject({ code: 'circuit_open', status: 503, headers: { 'Retry-After': '4' } });
  });

  it('let one request be the probe and send all others to the next target', async () => {
    const set = new TargetSet(OWNER, { targets: named('ab'), breaker });
    end(at(set, 0), 'x');
    jest.setSystemTime(T + 1000);
    const entered = await Promise.all([set.enter(), set.enter(), set.enter()].map(async (entry) => entry));
    const probes = entered.filter((entry) => 'permit' in entry && entry.permit !== undefined);
    expect(probes).toMatchObject([{ target: { url: 'http://a.test' } }]);
    // An attempt that is repeated is no probe.
    expect(taken(set, 3)).toBe('bbb');
  });

  it('do not probe a target that fails its checks while there is another', async () => {
    const set = new TargetSet(OWNER, { targets: named('ab'), breaker });
    end(at(set, 0), 'x');
    at(set, 0).noteCheck('x', { path: '/', unhealthyAfter: 1 }, T);
    jest.setSystemTime(T + 1000);
    expect(await set.enter()).toBe(at(set, 1));
    end(at(set, 1), 'x');
    expect(await set.enter()).toMatchObject({ target: at(set, 0), permit: {} });
  });

  it('keep what they know when the service is compiled anew, by its new rules', () => {
    const health = new TargetHealth();
    const before = new TargetSet(OWNER, { targets: named('ab'), breaker: { failures: 5 } }, health);
    const known = at(before, 0).breaker;
    const after = new TargetSet(OWNER, { targets: named('ab'), breaker: { failures: 2 } }, health);
    expect(at(after, 0).breaker).toBe(known);
    end(at(after, 0), 'xx');
    expect(trouble(before)).toBe('x.');
    new TargetSet(OWNER, { targets: named('ab') }, health);
    expect(at(after, 0).breaker).toBeUndefined();
  });
});

describe('breakers that are shared', () => {
  const terms = { targets: named('ab'), breaker: { failures: 2, openMs: 5000 } };
  let reads: number;
  let records: Map<string, BreakerRecord>;
  let announce: (key: string) => void;
  const changes = {
    epoch: 0,
    trustMs: Infinity,
    subscribe: (listener: typeof announce) => (announce = listener),
  };
  const step = (key: string, one: BreakerStep): Promise<unknown> => {
    if (one.do === 'read') reads += 1;
    const record = records.get(key) ?? freshBreaker();
    records.set(key, record);
    return Promise.resolve(stepBreaker(record, one, Date.now()));
  };
  const store = { state: 'ready', fleet: { size: 2 }, changes, breakers: { step } } as unknown as Store;
  let set: TargetSet;
  let keysOf: string[];
  let look: () => void;
  beforeEach(async () => {
    [reads, records] = [0, new Map()];
    const health = new TargetHealth(new SharedBreakers(store));
    set = new TargetSet(OWNER, terms, health);
    look = () => health.look(Date.now());
    await set.enter();
    keysOf = [...records.keys()];
  });
  const openElsewhere = (place: number): unknown =>
    step(keysOf[place] ?? '', {
      do: 'trip',
      generation: undefined,
      reason: 'others',
      terms: { openMs: 5000, maxOpenMs: 5000, probes: 1, permitMs: 1000 },
    });

  it('are read before the first request, and never again while nothing happens', async () => {
    expect([reads, keysOf.length]).toEqual([2, 2]);
    for (let i = 0; i < 10; i++) expect(set.enter()).not.toBeInstanceOf(Promise);
    look();
    expect(set.enter()).not.toBeInstanceOf(Promise);
    await jest.advanceTimersByTimeAsync(0);
    expect(reads).toBe(2);
  });

  it('are followed as others announce it, each by its own key', async () => {
    openElsewhere(0);
    announce(keysOf[0] ?? '');
    announce('tenant:service:7');
    await jest.advanceTimersByTimeAsync(0);
    expect([trouble(set), reads]).toEqual(['x.', 3]);
    expect(set.enter()).toBe(at(set, 1));
  });

  it('are read again before the next request when an announcement may have been missed', async () => {
    openElsewhere(1);
    changes.epoch += 1;
    expect(trouble(set)).toBe('..');
    look();
    const entered = set.enter();
    expect(entered).toBeInstanceOf(Promise);
    expect((await entered) as Entry).toMatchObject({ target: at(set, 0), permit: undefined });
    expect([trouble(set), reads]).toEqual(['.x', 4]);
    // The one that is open is read again, too, though no request waits for it.
    changes.epoch += 1;
    stepBreaker(
      records.get(keysOf[1] ?? '') ?? freshBreaker(),
      { do: 'force', state: 'none', reason: '' },
      Date.now(),
    );
    look();
    await jest.advanceTimersByTimeAsync(0);
    expect(trouble(set)).toBe('..');
  });
});
