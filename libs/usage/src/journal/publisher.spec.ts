import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailableError } from '#libs/store';
import { scratchFolder } from '../../../../test/support/children';
import { stagePublisher as setUp } from '../../../../test/usage/stage-publisher';
import { tableOf } from '../../../../test/usage/stage';
import { Publisher } from './publisher';

const DAY = 'day:2026-01-31:-';
it('gives each tenant its own, in order, and says what is confirmed before', async () => {
  const { store, publisher, seal, requests } = setUp();
  seal(1, { a: 2, b: 3 });
  seal(2, { a: 5 });
  seal(4, { b: 7, a: 1 });
  expect(publisher.backlog.map(({ seq }) => seq)).toEqual([1, 2, 4]);
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([8, 10]);
  expect(store.given.filter((given) => given.startsWith('a'))).toEqual([
    'a 1000 0',
    'a 2000 1000',
    'a 4000 2000',
  ]);
  expect(store.given.filter((given) => given.startsWith('b'))).toEqual(['b 1000 0', 'b 4000 1000']);
  expect(publisher.backlog).toEqual([]);
  await publisher.publish();
  expect(store.given).toHaveLength(5);
});

it('adds nothing when it is all done again by somebody else', async () => {
  const { store, publisher, context, seal, requests } = setUp();
  seal(1, { a: 2, b: 3 });
  seal(2, { a: 5 });
  await publisher.publish();
  const before = await tableOf(store, 'a', DAY);
  const again = new Publisher('e1', context);
  for (const batch of publisher.shelf.batches) again.add(batch);
  await again.publish();
  expect(await requests('a', 'b')).toEqual([7, 3]);
  expect(await tableOf(store, 'a', DAY)).toEqual(before);
  expect(again.backlog).toEqual([]);
});

it('goes on where a process that was killed has stopped, tenant by tenant', async () => {
  const { store, publisher, context, seal, requests } = setUp();
  seal(1, { a: 2, b: 3 });
  await publisher.publish();
  seal(2, { a: 5, b: 1 });
  seal(3, { a: 7 });
  const apply = store.ledgers.apply.bind(store.ledgers);
  store.ledgers.apply = (ledger, batch) =>
    ledger === 'b' ? Promise.reject(new StoreUnavailableError()) : apply(ledger, batch);
  await publisher.publish();
  store.ledgers.apply = apply;
  expect(await requests('a', 'b')).toEqual([14, 3]);
  const successor = new Publisher('e1', context);
  for (const batch of publisher.shelf.batches) successor.add(batch);
  await successor.publish();
  expect(await requests('a', 'b')).toEqual([14, 4]);
});

it('gives a large batch in parts, each once', async () => {
  const { store, publisher, context, requests } = setUp();
  const lines = ['@491625'];
  for (let i = 0; i < 250; i++) lines.push(`#${i} ["a","","k${i}","/",1,""]`, `${i} 2 1 1 1`);
  const path = join(scratchFolder('large'), '1.log');
  writeFileSync(path, `${lines.join('\n')}\n`);
  const batch = { seq: 1, begunAt: 1, path, bytes: statSync(path).size, inMemory: [] };
  publisher.add(batch);
  await publisher.publish();
  expect(store.given).toEqual(['a 1000 0', 'a 1001 1000', 'a 1002 1001']);
  expect(await requests('a')).toEqual([250]);
  const again = new Publisher('e1', context);
  again.add(batch);
  await again.publish();
  expect(await requests('a')).toEqual([250]);
});

it('lets one tenant wait whose ledger refuses, and not the others', async () => {
  const { store, publisher, seal, requests, logs } = setUp();
  const apply = store.ledgers.apply.bind(store.ledgers);
  store.ledgers.apply = (ledger, batch) =>
    ledger === 'a' ? Promise.reject(new Error('a sum would overflow')) : apply(ledger, batch);
  seal(1, { a: 2, b: 3 });
  seal(2, { a: 5, b: 1 });
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([undefined, 4]);
  expect(publisher.backlog.map(({ seq }) => seq)).toEqual([1, 2]);
  expect(logs).toEqual([
    expect.objectContaining({ level: 'error', tenantId: 'a', source: 'e1', reason: 'a sum would overflow' }),
  ]);
  store.ledgers.apply = apply;
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([7, 4]);
  expect(publisher.backlog).toEqual([]);
});

it('reads no file while the store is away', async () => {
  const { store, publisher, seal, requests } = setUp();
  store.state = 'away';
  seal(1, { a: 2 });
  await publisher.publish();
  expect([publisher.backlog[0]?.chains, store.given]).toEqual([undefined, []]);
  store.state = 'ready';
  await publisher.publish();
  expect(await requests('a')).toEqual([2]);
});

describe('files', () => {
  it('are kept for a while after all their tenants have been published, and then removed', async () => {
    const { publisher, seal, state } = setUp();
    const files = [seal(1, { a: 1 }), seal(2, { a: 1 })];
    await publisher.publish();
    state.now += 599_999;
    await publisher.forget();
    expect(files.map((file) => existsSync(file))).toEqual([true, true]);
    state.now += 1;
    await publisher.forget();
    expect([files.map((file) => existsSync(file)), publisher.shelf.bytes]).toEqual([[false, false], 0]);
  });

  it('are removed earlier when they are too many, but never unpublished', async () => {
    const { store, publisher, seal } = setUp({ maxKeptBytes: 100 });
    const files = [seal(1, { a: 1 }), seal(2, { a: 1 }), seal(3, { a: 1 })];
    await publisher.publish();
    store.state = 'away';
    files.push(seal(4, { a: 1 }), seal(5, { a: 1 }));
    await publisher.publish();
    await publisher.forget();
    expect(files.map((file) => existsSync(file))).toEqual([false, false, false, true, true]);
  });

  it('that are gone are given up, and said to be lost', async () => {
    const { publisher, seal, requests, logs } = setUp();
    rmSync(seal(1, { a: 1 }));
    seal(2, { a: 5 });
    await publisher.publish();
    expect(await requests('a')).toEqual([5]);
    expect(publisher.backlog).toEqual([]);
    expect(logs.map(({ msg }) => msg)).toEqual(['usage in a journal file is lost']);
  });

  it('that are damaged are published as far as they can be read, counted, said, and left as they are', async () => {
    const { publisher, seal, requests, complaints, logs } = setUp();
    const path = seal(1, { a: 10_000 });
    writeFileSync(path, 'garbage\n0 2 1', { flag: 'a' });
    await publisher.publish();
    expect(await requests('a')).toEqual([10_000]);
    expect(complaints.counts).toEqual({ unreadableLines: 1, tornLines: 1, storeLosses: 0 });
    expect(logs).toEqual([expect.objectContaining({ file: path, unreadable: 1, tornBytes: 5 })]);
    expect(statSync(path).size).toBeGreaterThan(80_000);
  });

  it('that are large are condensed, and mean the same when they are needed again', async () => {
    const { store, publisher, seal, requests } = setUp();
    const path = seal(1, { a: 10_000 });
    await publisher.publish();
    expect(statSync(path).size).toBeLessThan(200);
    expect(publisher.shelf.bytes).toBe(statSync(path).size);
    const before = await tableOf(store, 'a', DAY);
    await store.ledgers.drop('a');
    publisher.doubt();
    await publisher.publish();
    expect(await requests('a')).toEqual([10_000]);
    expect(await tableOf(store, 'a', DAY)).toEqual(before);
  });
});
