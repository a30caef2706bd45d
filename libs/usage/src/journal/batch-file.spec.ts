import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder } from '../../../../test/support/children';
import { additionsOf } from '../ledger-additions';
import { condense, findBatches, readBatchFile } from './batch-file';
import type { SealedBatch } from './journal';
import { SeriesSums } from './series-sums';

const BEGUN_AT = Date.UTC(2026, 0, 31, 9, 59, 30);

/** A file of many requests of three series in two hours, sealed or not. */
function manyRequests(sealed: boolean): SealedBatch {
  const lines = ['@491625'];
  for (let i = 0; i < 3; i++) lines.push(`#${i} ["acme","${i}","k${i}","/ä",${i * 1000},"v1"]`);
  for (let i = 0; i < 10_000; i++) {
    if (i === 5000) lines.push('@491626');
    lines.push(`${i % 3} ${2 + (i % 4)} ${i} ${i * 7} ${i % 2}`);
  }
  if (sealed) lines.push('a 0 1', 'a 2 5', '.');
  const path = join(scratchFolder('batch'), '1.log');
  writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
  return { seq: 1, begunAt: BEGUN_AT, path, bytes: statSync(path).size, inMemory: [] };
}

describe('condensing', () => {
  it.each([true, false])('leaves a file that stands for the same additions (sealed: %s)', async (sealed) => {
    const batch = manyRequests(sealed);
    const before = await readBatchFile(batch.path);
    const bytes = await condense(batch, before.series);
    expect(bytes).toBe(statSync(batch.path).size);
    expect(bytes).toBeLessThan(batch.bytes / 50);
    const after = await readBatchFile(batch.path);
    expect(after).toMatchObject({ unreadable: 0, tornBytes: 0 });
    expect(additionsOf(after.series)).toEqual(additionsOf(before.series));
    expect(after.series.map(({ responses }) => responses)).toEqual(
      before.series.map(({ responses }) => responses),
    );
  });

  it('leaves the age of the batch to the file, and nothing else beside it', async () => {
    const batch = manyRequests(true);
    await condense(batch, (await readBatchFile(batch.path)).series);
    expect(statSync(batch.path).mtimeMs).toBe(BEGUN_AT);
    expect(readdirSync(join(batch.path, '..'))).toEqual(['1.log']);
  });

  it('writes down what was only in memory', async () => {
    const batch = manyRequests(true);
    const inMemory = new SeriesSums({
      tenantId: 'acme',
      serviceId: '0',
      keyId: 'k9',
      route: '',
      priceNano: 5,
      planVersion: '',
    });
    inMemory.count(491_625, 2, 1, 2, true);
    inMemory.responses = 0;
    const all = [...(await readBatchFile(batch.path)).series, inMemory];
    await condense({ ...batch, inMemory: [inMemory] }, all);
    expect(additionsOf((await readBatchFile(batch.path)).series)).toEqual(additionsOf(all));
  });

  it('leaves a small file as it is', async () => {
    const batch = manyRequests(true);
    writeFileSync(batch.path, readFileSync(batch.path).subarray(0, 60_000));
    const { series } = await readBatchFile(batch.path);
    expect(await condense({ ...batch, bytes: 60_000 }, series)).toBeUndefined();
    expect(statSync(batch.path).size).toBe(60_000);
  });
});

it('finds the batches of a folder in the order of their numbers, with their ages', async () => {
  const folder = scratchFolder('batches');
  for (const name of ['10.log', '9.log', 'owner', '9.log.new', 'x.log', '0.log', '-1.log', '1.5.log'])
    writeFileSync(join(folder, name), 'text');
  const found = await findBatches(folder);
  expect(found.map(({ seq, path, bytes }) => [seq, path, bytes])).toEqual([
    [9, join(folder, '9.log'), 4],
    [10, join(folder, '10.log'), 4],
  ]);
  expect(found[0]?.begunAt).toBe(statSync(join(folder, '9.log')).mtimeMs);
});

it('reads nothing from a file that is not there', async () => {
  expect(await readBatchFile(join(scratchFolder('none'), '1.log'))).toEqual({
    series: [],
    unreadable: 0,
    tornBytes: 0,
  });
});
