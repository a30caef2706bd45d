import { ServedTarget } from './served-target';
import { ServedService } from './served-service';
import type { Service } from './service';
import { TargetHealth } from './target-health';

const CHECK = { path: '/', healthyAfter: 2, unhealthyAfter: 3 };

describe('checks', () => {
  it.each<[title: string, results: string, trouble: string]>([
    ['takes it for healthy at first', '', ''],
    ['stands some bad ones', 'bb', '..'],
    ['is out after three in a row', 'bbb', '..x'],
    ['counts from anew after a good one', 'bbgbbb', '.....x'],
    ['is back after two in a row', 'bbbgbgg', '..xxxx.'],
  ])('%s', (_, results, trouble) => {
    const target = new ServedTarget('http://a.test');
    const seen = [...results].map((result, i) => {
      target.noteCheck(result === 'g' ? undefined : 'status 500', CHECK, i + 1);
      return target.trouble(0) === 'failed_checks' ? 'x' : '.';
    });
    expect(seen.join('')).toBe(trouble);
  });
});

describe('requests', () => {
  it('that fail in a row take it out for a while; after that one failure does, until one succeeds', () => {
    const targets = ['http://a.test', 'http://b.test'].map((url) => ({ url }));
    const fields = { id: '1', tenantId: 't', name: 'n', createdAt: '', targets };
    const passive = { failures: 2, ejectSeconds: 10, maxEjectSeconds: 25 };
    const [target] = new ServedService({ ...fields, passive }).targets as [ServedTarget];
    const out = (now: number): boolean => target.trouble(now) === 'failed_requests';
    const note = (failed: boolean, now: number): void => target.noteRequest(failed, 1, now);
    note(true, 1000);
    expect(out(1000)).toBe(false);
    note(true, 1000);
    // One that was under way does not prolong it.
    note(true, 9000);
    expect([out(1000), out(10_999), out(11_000)]).toEqual([true, true, false]);
    // Longer each time, up to the longest …
    note(true, 12_000);
    expect([out(31_999), out(32_000)]).toEqual([true, false]);
    note(true, 33_000);
    expect([out(57_999), out(58_000)]).toEqual([true, false]);
    note(false, 59_000);
    note(true, 59_001);
    expect(out(59_001)).toBe(false);
    // … and as at first when it was well for as long as it was out.
    note(true, 90_000);
    expect([out(99_999), out(100_000)]).toEqual([true, false]);
  });
});

describe('a service', () => {
  const URLS = ['http://a.test', 'http://b.test', 'http://c.test'];
  const service = (more: Partial<Service> = {}): Service => ({
    id: '7',
    tenantId: 'acme',
    name: 'S',
    targets: URLS.map((url) => ({ url })),
    createdAt: '2026-01-01T00:00:00.000Z',
    ...more,
  });
  const taken = (served: ServedService, count: number): string =>
    Array.from({ length: count }, () => served.next()?.upstream.host[0]).join('');

  it('passes over targets in trouble, and over none if all are', () => {
    const served = new ServedService(service());
    const fail = (place: number): void =>
      void served.targets[place]?.noteCheck('x', { path: '/', unhealthyAfter: 1 }, 1);
    fail(1);
    expect(taken(served, 4)).toBe('acac');
    fail(0);
    fail(2);
    expect([...taken(served, 6)].sort().join('')).toBe('aabbcc');
  });

  it('takes the target with the least under way for its weight, by turns among equals', () => {
    const targets = [{ url: 'http://a.test', weight: 2 }, { url: 'http://b.test' }];
    const served = new ServedService(service({ targets, balance: 'least-pending' }));
    const hosts = Array.from({ length: 6 }, () => {
      const target = served.next() as ServedTarget;
      target.pending += 1;
      return target.upstream.host[0];
    });
    expect(hosts.join('')).toBe('ababaa');
    const [first] = served.targets;
    if (first) first.pending = 0;
    expect(taken(served, 3)).toBe('aaa');
  });

  it('that is compiled anew remembers its targets, but not checks that nobody makes any more', () => {
    const health = new TargetHealth();
    const before = new ServedService(service({ healthCheck: CHECK }), health);
    for (const target of before.targets) {
      target.pending = 3;
      for (let i = 0; i < 3; i++) target.noteCheck('x', CHECK, 1);
    }
    const moved = [...URLS.slice(1), 'http://d.test'].map((url) => ({ url }));
    const after = new ServedService(service({ targets: moved, healthCheck: CHECK }), health);
    const view = (served: ServedService): unknown[] =>
      served.targets.map((target) => [target.trouble(0), target.pending]);
    expect(view(after)).toEqual([['failed_checks', 3], ['failed_checks', 3], [undefined, 0]]); // prettier-ignore
    expect(view(new ServedService(service({ targets: moved }), health))).toEqual(
      [[undefined, 3], [undefined, 3], [undefined, 0]],
    ); // prettier-ignore
  });

  it('that somebody else has compiled as well is in use as long as either leads there', () => {
    const health = new TargetHealth();
    const served = new ServedService(service(), health);
    new ServedService(service(), health);
    served.next();
    expect([...health.watched(Date.now() + 500_000)].map(({ id }) => id)).toEqual(['7']);
  });

  it('of one target that nobody checks is not watched', () => {
    const health = new TargetHealth();
    new ServedService(service({ targets: [{ url: 'http://a.test' }] }), health).next();
    expect([...health.watched(Date.now())]).toEqual([]);
    const served = new ServedService(service(), health);
    served.next();
    expect([...health.watched(Date.now())].map(({ id }) => id)).toEqual(['7']);
    // Nothing has led there for an hour, and then something does.
    expect([...health.watched(Date.now() + 3_600_000)]).toEqual([]);
    served.next();
    expect([...health.watched(Date.now())]).toHaveLength(1);
  });
});
