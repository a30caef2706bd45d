import { Concurrency, type ConcurrencySettings, type SlotHolder } from './concurrency';

const TENANT = { id: 'acme', maxConcurrency: undefined, maxStreams: undefined };

function concurrencyOf(settings: Partial<ConcurrencySettings> = {}): Concurrency {
  return new Concurrency({
    limit: Infinity,
    maxQueued: 0,
    queueMs: 1000,
    maxStreams: Infinity,
    governed: false,
    ...settings,
  });
}

function holder(): SlotHolder {
  return { slot: undefined, serviceSlot: undefined, streamPlace: undefined };
}

describe('what a request takes', () => {
  it('is nothing where there is no bound', () => {
    const concurrency = concurrencyOf();
    const request = holder();
    expect(concurrency.enter(request, TENANT, { id: '1', maxConcurrency: undefined }, 0)).toBe(true);
    expect(request).toEqual(holder());
    expect(concurrency.slots.known).toBe(0);
  });

  it('is given back once, however often it ends', () => {
    const concurrency = concurrencyOf({ limit: 2 });
    const requests = [holder(), holder(), holder()];
    const enter = (request: SlotHolder) => concurrency.enter(request, TENANT, undefined, 0);
    expect(requests.map(enter)).toEqual([true, true, 'gateway_full']);
    for (let i = 0; i < 3; i++) for (const request of requests) concurrency.leave(request);
    expect(concurrency.slots.inflight).toBe(0);
    expect(requests.map(enter)).toEqual([true, true, 'gateway_full']);
  });

  it('is given back by one that waited, before and after it got it', async () => {
    const concurrency = concurrencyOf({ limit: 1, maxQueued: 5 });
    const [first, second, third] = [holder(), holder(), holder()];
    void concurrency.enter(first, TENANT, undefined, 0);
    const verdict = concurrency.enter(second, TENANT, undefined, 0);
    void concurrency.enter(third, TENANT, undefined, 0);
    concurrency.leave(third);
    concurrency.leave(first);
    expect(await verdict).toBeUndefined();
    expect(concurrency.slots).toMatchObject({ inflight: 1, queued: 0 });
    concurrency.leave(second);
    expect(concurrency.slots).toMatchObject({ inflight: 0, queued: 0 });
  });

  it('is bounded by its service, whoever asks', () => {
    const concurrency = concurrencyOf();
    const service = { id: '7', maxConcurrency: 1 };
    const [first, second] = [holder(), holder()];
    expect(concurrency.enter(first, TENANT, service, 0)).toBe(true);
    expect(concurrency.enter(second, { ...TENANT, id: 'other' }, service, 0)).toBe('service_full');
    concurrency.leave(second);
    concurrency.leave(first);
    expect(concurrency.enter(second, TENANT, service, 0)).toBe(true);
  });
});

describe('streams', () => {
  const BUSY = { ...TENANT, maxStreams: 1 };

  it('give their slot back when they have found a place', () => {
    const concurrency = concurrencyOf({ limit: 5, maxStreams: 1 });
    const [first, second] = [holder(), holder()];
    for (const request of [first, second]) {
      void concurrency.enter(request, TENANT, undefined, 0);
      concurrency.becomesStream(request, TENANT, 0);
    }
    // The second found none, and counts as a request.
    expect([concurrency.slots.inflight, concurrency.streams.taken]).toEqual([1, 1]);
    for (const request of [first, second]) concurrency.leave(request);
    expect([concurrency.slots.inflight, concurrency.streams.taken]).toEqual([0, 0]);
  });

  it('are bounded for a tenant, and in all', () => {
    const concurrency = concurrencyOf({ maxStreams: 2 });
    const enter = (tenant: typeof BUSY | typeof TENANT) => concurrency.enterStream(holder(), tenant, 0);
    expect([enter(BUSY), enter(BUSY)]).toEqual([true, 'streams_full']);
    expect(enter({ ...TENANT, id: 'b' })).toBe(true);
    expect(enter({ ...TENANT, id: 'c' })).toBe('streams_full');
  });

  it('of one tenant leave a place for somebody who has none', () => {
    const concurrency = concurrencyOf({ maxStreams: 16 });
    const results = Array.from({ length: 16 }, () => concurrency.enterStream(holder(), TENANT, 0));
    expect(results.filter((result) => result === true)).toHaveLength(14);
    expect(concurrency.enterStream(holder(), { ...TENANT, id: 'b' }, 0)).toBe(true);
  });
});
