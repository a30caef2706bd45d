import { keys, versionOf, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import { AddressPolicy } from './address-policy';
import type { ApiKeyFields, ApiKeyRecord } from './api-key';
import { hashApiKey } from './api-key-format';
import { ApiKeyRepository } from './api-key-repository';
import { ServiceRepository } from './service-repository';

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
const listed = async (tenantId: string, serviceId?: string): Promise<unknown[]> =>
  (await apiKeys.list(tenantId, '', 100, { serviceId })).apiKeys.map(({ id, active }) => [id, active]);
const inOneHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

const ALL: ApiKeyFields = {
  name: 'billing',
  labels: { team: 'a' },
  expiresAt: '2999-01-01T00:00:00.000Z',
  enabled: true,
  rateLimit: { maxRequests: 5, windowSeconds: 10 },
  pricePerRequest: '0.002',
  allowedRoutes: ['/v1'],
  allowedMethods: ['GET'],
  allowedIps: ['10.0.0.0/8'],
  monthlyQuota: 1000,
};

async function makeService(tenantId: string): Promise<string> {
  const services = new ServiceRepository(store, apiKeys, new AddressPolicy(true));
  const { service } = await services.create(tenantId, { name: 's', targets: [{ url: 'http://a.example' }] });
  return service.id;
}

describe('a new key', () => {
  it('has its record where the data plane looks, by its digest only', async () => {
    const { record, apiKey, version } = await apiKeys.create('acme', ALL);
    expect(await recordOf(apiKey)).toEqual(record);
    expect(version).toBe(versionOf((await mappingOf(apiKey)) ?? ''));
    expect(record).toEqual({
      ...ALL,
      id: expect.any(String),
      tenantId: 'acme',
      prefix: apiKey.slice(0, 12),
      createdAt: expect.any(String),
    });
    for await (const key of store.documents.scan(''))
      expect(key + (await store.documents.get(key))).not.toContain(apiKey);
    const stored = { record, active: true, version, document: keys.apiKeyMapping(hashApiKey(apiKey)) };
    expect(await apiKeys.get('acme', record.id)).toEqual(stored);
    expect(await apiKeys.get('acme', hashApiKey(apiKey))).toEqual(stored);
    expect(await apiKeys.byHash(hashApiKey(apiKey))).toEqual({ tenantId: 'acme', record });
  });

  it('is enabled, live and without restrictions unless it is told otherwise', async () => {
    const { record, apiKey } = await apiKeys.create('acme', 'plain');
    const { id, prefix, createdAt } = record;
    expect(await recordOf(apiKey)).toEqual({
      id,
      tenantId: 'acme',
      name: 'plain',
      prefix,
      createdAt,
      enabled: true,
    });
    expect(prefix).toMatch(/^gh_live_/);
    const test = await apiKeys.create('acme', { name: 't', mode: 'test', enabled: false });
    expect(test.apiKey).toMatch(/^gh_test_/);
    expect(await recordOf(test.apiKey)).toEqual(test.record);
    expect(test.record).not.toHaveProperty('mode');
    expect(await apiKeys.get('acme', test.record.id)).toMatchObject({ active: false });
  });

  it('keeps the moment of its expiry in one form', async () => {
    const { record } = await apiKeys.create('acme', { name: 'k', expiresAt: '2999-01-01T02:00:00+02:00' });
    expect(record.expiresAt).toBe('2999-01-01T00:00:00.000Z');
  });

  it('of a service has the documented limit unless it has its own, and belongs to the same tenant', async () => {
    const serviceId = await makeService('acme');
    const { record } = await apiKeys.create('acme', { name: 'k', serviceId, rateLimit: undefined });
    expect(record).toMatchObject({ serviceId, rateLimit: { maxRequests: 10, windowSeconds: 60 } });
    const rateLimit = { maxRequests: 1, windowSeconds: 1 };
    expect((await apiKeys.create('acme', { name: 'k', serviceId, rateLimit })).record).toMatchObject({
      rateLimit,
    });
    expect(await codeOf(apiKeys.create('other', { name: 'k', serviceId }))).toBe('service_not_found');
    expect(await codeOf(apiKeys.create('acme', { name: 'k', serviceId: '99' }))).toBe('service_not_found');
  });

  it('is refused with the fields that are wrong, and leaves nothing behind', async () => {
    const attempt = apiKeys.create('acme', { name: '', allowedIps: [] });
    await expect(attempt).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ field: 'name' }, { field: 'allowedIps' }],
    });
    expect(await codeOf(apiKeys.create('nobody', 'k'))).toBe('tenant_not_found');
    for await (const key of store.documents.scan('tenant:byApiKey:')) throw new Error(`left behind: ${key}`);
    expect(await listed('acme')).toEqual([]);
  });

  it.each([
    ['tenant', 'tenant_not_found'],
    ['service', 'service_not_found'],
  ])('is withdrawn when its %s is removed while it is being made', async (what, code) => {
    const serviceId = await makeService('acme');
    const gone = what === 'tenant' ? keys.tenant('acme') : keys.service(serviceId);
    const put = store.documents.put.bind(store.documents);
    store.documents.put = async (key, value, expected) => {
      const done = await put(key, value, expected);
      if (key.startsWith('tenant:byApiKey:')) await store.documents.delete(gone, 'any');
      return done;
    };
    expect(await codeOf(apiKeys.create('acme', { name: 'k', serviceId }))).toBe(code);
    for await (const key of store.documents.scan('tenant:byApiKey:')) throw new Error(`left behind: ${key}`);
    for (const index of [keys.apiKeyIndex('acme'), keys.serviceKeyIndex('acme', serviceId)])
      expect(await store.documents.indexPage(index, '', 10)).toEqual([]);
  });
});

it('lists the keys of one service, page by page', async () => {
  const [one, two] = [await makeService('acme'), await makeService('acme')];
  const made: string[] = [];
  for (let i = 0; i < 5; i++) {
    made.push((await apiKeys.create('acme', { name: 'k', serviceId: one })).record.id);
    await apiKeys.create('acme', { name: 'k', serviceId: two });
    await apiKeys.create('acme', 'k');
  }
  const seen: string[] = [];
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await apiKeys.list('acme', after, 2, { serviceId: one });
    seen.push(...page.apiKeys.map(({ id }) => id));
    after = page.next;
  }
  expect(seen).toEqual([...made].sort());
  expect(await listed('acme')).toHaveLength(15);
  expect(await listed('acme', '99')).toEqual([]);
  expect(await listed('other', one)).toEqual([]);
});

describe('a change', () => {
  it('replaces what it names, removes what is null and leaves the rest', async () => {
    const { record, apiKey } = await apiKeys.create('acme', ALL);
    const patch = {
      name: 'new',
      labels: { b: '1' },
      expiresAt: null,
      rateLimit: null,
      allowedIps: undefined,
    };
    const updated = await apiKeys.update('acme', record.id, patch);
    const { expiresAt: _, rateLimit: __, ...rest } = record;
    expect(updated.record).toEqual({ ...rest, name: 'new', labels: { b: '1' } });
    expect(await recordOf(apiKey)).toEqual(updated.record);
    expect(updated.version).toBe(versionOf((await mappingOf(apiKey)) ?? ''));
    expect(await apiKeys.get('acme', record.id)).toEqual(updated);
  });

  it('is made on the version that it was meant for, or not at all', async () => {
    const { record, version } = await apiKeys.create('acme', 'k');
    const second = await apiKeys.update('acme', record.id, { name: 'two' }, [version]);
    expect(await codeOf(apiKeys.update('acme', record.id, { name: 'three' }, [version]))).toBe(
      'precondition_failed',
    );
    expect((await apiKeys.get('acme', record.id)).record.name).toBe('two');
    await apiKeys.update('acme', record.id, { name: 'three' }, ['x', second.version ?? '']);
  });

  it('is not lost among others at the same time', async () => {
    const { record } = await apiKeys.create('acme', 'k');
    const quotas = Array.from({ length: 10 }, (_, i) => i + 1);
    await Promise.all([
      ...quotas.map((monthlyQuota) => apiKeys.update('acme', record.id, { monthlyQuota })),
      apiKeys.update('acme', record.id, { pricePerRequest: '7' }),
      apiKeys.disable('acme', record.id),
    ]);
    const { record: after } = await apiKeys.get('acme', record.id);
    expect(after).toMatchObject({ pricePerRequest: '7', enabled: false });
    expect(quotas).toContain(after.monthlyQuota);
  });

  it('disables and enables', async () => {
    const { record } = await apiKeys.create('acme', 'k');
    expect(await apiKeys.disable('acme', record.id)).toMatchObject({
      active: false,
      record: { enabled: false },
    });
    expect(await listed('acme')).toEqual([[record.id, false]]);
    expect(await apiKeys.enable('acme', record.id)).toMatchObject({
      active: true,
      record: { enabled: true },
    });
  });

  it('of an expired key is possible without touching its expiry', async () => {
    const { record, apiKey, version } = await apiKeys.create('acme', 'k');
    const expired = JSON.stringify({ ...record, expiresAt: '2020-01-01T00:00:00.000Z' });
    await store.documents.put(keys.apiKeyMapping(hashApiKey(apiKey)), expired, { version });
    expect(await apiKeys.update('acme', record.id, { name: 'late' })).toMatchObject({ active: false });
    expect(await codeOf(apiKeys.rotate('acme', record.id, { graceSeconds: 0 }))).toBe('conflict');
    expect(await apiKeys.update('acme', record.id, { expiresAt: inOneHour() })).toMatchObject({
      active: true,
    });
  });

  it('is refused for fields that are wrong, and for the key of another tenant', async () => {
    const { record, apiKey } = await apiKeys.create('acme', 'k');
    const before = await mappingOf(apiKey);
    expect(await codeOf(apiKeys.update('acme', record.id, { name: '' }))).toBe('validation_failed');
    expect(await codeOf(apiKeys.update('acme', record.id, { tenantId: 'other' } as object))).toBe(
      'validation_failed',
    );
    for (const id of [record.id, hashApiKey(apiKey)]) {
      expect(await codeOf(apiKeys.get('other', id))).toBe('api_key_not_found');
      expect(await codeOf(apiKeys.update('other', id, { name: 'x' }))).toBe('api_key_not_found');
      expect(await codeOf(apiKeys.rotate('other', id, { graceSeconds: 0 }))).toBe('api_key_not_found');
      expect(await codeOf(apiKeys.revoke('other', id))).toBe('api_key_not_found');
    }
    expect(await mappingOf(apiKey)).toBe(before);
    expect(await codeOf(apiKeys.get('nobody', record.id))).toBe('tenant_not_found');
  });
});
