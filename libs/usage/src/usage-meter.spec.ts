import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder, waitFor } from '../../../test/support/children';
import { listen, openLedgers, tableOf, type TestStore } from '../../../test/usage/stage';
import type { Series } from './series';
import { UsageMeter, type UsageMeterOptions } from './usage-meter';

const closing: Array<{ close(): Promise<void> }> = [];

afterEach(async () => {
  for (const part of closing.splice(0).reverse()) await part.close();
});

interface Stage {
  meter: UsageMeter;
  series: Series;
  store: TestStore;
  dataDir: string;
}

/** A meter over the embedded store's ledgers, or over those of an earlier stage. */
function setUp(options: UsageMeterOptions = {}, earlier?: Pick<Stage, 'store' | 'dataDir'>) {
  const store = earlier?.store ?? openLedgers();
  if (!earlier) closing.push(store);
  const dataDir = earlier?.dataDir ?? scratchFolder('data');
  const { logger, logs } = listen();
  const meter = new UsageMeter(store, logger, dataDir, options);
  closing.push(meter);
  return { meter, series: meter.series('acme', '', 'k1', '/a', 1000, 'v1'), store, dataDir, logs };
}

const requests = async ({ store }: Stage): Promise<number | undefined> =>
  (await tableOf(store, 'acme', 'totals')).requests;

function record({ meter, series }: Stage, times: number): void {
  for (let i = 0; i < times; i++) meter.record(series, 200, 1, 2, true);
}

it('publishes by itself about a second later', async () => {
  const stage = setUp();
  record(stage, 3);
  await waitFor('the first batch', async () => (await requests(stage)) === 3);
  record(stage, 4);
  await waitFor('the second batch', async () => (await requests(stage)) === 7);
});

it('lets many series gather for longer, and publishes one batch of them after the other', async () => {
  const state = { now: Date.now() };
  const stage = setUp({ clock: () => state.now });
  const { meter, store } = stage;
  // Of one tenant: what is waited for is one apply of 100 series at a time.
  const many = Array.from({ length: 10_500 }, (_, i) => meter.series('acme', '', `k${i}`, '/', 0, ''));
  for (const series of many) meter.record(series, 200, 1, 2, true);
  expect(meter.backlogSince).toBe(state.now);
  state.now += 9_000;
  // Another one, whose turn comes as often.
  const other = setUp();
  record(other, 1);
  await waitFor('the turn of the other', async () => (await requests(other)) === 1);
  expect([store.given.length, meter.backlogBatches]).toEqual([0, 0]);
  state.now += 2_000;
  await waitFor('the first batch', async () => (await requests(stage)) === 10_000);
  expect(store.given).toHaveLength(100);
  state.now += 1_000;
  await waitFor('the second batch', async () => (await requests(stage)) === 10_500);
});

it('publishes what has been recorded when it is told to', async () => {
  const stage = setUp();
  record(stage, 3);
  await stage.meter.flush();
  expect(await tableOf(stage.store, 'acme', 'totals')).toEqual({
    requests: 3,
    'k|k1|billed': 3,
    'k|k1|cost': 3000,
  });
  expect(await tableOf(stage.store, 'acme', 'cycle:1')).toEqual({
    'v1|k1|units': 3,
    'v1|k1|cost': 3000,
    'access|k1|n': 3,
  });
});

it('keeps old prices for old requests', async () => {
  const stage = setUp();
  record(stage, 2);
  record({ ...stage, series: stage.meter.series('acme', '', 'k1', '/a', 5000, 'v2') }, 1);
  await stage.meter.flush();
  expect(await tableOf(stage.store, 'acme', 'cycle:1')).toMatchObject({
    'v1|k1|cost': 2000,
    'v2|k1|cost': 5000,
  });
});

it('adds to the cycle that is open', async () => {
  const stage = setUp();
  record(stage, 2);
  await stage.meter.flush();
  await stage.store.ledgers.closeCycle('acme', 1);
  record(stage, 5);
  await stage.meter.flush();
  expect((await tableOf(stage.store, 'acme', 'cycle:1'))['v1|k1|units']).toBe(2);
  expect((await tableOf(stage.store, 'acme', 'cycle:2'))['v1|k1|units']).toBe(5);
});

it('publishes what is left when it is closed', async () => {
  const stage = setUp();
  record(stage, 3);
  await stage.meter.close();
  expect(await requests(stage)).toBe(3);
});

it('leaves no folder behind when nothing is worth keeping', async () => {
  const stage = setUp({ retainMs: 0 });
  record(stage, 3);
  await stage.meter.close();
  expect(readdirSync(join(stage.dataDir, 'journal'))).toEqual([]);
});

it('writes nothing before there is something to write', async () => {
  const stage = setUp();
  await stage.meter.flush();
  expect(existsSync(join(stage.dataDir, 'journal'))).toBe(false);
});

describe('while the store is away', () => {
  it('goes on counting, in one batch, and says since when', async () => {
    const state = { now: Date.now() };
    const stage = setUp({ clock: () => state.now });
    expect([stage.meter.backlogBatches, stage.meter.backlogSince]).toEqual([0, 0]);
    stage.store.state = 'away';
    const since = state.now;
    record(stage, 3);
    state.now += 60_000;
    record(stage, 4);
    expect([stage.meter.backlogBatches, stage.meter.backlogSince]).toEqual([1, since]);
    stage.store.state = 'ready';
    await stage.meter.flush();
    expect([stage.meter.backlogBatches, stage.meter.backlogSince]).toEqual([0, 0]);
    expect(stage.store.given).toHaveLength(1);
    expect(await requests(stage)).toBe(7);
  });

  it('asks, when it is back, whether it still has everything', async () => {
    const stage = setUp();
    record(stage, 3);
    await stage.meter.flush();
    stage.store.state = 'away';
    await stage.meter.flush();
    await stage.store.ledgers.drop('acme');
    stage.store.state = 'ready';
    await stage.meter.flush();
    expect(await requests(stage)).toBe(3);
    expect(stage.meter.troubles.storeLosses).toBe(1);
  });

  it('asks as well after an interruption that was over before anybody looked', async () => {
    const stage = setUp();
    record(stage, 3);
    await stage.meter.flush();
    await stage.store.ledgers.drop('acme');
    stage.store.changes.epoch += 1;
    await stage.meter.flush();
    expect(await requests(stage)).toBe(3);
  });

  it('closes at once, and leaves the rest to the next start', async () => {
    const first = setUp();
    first.store.state = 'away';
    record(first, 3);
    await first.meter.close();
    first.store.state = 'ready';
    const second = setUp({}, first);
    await second.meter.flush();
    expect(await requests(first)).toBe(3);
  });

  it('does not wait for ever for a store that does not answer when it is closed', async () => {
    const stage = setUp();
    stage.store.ledgers.apply = () => new Promise(() => undefined);
    record(stage, 3);
    await stage.meter.close();
    expect(stage.meter.backlogBatches).toBe(1);
  });
});

describe('what an earlier process has left', () => {
  it('is published once, under its name, and then removed', async () => {
    const first = setUp();
    record(first, 3);
    await first.meter.flush();
    first.store.state = 'away';
    record(first, 4);
    await first.meter.close();
    first.store.state = 'ready';
    const second = setUp({ retainMs: 0 }, first);
    record(second, 5);
    await second.meter.flush();
    expect(await requests(first)).toBe(12);
    await second.meter.close();
    expect(readdirSync(join(first.dataDir, 'journal'))).toEqual([]);
  });

  it('is kept for a while, for the store may lose it still', async () => {
    const first = setUp();
    record(first, 3);
    await first.meter.close();
    const second = setUp({}, first);
    await second.meter.flush();
    await first.store.ledgers.drop('acme');
    first.store.changes.epoch += 1;
    await second.meter.flush();
    expect(await requests(first)).toBe(3);
  });

  it('is left alone when it is so old that the ledger may have forgotten it', async () => {
    const first = setUp();
    record(first, 3);
    await first.meter.close();
    const inAMonth = Date.now() + 31 * 86_400_000;
    const second = setUp({ clock: () => inAMonth }, first);
    record(second, 4);
    await second.meter.flush();
    expect(await requests(first)).toBe(7);
    expect(first.store.given).toHaveLength(2);
    expect(second.logs.map(({ msg }) => msg)).toContain(
      'a usage journal is too old to tell what of it has been published; it is left where it is',
    );
    expect(readdirSync(join(first.dataDir, 'journal'))).toHaveLength(2);
  });
});

it('goes on publishing when it cannot write a journal, and counts that', async () => {
  const dataDir = scratchFolder('data');
  writeFileSync(join(dataDir, 'journal'), 'a file where the folder should be');
  const stage = setUp({}, { store: openLedgers(), dataDir });
  closing.push(stage.store);
  record(stage, 3);
  await stage.meter.flush();
  record(stage, 4);
  await stage.meter.flush();
  expect(await requests(stage)).toBe(7);
  expect(stage.meter.journalErrors).toBeGreaterThanOrEqual(2);
});

it('loses nothing when somebody deletes the journal', async () => {
  const stage = setUp();
  for (let times = 1; times <= 3; times++) {
    record(stage, 100);
    rmSync(join(stage.dataDir, 'journal'), { recursive: true });
    record(stage, 10);
    await stage.meter.flush();
    expect(await requests(stage)).toBe(times * 110);
  }
  expect(stage.meter.journalErrors).toBe(3);
});
