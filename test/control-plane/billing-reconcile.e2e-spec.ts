import { TOTALS } from '#libs/usage';
import { makeKey, makeService, makeTenant, traffic } from './billed-tenant';
import { describeStores, type Stage } from './stage';

interface Reconciliation {
  cycles: Array<{ cycle: number; closed_at: string | null }>;
  in_balance: boolean;
  keys: unknown[];
  from: string | null;
  to: string | null;
}

describeStores('reconciliation', (start) => {
  let stage: Stage;
  let serviceId: string;
  let keyId: string;
  beforeEach(async () => {
    stage = await start();
    await makeTenant(stage, 'acme');
    serviceId = await makeService(stage, 'acme');
    keyId = (await makeKey(stage, 'acme')).id;
  });
  afterEach(() => stage.close());

  const reconcile = async (query = ''): Promise<Reconciliation> => {
    const answer = await stage.call('GET', `/billing/reconcile?tenant_id=acme${query}`);
    expect({ query, status: answer.status }).toEqual({ query, status: 200 });
    return answer.body as Reconciliation;
  };
  const close = async (): Promise<void> =>
    expect((await stage.call('POST', '/billing/reset?tenant_id=acme')).status).toBe(200);
  const row = (of: string, rated: number, counted: number, accessed: number): object => ({
    key_id: of,
    rated,
    counted,
    accessed,
    rated_minus_counted: rated - counted,
    rated_minus_accessed: rated - accessed,
  });

  it('finds nothing amiss where every request was counted everywhere, with failures beside them', async () => {
    await traffic(
      stage.store,
      'acme',
      { keyId, count: 5 },
      { keyId, serviceId, count: 3 },
      { keyId, serviceId, count: 9, status: 500 },
      { keyId: 'another', serviceId, count: 2 },
    );
    expect(await reconcile()).toMatchObject({
      tenant_id: 'acme',
      in_balance: true,
      cycles: [{ cycle: 1, opened_at: '1970-01-01T00:00:00.000Z', closed_at: null }],
      keys: [row(keyId, 8, 8, 8), row('another', 2, 2, 2)],
    });
  });

  it('names the keys that drift and by how much, each way', async () => {
    await traffic(stage.store, 'acme', { keyId, count: 5 }, { keyId: 'lost', count: 4, accessed: 6 });
    const { ledgers } = stage.store;
    const extra = {
      source: 'x',
      seq: 1,
      after: 0,
      additions: [],
      cycleAdditions: [['|billed-only|units', 7]],
    } as const;
    await ledgers.apply('acme', extra);
    const result = await reconcile();
    expect(result.in_balance).toBe(false);
    expect(result.keys).toEqual([row(keyId, 5, 5, 5), row('billed-only', 7, 0, 0), row('lost', 4, 4, 6)]);
  });

  it('compares closed cycles by their statements, with those of the open one or without', async () => {
    const today = new Date().toISOString();
    for (const count of [5, 7, 11]) {
      await traffic(stage.store, 'acme', { keyId, count, at: today });
      await close();
    }
    await traffic(stage.store, 'acme', { keyId, count: 2, at: today });
    const all = await reconcile(`&from=${today}`);
    expect(all.cycles.map(({ cycle }) => cycle)).toEqual([4, 3, 2, 1]);
    expect(all).toMatchObject({ in_balance: true, keys: [row(keyId, 25, 25, 25)] });

    // What the ledger says of a cycle that is closed cannot be billed any more.
    await stage.store.ledgers.expire('acme', 'cycle:2', 0);
    expect(await reconcile(`&from=${today}`)).toMatchObject({
      in_balance: false,
      keys: [row(keyId, 25, 25, 18)],
    });
  });

  it('compares whole cycles, those that the range touches', async () => {
    const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    await traffic(stage.store, 'acme', { keyId, count: 3, at: daysAgo(200) });
    const before = await reconcile(`&from=${daysAgo(120)}&to=${daysAgo(100)}`);
    // The open cycle began before the range and goes on after it.
    expect(before.cycles).toMatchObject([{ cycle: 1, closed_at: null }]);
    expect(before).toMatchObject({ in_balance: true, keys: [row(keyId, 3, 3, 3)] });
    await close();
    const closedAt = new Date(Date.now() + 2 * 3_600_000).toISOString();
    const after = await reconcile(
      `&from=${closedAt}&to=${new Date(Date.now() + 5 * 3_600_000).toISOString()}`,
    );
    expect(after.cycles).toMatchObject([{ cycle: 2 }]);
    expect(after).toMatchObject({ in_balance: true, keys: [] });
  });

  it('of a time before the first cycle has nothing to compare', async () => {
    await traffic(stage.store, 'acme', { keyId, count: 3 });
    await close();
    const { cycles } = await reconcile('&from=1969-01-01&to=1969-02-01');
    expect(cycles).toEqual([]);
  });

  it('reads all services that were ever used, also those that are gone', async () => {
    await traffic(stage.store, 'acme', { keyId, serviceId: '777', count: 3 });
    expect(await stage.store.ledgers.readFields('acme', TOTALS, ['s|777|a'])).toEqual([3n]);
    expect(await reconcile()).toMatchObject({ in_balance: true, keys: [row(keyId, 3, 3, 3)] });
  });
});
