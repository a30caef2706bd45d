import { StoreUnavailableError } from '#libs/store';
import { stagePublisher as setUp } from '../../../../test/usage/stage-publisher';

/** What happens when a ledger has lost what it had confirmed. */
it('repeats it from the files, before what comes next', async () => {
  const { store, publisher, seal, requests, complaints, logs } = setUp();
  for (let seq = 1; seq <= 10; seq++) seal(seq, { a: seq, b: 1 });
  await publisher.publish();
  await store.ledgers.drop('a');
  seal(11, { a: 100, b: 1 });
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([155, 11]);
  expect(complaints.counts.storeLosses).toBe(1);
  expect(logs.map(({ msg }) => msg)).toEqual([
    'confirmed usage was lost by the store and is repeated from the journal',
  ]);
});

it('finds that out of an idle tenant when it is told to doubt', async () => {
  const { store, publisher, seal, requests } = setUp();
  for (let seq = 1; seq <= 3; seq++) seal(seq, { a: seq, b: 1 });
  await publisher.publish();
  await store.ledgers.drop('a');
  publisher.doubt();
  // The store may go away again, at any moment.
  const apply = store.ledgers.apply.bind(store.ledgers);
  for (let calls = 0; calls < 4; calls++) {
    let left = calls;
    store.ledgers.apply = (ledger, batch) =>
      left-- > 0 ? apply(ledger, batch) : Promise.reject(new StoreUnavailableError());
    await publisher.publish();
  }
  store.ledgers.apply = apply;
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([6, 3]);
  const calls = store.given.length;
  await publisher.publish();
  expect(store.given).toHaveLength(calls);
});

it('asks an idle tenant once more before its last file is removed', async () => {
  const { store, publisher, seal, requests, state } = setUp();
  seal(1, { a: 2, b: 3 });
  seal(2, { b: 1 });
  await publisher.publish();
  await store.ledgers.drop('a');
  state.now += 600_000;
  await publisher.forget();
  expect(await requests('a', 'b')).toEqual([2, 4]);
  expect(publisher.isEmpty).toBe(true);
});

it('says that something is lost for good when its files are gone, and repeats the rest', async () => {
  const { store, publisher, seal, requests, state, logs } = setUp();
  seal(1, { a: 2 });
  await publisher.publish();
  state.now += 300_000;
  seal(2, { a: 5 });
  await publisher.publish();
  state.now += 300_000;
  await publisher.forget();
  await store.ledgers.drop('a');
  seal(3, { a: 7 });
  await publisher.publish();
  expect(await requests('a')).toEqual([12]);
  expect(logs.map(({ msg }) => msg)).toEqual([
    'usage is lost: it is not in the journal any more',
    'confirmed usage was lost by the store and is repeated from the journal',
  ]);
});

it('repeats nothing for a tenant that was deleted', async () => {
  const { store, publisher, seal, requests } = setUp({
    exists: (tenantId) => Promise.resolve(tenantId !== 'a'),
  });
  seal(1, { a: 2, b: 3 });
  await publisher.publish();
  await store.ledgers.drop('a');
  await store.ledgers.drop('b');
  publisher.doubt();
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([undefined, 3]);
  await store.ledgers.drop('b');
  seal(2, { a: 5, b: 1 });
  await publisher.publish();
  expect(await requests('a', 'b')).toEqual([undefined, 4]);
  expect(publisher.backlog).toEqual([]);
});
