import { UsageMeter } from '#libs/usage';
import { openTestStore } from '../store/stores';
import { scratchFolder, waitFor } from '../support/children';
import { describeRedis, startRedis, type RedisOptions, type TestRedis } from '../support/redis';
import { accounts, expectedAccounts, range, sampleRequest, startRecorder, succeed } from './recorder';
import { listen } from './stage';

const closing: Array<() => Promise<void>> = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp(options: RedisOptions) {
  const redis = await startRedis(options);
  const env = { REDIS_URL: redis.url, DATA_DIR: scratchFolder('journal') };
  const store = await openTestStore(env);
  closing.push(() => redis.stop());
  return { redis, env, store };
}

async function setUpMeter(options: RedisOptions) {
  const { redis, env, store } = await setUp(options);
  const { logger, logs } = listen();
  const meter = new UsageMeter(store, logger, env.DATA_DIR);
  closing.push(() => meter.close());
  const record = (numbers: Iterable<number>): void => {
    for (const number of numbers) {
      const { series, status, bytesIn, bytesOut, billable } = sampleRequest(number);
      meter.record(meter.series(...series), status, bytesIn, bytesOut, billable);
    }
  };
  return { redis, store, meter, record, logs };
}

/** Sample numbers of one tenant only. */
const ofTenant = (tenant: number, from: number, to: number): number[] =>
  [...range(from, to)].filter((i) => i % 3 === tenant);

async function restartAsItWas(redis: TestRedis): Promise<void> {
  await redis.kill();
  await redis.restart();
}

describeRedis('when Redis loses what it had confirmed', () => {
  it('repeats it from the journal after a restart from an older state, for idle tenants as well', async () => {
    const { redis, store, meter, record, logs } = await setUpMeter({});
    record(range(0, 100));
    await meter.flush();
    await redis.cli('SAVE');
    // Several batches, of which each tenant is in some only.
    const later = [ofTenant(0, 100, 200), ofTenant(1, 100, 200), ofTenant(0, 200, 300), [...range(300, 310)]];
    for (const numbers of later) {
      record(numbers);
      await meter.flush();
    }
    await restartAsItWas(redis);
    // Nobody makes a request any more: it must be found out without one.
    const all = [...range(0, 100), ...later.flat()];
    await waitFor(
      'what was lost',
      async () => {
        await meter.flush();
        return meter.troubles.storeLosses >= 3 && meter.backlogBatches === 0;
      },
      10_000,
    );
    expect(await accounts(store)).toEqual(expectedAccounts(all));
    expect(logs.map(({ msg }) => msg)).toContain(
      'confirmed usage was lost by the store and is repeated from the journal',
    );
    record(range(1000, 1100));
    await meter.flush();
    expect(await accounts(store)).toEqual(expectedAccounts([...all, ...range(1000, 1100)]));
  }, 30_000);

  it('repeats it after FLUSHALL', async () => {
    const { redis, store, meter, record } = await setUpMeter({});
    record(range(0, 100));
    await meter.flush();
    record(range(100, 200));
    await meter.flush();
    await redis.cli('FLUSHALL');
    await waitFor(
      'what was lost',
      async () => {
        await meter.flush();
        return meter.troubles.storeLosses >= 3;
      },
      10_000,
    );
    expect(await accounts(store)).toEqual(expectedAccounts(range(0, 200)));
  }, 30_000);

  it('has it repeated by the successor of a process that was killed in between', async () => {
    const { redis, env, store } = await setUp({});
    const first = await startRecorder({ env, limit: 200 });
    await first.finished();
    await waitFor('the first batches', async () => (await redis.cli('DBSIZE')) !== '0');
    await redis.cli('SAVE');
    const second = await startRecorder({ env, from: 200, limit: 200 });
    await second.finished();
    expect(await second.stop()).toMatchObject({ code: 0 });
    await first.kill9();
    await restartAsItWas(redis);
    await store.ready();
    await succeed(store, env.DATA_DIR);
    expect(await accounts(store)).toEqual(expectedAccounts(range(0, 400)));
  }, 30_000);
});

describeRedis('when Redis is killed and comes back with everything', () => {
  it('adds what was recorded in between, and nothing twice', async () => {
    const { redis, env, store } = await setUp({ aof: true });
    const recorder = await startRecorder({ env, limit: 6000, burst: 5 });
    for (let kills = 1; kills <= 4; kills++) {
      await waitFor('more recordings', () => recorder.recorded() >= kills * 1000, 20_000, 1);
      await redis.kill();
      const recorded = recorder.recorded();
      // It goes on recording without Redis.
      await waitFor('recordings without Redis', () => recorder.recorded() >= recorded + 100, 10_000, 1);
      await redis.restart();
    }
    await recorder.finished();
    expect(await recorder.stop()).toMatchObject({ code: 0 });
    // What it could not publish in its last two seconds it has left to the next one.
    await succeed(store, env.DATA_DIR);
    expect(await accounts(store)).toEqual(expectedAccounts(range(0, 6000)));
  }, 60_000);
});
