import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from '../../../../test/support/children';
import { listen } from '../../../../test/usage/stage';
import { SeriesIndex, type Series } from '../series';
import { readBatchFile } from './batch-file';
import { Complaints } from './complaints';
import { Journal, type SealedBatch } from './journal';
import type { SeriesSums } from './series-sums';

const START = Date.UTC(2026, 0, 31, 9, 59, 30);

function setUp(path = join(scratchFolder('journal'), 'epoch')) {
  const { logger, logs } = listen();
  const state = { now: START };
  const clock = (): number => state.now;
  const sealed: SealedBatch[] = [];
  const folder = { path, make: () => void mkdirSync(path, { recursive: true }) };
  const journal = new Journal(folder, new Complaints(logger, clock), clock, (batch) => sealed.push(batch));
  const index = new SeriesIndex(clock);
  const series = (keyId: string): Series =>
    index.find({
      tenantId: 'acme',
      serviceId: '',
      keyId,
      route: '/ä/{id}',
      priceNano: 1000,
      planVersion: 'v1',
    });
  return { state, journal, sealed, series, path, logs };
}

/** Requests, bytes in, bytes out and billed by key, hour and class, and what is in memory and on disk alike. */
async function contentOf(batch: SealedBatch | undefined): Promise<Record<string, number[]>> {
  if (!batch) throw new Error('nothing was sealed');
  const { series, unreadable } = await readBatchFile(batch.path);
  expect(unreadable).toBe(0);
  return table([...series, ...batch.inMemory]);
}

function table(all: readonly SeriesSums[]): Record<string, number[]> {
  const rows: Record<string, number[]> = {};
  for (const sums of all) {
    for (const [hour, status, sum] of sums) {
      const key = `${sums.identity.keyId} ${new Date(hour * 3_600_000).toISOString().slice(11, 13)}h ${status}xx`;
      const row = (rows[key] ??= [0, 0, 0, 0]);
      [sum.requests, sum.bytesIn, sum.bytesOut, sum.billed].forEach((amount, i) => (row[i]! += amount));
    }
  }
  return rows;
}

it('has each request on disk as soon as it is recorded, in one small line', () => {
  const { journal, series, path } = setUp();
  journal.record(series('k1'), 200, 10, 100, true);
  journal.record(series('k1'), 404, 0, 50, false);
  expect(readFileSync(join(path, '1.log'), 'utf8')).toBe(
    '@491625\n#0 ["acme","","k1","/ä/{id}",1000,"v1"]\n0 2 10 100 1\n0 4 0 50 0\n',
  );
});

it('counts by series, class and hour, in a file for each batch', async () => {
  const { journal, series, sealed, state } = setUp();
  journal.record(series('k1'), 200, 10, 100, true);
  journal.record(series('k2'), 503, 1, 2, true);
  state.now += 60_000;
  journal.record(series('k1'), 301, 10, 100, false);
  // Clocks go back, too.
  state.now -= 60_000;
  journal.record(series('k1'), 204, 1, 0, true);
  journal.seal();
  journal.record(series('k1'), 200, 7, 7, true);
  journal.seal();
  journal.seal();
  expect(sealed.map(({ seq, begunAt }) => [seq, begunAt])).toEqual([
    [1, START],
    [2, START],
  ]);
  expect(await contentOf(sealed[0])).toEqual({
    'k1 09h 2xx': [2, 11, 100, 2],
    'k1 10h 3xx': [1, 10, 100, 0],
    'k2 09h 5xx': [1, 1, 2, 0],
  });
  expect(await contentOf(sealed[1])).toEqual({ 'k1 09h 2xx': [1, 7, 7, 1] });
});

it('seals with the billable responses, counted by their status and apart from the lines', async () => {
  const { journal, series, sealed } = setUp();
  for (const status of [101, 200, 304, 404, 500]) journal.record(series('k1'), status, 0, 0, true);
  journal.record(series('k1'), 200, 0, 0, false);
  journal.record(series('k2'), 200, 0, 0, false);
  journal.seal();
  const { series: read } = await readBatchFile(sealed[0]!.path);
  expect(read.map(({ identity, responses }) => [identity.keyId, responses])).toEqual([
    ['k1', 3],
    ['k2', 0],
  ]);
});

it.each([NaN, -1, 1.5, Infinity, 1e300, undefined as unknown as number])(
  'counts a request whose bytes are %p, without them',
  async (bytes) => {
    const { journal, series, sealed } = setUp();
    journal.record(series('k1'), 200, bytes, bytes, true);
    journal.seal();
    expect(await contentOf(sealed[0])).toEqual({ 'k1 09h 2xx': [1, 0, 0, 1] });
  },
);

it('goes on in another batch when one has many series, and seals them in order', async () => {
  const { journal, series, sealed } = setUp();
  const all = Array.from({ length: 20_001 }, (_, i) => series(`k${i}`));
  for (const one of all) journal.record(one, 200, 0, 0, true);
  for (const one of all) journal.record(one, 404, 0, 0, true);
  expect([journal.batches, journal.size, sealed]).toEqual([3, 20_001, []]);
  journal.sealOldest();
  // What was in the sealed one goes on in the youngest, the others where they are.
  for (const i of [0, 10_000, 20_000]) journal.record(all[i]!, 500, 0, 0, true);
  expect(journal.size).toBe(10_002);
  journal.seal();
  expect(sealed.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  const contents = await Promise.all(sealed.map(contentOf));
  expect(contents.map((content) => Object.keys(content).length)).toEqual([20_000, 20_001, 4]);
  expect(Object.keys(contents[2]!)).toEqual([
    'k20000 09h 2xx',
    'k20000 09h 4xx',
    'k20000 09h 5xx',
    'k0 09h 5xx',
  ]);
  expect(journal.size).toBe(0);
});

it('seals by itself before a batch becomes too large, and the older ones before it', () => {
  const { journal, series, sealed } = setUp();
  const all = Array.from({ length: 10_001 }, (_, i) => series(`k${i}`));
  for (const one of all) journal.record(one, 200, 0, 0, true);
  // What a line takes is what its series is called.
  const long = Array.from({ length: 16 }, (_, i) => series(`${i}`.padEnd(1024 * 1024)));
  for (const one of long.slice(0, -1)) journal.record(one, 200, 0, 0, true);
  expect(sealed).toEqual([]);
  journal.record(long.at(-1)!, 200, 0, 0, true);
  expect(sealed.map(({ seq }) => seq)).toEqual([1, 2]);
  journal.record(all.at(-1)!, 200, 0, 0, true);
  expect([journal.batches, journal.size]).toEqual([1, 1]);
});

it('keeps no more than sixteen batches growing', () => {
  const { journal, series, sealed } = setUp();
  for (let i = 0; i < 160_001; i++) journal.record(series(`k${i}`), 200, 0, 0, true);
  expect(sealed.map(({ seq }) => seq)).toEqual([1]);
  expect([journal.batches, journal.size]).toEqual([16, 150_001]);
});

describe('when the disk does not take it', () => {
  /** A file where the folder should be, which keeps everybody from making it. */
  function blocked() {
    const parent = scratchFolder('blocked');
    writeFileSync(join(parent, 'data'), '');
    return { ...setUp(join(parent, 'data', 'epoch')), free: () => rmSync(join(parent, 'data')) };
  }

  it('counts in memory, tries again after a second, and says so every five', async () => {
    const { journal, series, sealed, state, logs } = blocked();
    for (let second = 0; second < 11; second++) {
      for (let i = 0; i < 3; i++) journal.record(series('k1'), 200, 1, 2, true);
      state.now += 1000;
    }
    expect(journal.errors).toBe(11);
    expect(logs.map(({ level, msg }) => [level, msg])).toEqual(
      Array(3).fill(['error', 'the usage journal cannot be written, usage is counted in memory']),
    );
    journal.seal();
    expect(await contentOf(sealed[0])).toEqual({ 'k1 09h 2xx': [33, 33, 66, 33] });
  });

  it('writes down what it has kept in memory when the disk works again', async () => {
    const { journal, series, sealed, free, path } = blocked();
    journal.record(series('k1'), 200, 1, 2, true);
    journal.record(series('k2'), 500, 1, 2, true);
    free();
    journal.inspect();
    expect(readFileSync(join(path, '1.log'), 'utf8')).toContain('= 0 491625 2 1 1 2 1\n');
    journal.record(series('k1'), 200, 1, 2, true);
    journal.seal();
    expect(sealed[0]?.inMemory).toEqual([]);
    expect(await contentOf(sealed[0])).toEqual({ 'k1 09h 2xx': [2, 2, 4, 2], 'k2 09h 5xx': [1, 1, 2, 0] });
    const { series: read } = await readBatchFile(sealed[0]!.path);
    expect(read.map(({ responses }) => responses)).toEqual([2, 0]);
  });

  it.each<[string, (folder: string) => void]>([
    ['deleted', (folder) => rmSync(folder, { recursive: true })],
    ['deleted with all above', (folder) => rmSync(dirname(folder), { recursive: true })],
    ['moved away', (folder) => renameSync(folder, `${folder}~other`)],
  ])('makes the folder anew that was %s, with everything in it', async (_how, remove) => {
    const { journal, series, sealed, path } = setUp();
    for (let i = 0; i < 1000; i++) journal.record(series(`k${i % 3}`), 200, i, 1, true);
    remove(path);
    journal.record(series('k0'), 200, 0, 1, true);
    journal.inspect();
    expect(readdirSync(path)).toEqual(['1.log']);
    expect(journal.errors).toBe(1);
    journal.record(series('k0'), 200, 0, 1, true);
    journal.seal();
    expect(sealed[0]?.inMemory).toEqual([]);
    const content = await contentOf(sealed[0]);
    expect(Object.values(content).map(([requests]) => requests)).toEqual([336, 333, 333]);
  });
});
