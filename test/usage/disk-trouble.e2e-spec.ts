import { execFileSync, spawnSync } from 'node:child_process';
import { openTestStore } from '../store/stores';
import { scratchFolder, waitFor } from '../support/children';
import { describeRedis, startRedis } from '../support/redis';
import { accounts, counted, expectedAccounts, range, startRecorder, succeed } from './recorder';

/** Of util-linux: it lifts the limit of a process that runs. */
const itWithPrlimit = spawnSync('prlimit', ['--version']).status === 0 ? it : it.skip;

const closing: Array<() => Promise<void>> = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp() {
  const redis = await startRedis();
  closing.push(() => redis.stop());
  const env = { REDIS_URL: redis.url, DATA_DIR: scratchFolder('journal') };
  return { redis, env, store: await openTestStore(env) };
}

describeRedis('a disk that takes no more in the middle of a line', () => {
  it.each([512, 1024, 4096, 16_384])(
    'counts everything once, where files end at %i bytes',
    async (maxFileBytes) => {
      const { env, store } = await setUp();
      const recorder = await startRecorder({ env, limit: 3000, burst: 3000, maxFileBytes });
      await recorder.finished();
      expect(await recorder.stop()).toMatchObject({ code: 0 });
      expect(recorder.hadTrouble()).toBe(true);
      expect(await accounts(store)).toEqual(expectedAccounts(range(0, 3000)));
    },
    30_000,
  );

  itWithPrlimit(
    'goes on in the file when there is room again',
    async () => {
      const { redis, env, store } = await setUp();
      const recorder = await startRecorder({ env, limit: 8000, burst: 5, flush: false, maxFileBytes: 3072 });
      await waitFor('the first recording', () => recorder.recorded() > 0, 10_000, 1);
      // While the store is away the batch goes on in one file.
      redis.pause();
      await waitFor('the end of the file', () => recorder.recorded() >= 4000, 20_000, 1);
      execFileSync('prlimit', ['--pid', String(recorder.pid), '--fsize=unlimited']);
      await recorder.finished();
      redis.resume();
      await waitFor('publication', async () => (await counted(store).catch(() => 0)) === 8000, 10_000);
      await recorder.kill9();
      await succeed(store, env.DATA_DIR);
      expect(await accounts(store)).toEqual(expectedAccounts(range(0, 8000)));
    },
    30_000,
  );

  it('counts, after a kill, what the disk had taken, and nothing twice', async () => {
    const { env, store } = await setUp();
    const recorder = await startRecorder({ env, limit: 3000, burst: 3000, flush: false, maxFileBytes: 4096 });
    await recorder.finished();
    await recorder.kill9();
    await succeed(store, env.DATA_DIR);
    const total = await counted(store);
    // Some two hundred lines of twenty bytes.
    expect(total).toBeGreaterThan(100);
    expect(await accounts(store)).toEqual(expectedAccounts(range(0, total)));
  }, 30_000);
});
