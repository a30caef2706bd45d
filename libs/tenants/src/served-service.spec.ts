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
