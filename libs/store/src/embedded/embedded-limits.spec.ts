import { peekOne, takeOne } from '../../../../test/support/limits';
import { LEASE_TTL_MS, type Bucket, type Budget } from '../store';
import { EmbeddedLimits } from './embedded-limits';

describe('limits in memory', () => {
  let now: number;
  let limits: EmbeddedLimits;
  let store: { limits: EmbeddedLimits };
  beforeEach(() => {
    now = 1_800_000_000_000;
    limits = new EmbeddedLimits(() => now);
    store = { limits };
  });

  const bucket = (key: string, capacity = 2, windowMs = 1000): Bucket => ({ key, capacity, windowMs });
  const budget = (key: string, endsAt: number): Budget => ({
    key,
    capacity: 2,
    windowMs: 0,
    cost: 1,
    endsAt,
  });
  const held = (): number => (limits as unknown as { entries: Map<string, unknown> }).entries.size;
  /** Ten thousand strangers make it look for what can be forgotten; a second later they all can. */
  const sendStrangers = (): void => {
    for (let i = 0; i < 30_000; i++) {
      limits.take([bucket(`stranger ${i}`)]);
      if (i % 10_000 === 0) now += 1000;
    }
  };

  it('are kept apart by their keys', () => {
    for (const key of ['a', 'b']) {
      expect([1, 2, 3].map(() => limits.take([bucket(key)]).allowed)).toEqual([true, true, false]);
    }
  });

  it('are shown as full while nobody has used them, and are not made by that', async () => {
    expect(await peekOne(store, bucket('a'))).toEqual({ allowed: true, remaining: 2, retryAfterMs: 0 });
    expect(held()).toBe(0);
    expect(await takeOne(store, bucket('a'))).toMatchObject({ remaining: 1 });
    expect(await peekOne(store, bucket('a'))).toMatchObject({ remaining: 1 });
  });

  it('are taken all or none, and each says how it stands', () => {
    const claim = [bucket('a', 3), bucket('b', 1, 4000), budget('c', 0)];
    expect(limits.take(claim)).toEqual({
      allowed: true,
      verdicts: [
        { allowed: true, remaining: 2, retryAfterMs: 0 },
        { allowed: true, remaining: 0, retryAfterMs: 4000 },
        { allowed: true, remaining: 1, retryAfterMs: 0 },
      ],
    });
    const refused = {
      allowed: false,
      verdicts: [
        { allowed: true, remaining: 2, retryAfterMs: 0 },
        { allowed: false, remaining: 0, retryAfterMs: 4000 },
        { allowed: true, remaining: 1, retryAfterMs: 0 },
      ],
    };
    expect(limits.take(claim)).toEqual(refused);
    expect(limits.peek(claim)).toEqual(refused);
  });

  it('are forgotten only when they are full again, so that many of them admit no more', () => {
    limits.take([bucket('used up', 1, 1_000_000)]);
    sendStrangers();
    expect(limits.take([bucket('used up', 1, 1_000_000)]).allowed).toBe(false);
    expect(held()).toBeLessThan(25_000);
  });

  it('are not forgotten while something is on lease, though nothing seems to be missing', () => {
    const lent = bucket('lent', 10, 1000);
    const request = { bucket: lent, wanted: 6, generation: 0, used: 0, returned: 0, held: 0 };
    const [grant] = limits.lease([request]);
    for (let i = 0; i < 9999; i++) limits.take([bucket(`stranger ${i}`)]);
    now += LEASE_TTL_MS - 1;
    limits.take([bucket('the one that makes it look')]);
    expect(held()).toBe(2);
    const report = { ...request, wanted: 10, generation: grant?.generation ?? 0, held: 6 };
    expect(limits.lease([report])).toMatchObject([{ kept: true, granted: 4 }]);
  });

  it('are forgotten when the period of a budget is over, and not before', async () => {
    const [over, open, endless] = [
      budget('over', now + 1500),
      budget('open', now + 1e6),
      budget('endless', 0),
    ];
    limits.charge([over, open, endless].map((limit) => [limit, 2]));
    expect(await peekOne(store, over)).toMatchObject({ allowed: false });
    sendStrangers();
    expect(await peekOne(store, over)).toMatchObject({ allowed: true, remaining: 2 });
    for (const kept of [open, endless]) expect(await peekOne(store, kept)).toMatchObject({ allowed: false });
  });
});
