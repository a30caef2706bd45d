import type { Service } from './service';
import { ServedService } from './served-service';

const served = (more: Partial<Service> = {}): ServedService =>
  new ServedService({
    id: '7',
    tenantId: 'acme',
    name: 'S',
    targets: [{ url: 'https://a.example/base/' }],
    createdAt: '2026-01-01T00:00:00.000Z',
    ...more,
  });

describe('next', () => {
  const sequence = (weights: Array<number | undefined>, count: number): string => {
    const service = served({
      targets: weights.map((weight, i) => ({ url: `http://${'abcd'[i]}.example`, weight })),
    });
    return Array.from({ length: count }, () => service.next()?.upstream.host[0]).join('');
  };

  it.each<[weights: Array<number | undefined>, sequence: string]>([
    [[1], 'aaaa'],
    [[undefined, undefined], 'abab'],
    [[1, 1, 1], 'abcabc'],
    [[2, 1], 'abaaba'],
    [[undefined, 3], 'babbbabb'],
    // Evenly mixed: never more than two of the heavy one in a row where that can be helped.
    [[5, 1, 1], 'aabacaaaabacaa'],
  ])('gives targets of the weights %j their turns', (weights, expected) => {
    expect(sequence(weights, expected.length)).toBe(expected);
  });

  it('keeps to the weights exactly, round after round', () => {
    const turns = sequence([1000, 333, 66, 1], 1400 * 3);
    const counts = [...'abcd'].map((name) => turns.split(name).length - 1);
    expect(counts).toEqual([3000, 999, 198, 3]);
  });

  it('gives the same object for the same address, also to other services', () => {
    expect(served().next()?.upstream).toBe(served({ id: '8' }).next()?.upstream);
    expect(served().next()?.upstream).toEqual({
      origin: 'https://a.example',
      basePath: '/base',
      ownPath: '/base/',
      host: 'a.example',
    });
  });
});

it('has a limit of its own, asks for a JWT and has time-outs only if it says so', () => {
  expect(served()).toMatchObject({ bucket: undefined, requiresJwt: false, timeouts: undefined });
  const own = served({
    rateLimit: { windowSeconds: 10, maxRequests: 5 },
    auth: { jwt: true },
    timeouts: { totalMs: 9 },
  });
  expect(own.bucket).toMatchObject({ key: 'rl:{acme}:service:7:10', capacity: 5, windowMs: 10_000 });
  expect([own.requiresJwt, own.timeouts]).toEqual([true, { totalMs: 9 }]);
});

describe('next, where targets have failed the request', () => {
  const URLS = ['http://a.example', 'http://b.example', 'http://c.example'];
  const NO_TROUBLE: string[] = [];

  it.each<[tried: string, troubled: string[], chosen: string]>([
    ['a', NO_TROUBLE, 'bc'],
    ['ab', NO_TROUBLE, 'c'],
    // Of those that were not tried, one that is well …
    ['a', ['b'], 'c'],
    // … or one that has failed once, before one that is known to be down …
    ['a', ['b', 'c'], 'a'],
    // … and if all are down, one that was not tried.
    ['a', ['a', 'b', 'c'], 'bc'],
    ['abc', NO_TROUBLE, 'abc'],
    ['abc', ['a', 'b', 'c'], 'abc'],
  ])('after %s, with %j in trouble, is one of %s', (tried, troubled, chosen) => {
    for (const balance of ['round-robin', 'least-pending'] as const) {
      const service = served({ targets: URLS.map((url) => ({ url })), balance });
      const named = (name: string): number => 'abc'.indexOf(name);
      for (const name of troubled) service.targets[named(name)]!.passesChecks = false;
      const failed = [...tried].map((name) => service.targets[named(name)]!);
      const found = new Set(Array.from({ length: 6 }, () => service.next(failed)!.upstream.host[0]));
      expect([...found].sort().join('')).toBe(chosen);
    }
  });

  it('is the only one there is', () => {
    const service = served();
    expect(service.next([service.next()!])).toBe(service.targets[0]);
  });
});
