import { StoreUnavailableError, keys, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import { parseAdminToken, stateOfAdminToken, type AdminTokenRecord } from './admin-token';
import { AdminTokens } from './admin-tokens';

let store: Store;
let tokens: AdminTokens;
beforeEach(async () => {
  store = await openEmbedded();
  tokens = new AdminTokens(store, 60_000);
});
afterEach(() => store.close());

it('knows a token as long as it is in force, and nothing else', async () => {
  const { record, token } = await tokens.create({ name: 'a', role: 'viewer' }, 'owner');
  expect(await tokens.identify(token)).toEqual({ id: record.id, name: 'a', role: 'viewer' });
  expect(await tokens.identify(token.replace('gh_admin_', 'gh_live_'))).toBeUndefined();
  await tokens.revoke(record.id, 'owner');
  expect(await tokens.identify(token)).toBeUndefined();
  expect(await codeOf(tokens.rotate(record.id, 0, 'owner'))).toBe('conflict');
});

it('lets those in while the store is away that it has seen before, and no others', async () => {
  const seen = await tokens.create({ name: 'seen', role: 'metrics' }, 'owner');
  const revoked = await tokens.create({ name: 'revoked', role: 'metrics' }, 'owner');
  const unseen = await tokens.create({ name: 'unseen', role: 'metrics' }, 'owner');
  for (const { token } of [seen, revoked]) await tokens.identify(token);
  await tokens.revoke(revoked.record.id, 'owner');
  await tokens.identify(revoked.token);
  store.documents.get = () => Promise.reject(new StoreUnavailableError());
  expect(await tokens.identify(seen.token)).toMatchObject({ name: 'seen' });
  expect(await tokens.identify(revoked.token)).toBeUndefined();
  await expect(tokens.identify(unseen.token)).rejects.toThrow(StoreUnavailableError);
  const strict = new AdminTokens(store, 0);
  await expect(strict.identify(seen.token)).rejects.toThrow(StoreUnavailableError);
});

it('does not leave a successor of a token that could not be replaced', async () => {
  const { record } = await tokens.create({ name: 'a', role: 'owner' }, 'owner');
  const put = store.documents.put.bind(store.documents);
  store.documents.put = (key, value, expected) =>
    typeof expected === 'object' ? Promise.reject(new StoreUnavailableError()) : put(key, value, expected);
  await expect(tokens.rotate(record.id, 0, 'owner')).rejects.toThrow(StoreUnavailableError);
  expect((await tokens.list('all', '', 10)).tokens.map(({ id }) => id)).toEqual([record.id]);
});

it('leaves no token of a tenant that was removed while it was replaced: the next tenant of that id would have it', async () => {
  await store.documents.put(keys.tenant('acme'), '{}', 'any');
  const { record } = await tokens.create({ name: 'a', role: 'tenant', tenantId: 'acme' }, 'owner');
  const put = store.documents.put.bind(store.documents);
  store.documents.put = async (key, value, expected) => {
    // Right before the old one is said to be replaced, all tokens of the tenant are taken back.
    if (typeof expected === 'object') await store.documents.delete(keys.tenant('acme'), 'any');
    return put(key, value, expected);
  };
  expect(await codeOf(tokens.rotate(record.id, 60, 'owner'))).toBe('tenant_not_found');
  store.documents.put = put;
  expect((await tokens.list('all', '', 10)).tokens.map(({ id }) => id)).toEqual([record.id]);
});

const RECORD: AdminTokenRecord = {
  id: 'a',
  name: 'n',
  role: 'viewer',
  prefix: 'gh_admin_abcd',
  createdAt: '2030-01-01T00:00:00.000Z',
  createdBy: 'owner',
};
const NOW = Date.parse('2030-01-02T00:00:00Z');

it.each<[Partial<AdminTokenRecord>, string]>([
  [{}, 'active'],
  [{ expiresAt: '2030-01-02T00:00:00.001Z' }, 'active'],
  [{ expiresAt: '2030-01-02T00:00:00.000Z' }, 'expired'],
  [{ validUntil: '2030-01-01T12:00:00.000Z' }, 'expired'],
  [{ expiresAt: 'nonsense' }, 'expired'],
  [{ revoked: { at: '', by: '' }, expiresAt: '2000-01-01T00:00:00Z' }, 'revoked'],
])('with %j is %s', (more, state) => {
  expect(stateOfAdminToken({ ...RECORD, ...more }, NOW)).toBe(state);
});

it.each([
  '',
  'null',
  '[]',
  '{"id":"a"}',
  JSON.stringify({ ...RECORD, role: 'god' }),
  JSON.stringify({ ...RECORD, role: 'tenant' }),
  JSON.stringify({ ...RECORD, tenantId: 'acme' }),
])('no record is %s', (text) => {
  expect(parseAdminToken(text)).toBeUndefined();
});

it('keeps its records out of the way of tenants', () => {
  expect(keys.tenantIdOf(keys.adminToken('x'))).toBeUndefined();
});
