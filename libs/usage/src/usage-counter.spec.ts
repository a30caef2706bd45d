import { keys, type Store } from '#libs/store';
import { UsageCounter } from './usage-counter';

const INTERVAL = 2000;

/** A counter over a store that keeps sums, refuses some keys, or everything. */
function setUp() {
  const sums: Record<string, number> = {};
  const state = {
    sums,
    calls: [] as number[],
    refused: [] as string[],
    fault: undefined as Error | undefined,
  };
  const addToMany = async (field: string, amounts: ReadonlyMap<string, number>): Promise<string[]> => {
    state.calls.push(amounts.size);
    if (state.fault) throw state.fault;
    const failed = [...amounts.keys()].filter((key) => state.refused.includes(key));
    for (const [key, amount] of amounts) {
      const name = `${key} ${field}`;
      if (!failed.includes(key)) sums[name] = (sums[name] ?? 0) + amount;
    }
    return failed;
  };
  const store = { state: 'ready', counters: { addToMany } };
  return { state, store, usage: new UsageCounter(store as unknown as Store) };
}

const of = (tenantId: string): string => `${keys.usage(tenantId)} requests`;
const pass = (ms: number): Promise<void> => jest.advanceTimersByTimeAsync(ms);

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

it('adds up in memory, and to the store in one call now and then', async () => {
  const { state, usage } = setUp();
  for (let i = 0; i < 100; i++) usage.count('acme');
  usage.count('beta', 5);
  await pass(INTERVAL - 1);
  expect(state.calls).toEqual([]);
  await pass(1);
  expect(state.sums).toEqual({ [of('acme')]: 100, [of('beta')]: 5 });
  usage.count('acme');
  await pass(INTERVAL);
  expect(state.sums).toEqual({ [of('acme')]: 101, [of('beta')]: 5 });
  expect(state.calls).toEqual([2, 1]);
});

it('does not call the store for nothing', async () => {
  const { state } = setUp();
  await pass(10 * INTERVAL);
  expect(state.calls).toEqual([]);
});

it('adds the counts of many tenants in batches', async () => {
  const { state, usage } = setUp();
  for (let i = 0; i < 1200; i++) usage.count(`t${i}`);
  await usage.close();
  expect(state.calls).toEqual([500, 500, 200]);
  expect(Object.keys(state.sums)).toHaveLength(1200);
});

describe('nothing is lost and nothing counted twice', () => {
  it('while the store is away', async () => {
    const { state, store, usage } = setUp();
    store.state = 'away';
    usage.count('acme', 3);
    await pass(3 * INTERVAL);
    expect(state.calls).toEqual([]);
    store.state = 'ready';
    usage.count('acme');
    await pass(INTERVAL);
    expect(state.sums).toEqual({ [of('acme')]: 4 });
  });

  it('when a call fails', async () => {
    const { state, usage } = setUp();
    state.fault = new Error('away');
    usage.count('acme', 3);
    await pass(INTERVAL);
    usage.count('acme');
    state.fault = undefined;
    await pass(2 * INTERVAL);
    expect(state.sums).toEqual({ [of('acme')]: 4 });
  });

  it('when some of a call could not be added', async () => {
    const { state, usage } = setUp();
    state.refused = [keys.usage('beta')];
    usage.count('acme', 3);
    usage.count('beta', 2);
    await pass(INTERVAL);
    expect(state.sums).toEqual({ [of('acme')]: 3 });
    state.refused = [];
    await pass(INTERVAL);
    expect(state.sums).toEqual({ [of('acme')]: 3, [of('beta')]: 2 });
  });
});

it('publishes what is left when it is closed, and nothing after', async () => {
  const { state, usage } = setUp();
  usage.count('acme', 3);
  await usage.close();
  expect(state.sums).toEqual({ [of('acme')]: 3 });
  usage.count('acme');
  await pass(10 * INTERVAL);
  expect(state.calls).toEqual([1]);
});

it('is closed only after what was under way has been added', async () => {
  const { state, store, usage } = setUp();
  const { addToMany } = store.counters;
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  store.counters.addToMany = async (field, amounts) => {
    await gate;
    return addToMany(field, amounts);
  };
  usage.count('acme', 3);
  await pass(INTERVAL);
  usage.count('acme');
  let closed = false;
  const closing = usage.close().then(() => (closed = true));
  await pass(INTERVAL);
  expect([closed, state.sums]).toEqual([false, {}]);
  open();
  await closing;
  expect(state.sums).toEqual({ [of('acme')]: 4 });
});
