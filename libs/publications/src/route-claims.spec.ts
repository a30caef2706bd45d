import { keys, type Store } from '#libs/store';
import { openEmbedded } from '../../../test/support/embedded-store';
import { RouteClaims, keyOf } from './route-claims';

const ROUTE = 'GET a.test /x';
let store: Store;
beforeEach(async () => void (store = await openEmbedded('acme', 'other')));
afterEach(() => store.close());

it('is not taken from a holder that publishes between the question and the taking over', async () => {
  await new RouteClaims(store, () => Promise.resolve(true)).claim('acme', ROUTE);
  let asked = 0;
  // Not yet, and then.
  const claims = new RouteClaims(store, () => Promise.resolve(++asked > 1));
  expect(await claims.claim('other', ROUTE)).toBe(false);
  expect(await store.documents.get(keyOf(ROUTE))).toBe('acme');
  expect(keyOf(ROUTE).startsWith(keys.routeClaim(''))).toBe(true);
});

it('is taken from a holder that does not publish it, and not from one that does', async () => {
  const published = new Set(['acme']);
  const claims = new RouteClaims(store, (tenantId) => Promise.resolve(published.has(tenantId)));
  expect(await claims.claim('acme', ROUTE)).toBe(true);
  expect(await claims.claim('other', ROUTE)).toBe(false);
  published.clear();
  expect(await claims.claim('other', ROUTE)).toBe(true);
  expect(await claims.holds('acme', [ROUTE])).toBe(false);
});
