import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openTestStore } from '../store/stores';
import { scratchFolder } from '../support/children';
import { describeRedis, startRedis } from '../support/redis';
import {
  accounts,
  counted,
  expectedAccounts,
  range,
  startRecorder,
  succeed,
  type Recorder,
} from './recorder';

const closing: Array<() => Promise<void>> = [];

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function setUp() {
  const redis = await startRedis();
  closing.push(() => redis.stop());
  const env = { REDIS_URL: redis.url, DATA_DIR: scratchFolder('journal') };
  const store = await openTestStore(env);
  return { env, store, journal: join(env.DATA_DIR, 'journal') };
}

/** The folders of the journal that have been taken over by somebody. */
const takenOver = (journal: string): string[] => readdirSync(journal).filter((name) => name.includes('~'));

describeRedis('processes that share DATA_DIR', () => {
  it('count side by side, and take over from one that is killed while the others go on', async () => {
    const { env, store, journal } = await setUp();
    const lasting = await startRecorder({ env, from: 0, burst: 5 });
    const killed = await startRecorder({ env, from: 100_000, limit: 300, burst: 5, flush: false });
    await killed.finished();
    await killed.kill9();
    const replacement = await startRecorder({ env, from: 200_000, limit: 1000, burst: 5 });
    await replacement.finished();
    // Those of the living are their own.
    expect([readdirSync(journal).length, takenOver(journal).length]).toEqual([3, 1]);
    for (const recorder of [replacement, lasting]) {
      expect(await recorder.stop()).toMatchObject({ code: 0, signal: null });
    }
    await succeed(store, env.DATA_DIR);
    const all = [...range(0, lasting.recorded()), ...range(100_000, 100_300), ...range(200_000, 201_000)];
    expect(await accounts(store)).toEqual(expectedAccounts(all));
  }, 30_000);

  it('publish one dead journal once, although several find it at the same time', async () => {
    const { env, store, journal } = await setUp();
    const start = (numbers: number[], limit: number, flush: boolean): Promise<Recorder[]> =>
      Promise.all(numbers.map((n) => startRecorder({ env, from: n * 1000, limit, flush })));
    const dead = await start([0, 1, 2], 400, false);
    for (const recorder of dead) await recorder.finished();
    for (const recorder of dead) await recorder.kill9();
    const successors = await start([10, 11, 12, 13], 100, true);
    for (const recorder of successors) await recorder.finished();
    expect([readdirSync(journal).length, takenOver(journal).length]).toEqual([7, 3]);
    for (const recorder of successors) await recorder.stop();
    await succeed(store, env.DATA_DIR);
    const numbers = [0, 1, 2].flatMap((n) => [...range(n * 1000, n * 1000 + 400)]);
    for (const n of [10, 11, 12, 13]) numbers.push(...range(n * 1000, n * 1000 + 100));
    expect(await accounts(store)).toEqual(expectedAccounts(numbers));
  }, 30_000);

  it('change nothing when a journal that was published is there once more', async () => {
    const { env, store, journal } = await setUp();
    const recorder = await startRecorder({ env, limit: 500 });
    await recorder.finished();
    await recorder.kill9();
    const [name = ''] = readdirSync(journal);
    const copy = join(scratchFolder('copy'), name);
    cpSync(join(journal, name), copy, { recursive: true });
    await succeed(store, env.DATA_DIR);
    expect(await counted(store)).toBe(500);
    // A backup that somebody brings back.
    cpSync(copy, join(journal, name), { recursive: true });
    await succeed(store, env.DATA_DIR);
    expect(readdirSync(journal)).not.toContain(name);
    expect(await accounts(store)).toEqual(expectedAccounts(range(0, 500)));
  }, 30_000);
});
