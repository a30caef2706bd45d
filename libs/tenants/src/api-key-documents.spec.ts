import { keys, versionOf, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import type { ApiKeyRecord } from './api-key';
import { hashApiKey } from './api-key-format';
import { ApiKeyRepository } from './api-key-repository';

let store: Store;
let apiKeys: ApiKeyRepository;

beforeEach(async () => {
  store = await openEmbedded('acme', 'other');
  apiKeys = new ApiKeyRepository(store);
});
afterEach(() => store.close());

const mappingOf = async (apiKey: string): Promise<string | undefined> =>
  store.documents.get(keys.apiKeyMapping(hashApiKey(apiKey)));
const recordOf = async (apiKey: string): Promise<ApiKeyRecord> =>
  JSON.parse((await mappingOf(apiKey)) ?? '') as ApiKeyRecord;
const listed = async (tenantId: string): Promise<unknown[]> =>
  (await apiKeys.list(tenantId, '', 100)).apiKeys.map(({ id, active }) => [id, active]);

/** As the previous version wrote keys: the record apart, and the mapping as plain text. */
async function writeOldKey(tenantId: string, id: string, apiKey: string): Promise<void> {
  const hash = hashApiKey(apiKey);
  const record = {
    id,
    name: 'old',
    prefix: apiKey.slice(0, 12),
    createdAt: '2026-01-01T00:00:00.000Z',
    hash,
  };
  await store.documents.put(keys.apiKeyRecord(tenantId, id), JSON.stringify(record), 'absent');
  await store.documents.indexAdd(keys.apiKeyIndex(tenantId), id);
  await store.documents.put(keys.apiKeyMapping(hash), tenantId, 'absent');
}

describe('a key of the previous version', () => {
  beforeEach(() => writeOldKey('acme', 'old1', 'old-key'));

  it('is listed and shown', async () => {
    const record = { id: 'old1', tenantId: 'acme', name: 'old', prefix: 'old-key', enabled: true };
    expect(await listed('acme')).toEqual([['old1', true]]);
    for (const id of ['old1', hashApiKey('old-key')])
      expect(await apiKeys.get('acme', id)).toMatchObject({
        active: true,
        record,
        version: versionOf('acme'),
      });
    expect(await apiKeys.byHash(hashApiKey('old-key'))).toEqual({ tenantId: 'acme' });
  });

  it('gets a record of the new form when it is changed', async () => {
    const { record } = await apiKeys.disable('acme', 'old1', [versionOf('acme')]);
    expect(await recordOf('old-key')).toEqual(record);
    expect(record).toMatchObject({ id: 'old1', name: 'old', enabled: false });
    expect(await listed('acme')).toEqual([['old1', false]]);
  });

  it('is rotated', async () => {
    const made = await apiKeys.rotate('acme', 'old1', { graceSeconds: 60 });
    expect(made.record).toMatchObject({ name: 'old', replaces: 'old1' });
    expect(await recordOf('old-key')).toMatchObject({ id: 'old1', replacedBy: made.record.id });
  });

  it.each(['old1', hashApiKey('old-key')])('is revoked by %s', async (id) => {
    await apiKeys.revoke('acme', id);
    expect(await mappingOf('old-key')).toBeUndefined();
    expect(await listed('acme')).toEqual([]);
    expect(await codeOf(apiKeys.revoke('acme', id))).toBe('api_key_not_found');
  });
});

describe('a key whose mapping another program has taken', () => {
  const taken: Array<[title: string, text: string | undefined, left: string | undefined]> = [
    ['away', undefined, undefined],
    ['for another tenant', 'other', 'other'],
    ['and spoilt', '{"id":', undefined],
  ];

  it.each(taken)('%s is shown as inactive, cannot be changed, and can be removed', async (_, text, left) => {
    const { record, apiKey } = await apiKeys.create('acme', 'k');
    const mapping = keys.apiKeyMapping(hashApiKey(apiKey));
    if (text === undefined) await store.documents.delete(mapping, 'any');
    else await store.documents.put(mapping, text, 'any');
    const { id, prefix, createdAt } = record;
    expect(await apiKeys.get('acme', id)).toMatchObject({
      active: false,
      version: undefined,
      record: { id, prefix, createdAt, name: 'k' },
    });
    expect(await listed('acme')).toEqual([[id, false]]);
    expect(await codeOf(apiKeys.update('acme', id, { name: 'x' }))).toBe('conflict');
    expect(await codeOf(apiKeys.rotate('acme', id, { graceSeconds: 0 }))).toBe('conflict');
    await apiKeys.revoke('acme', id);
    expect(await listed('acme')).toEqual([]);
    expect(await mappingOf(apiKey)).toBe(left);
  });
});

it('revokes by its digest a key that another program has mapped to the tenant, and no other', async () => {
  const hash = hashApiKey('by-hand');
  await store.documents.put(keys.apiKeyMapping(hash), 'acme', 'any');
  expect(await apiKeys.byHash(hash)).toEqual({ tenantId: 'acme' });
  expect(await codeOf(apiKeys.get('acme', hash))).toBe('api_key_not_found');
  expect(await codeOf(apiKeys.revoke('other', hash))).toBe('api_key_not_found');
  await apiKeys.revoke('acme', hash);
  expect(await apiKeys.byHash(hash)).toBeUndefined();
});

it('revokes a key while it is being changed', async () => {
  const { record, apiKey } = await apiKeys.create('acme', 'k');
  const changes = Array.from({ length: 5 }, (_, i) => apiKeys.update('acme', record.id, { name: `${i}` }));
  await Promise.allSettled([...changes, apiKeys.revoke('acme', record.id)]);
  expect(await mappingOf(apiKey)).toBeUndefined();
  expect(await listed('acme')).toEqual([]);
});

it('revokes what a tenant had before a moment, whatever version made it, and nothing later', async () => {
  await writeOldKey('acme', 'old1', 'old-key');
  const { apiKey: early } = await apiKeys.create('acme', 'early');
  const theirs = await apiKeys.create('other', 'theirs');
  const moment = Date.now();
  while (Date.now() === moment);
  const { record, apiKey: late } = await apiKeys.create('acme', 'late');
  await apiKeys.revokeAllBefore('acme', moment);
  expect(await listed('acme')).toEqual([[record.id, true]]);
  expect(await Promise.all(['old-key', early].map(mappingOf))).toEqual([undefined, undefined]);
  expect(await recordOf(late)).toEqual(record);
  expect(await listed('other')).toEqual([[theirs.record.id, true]]);
});
