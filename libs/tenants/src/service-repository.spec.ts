import { keys, versionOf, type Store } from '#libs/store';
import { codeOf, openEmbedded } from '../../../test/support/embedded-store';
import { AddressPolicy } from './address-policy';
import { hashApiKey } from './api-key-format';
import { ApiKeyRepository } from './api-key-repository';
import type { ServiceFields, StoredService } from './service';
import { ServiceRepository } from './service-repository';
import { TenantRepository } from './tenant-repository';

let store: Store;
let apiKeys: ApiKeyRepository;
let tenants: TenantRepository;
let services: ServiceRepository;

const IDP = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
const TENANT = { name: 'T', upstreamBaseUrl: 'https://a.example', allowedRoutes: [] };

beforeEach(async () => {
  store = await openEmbedded('acme', 'other');
  apiKeys = new ApiKeyRepository(store);
  const addresses = new AddressPolicy(false);
  tenants = new TenantRepository(store, apiKeys, addresses);
  services = new ServiceRepository(store, apiKeys, addresses);
});
afterEach(() => store.close());

const FIELDS: ServiceFields = {
  name: 'Orders',
  targets: [{ url: 'https://orders.example/base', weight: 2 }],
};
const create = (tenantId = 'acme', more: Partial<ServiceFields> = {}): Promise<StoredService> =>
  services.create(tenantId, { ...FIELDS, ...more });
const idsOf = async (tenantId: string): Promise<string[]> =>
  (await services.list(tenantId, '', 100)).services.map(({ service }) => service.id);

describe('a new service', () => {
  it('is stored under the next number, with what it does not say written down', async () => {
    const { service, version } = await create();
    expect(service).toEqual({
      ...FIELDS,
      id: '1',
      tenantId: 'acme',
      createdAt: expect.any(String),
      auth: { jwt: false },
    });
    const text = (await store.documents.get('tenant:service:1')) ?? '';
    expect([JSON.parse(text), versionOf(text)]).toEqual([service, version]);
    expect(await services.get('acme', '1')).toEqual({ service, version });
    expect((await create('other')).service.id).toBe('2');
  });

  it('asks for a JWT where the tenant does by default', async () => {
    await tenants.create({ ...TENANT, id: 'guarded', idp: IDP });
    expect((await create('guarded')).service.auth).toEqual({ jwt: true });
    expect((await create('guarded', { auth: { jwt: false } })).service.auth).toEqual({ jwt: false });
    const attempt = create('acme', { auth: { jwt: true } });
    await expect(attempt).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ field: 'auth.jwt' }],
    });
  });

  it('never has the number of another one, at the same time or after it', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, (_, i) => create(i % 2 ? 'acme' : 'other')));
    const ids = made.map(({ service }) => service.id);
    expect(ids.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1));
    for (const { service } of made) await services.remove(service.tenantId, service.id);
    expect((await create()).service.id).toBe('21');
  });

  it('does not take the place of another one when the sequence is lost', async () => {
    const [first, second] = [await create('other'), await create('acme')];
    await store.documents.delete(keys.SERVICE_SEQUENCE, 'any');
    expect((await create('acme')).service.id).toBe('3');
    expect(await services.get('other', '1')).toEqual(first);
    expect(await services.get('acme', '2')).toEqual(second);
    expect([await idsOf('acme'), await idsOf('other')]).toEqual([['2', '3'], ['1']]);
  });

  it('is refused without a trace if something is wrong with it', async () => {
    const attempt = create('acme', { name: '', targets: [{ url: 'http://127.0.0.1' }] });
    await expect(attempt).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [{ field: 'name' }, { field: 'targets.0.url' }],
    });
    expect(await codeOf(create('nobody'))).toBe('tenant_not_found');
    await store.documents.put(keys.tenant('broken'), '{', 'any');
    expect(await codeOf(create('broken'))).toBe('tenant_misconfigured');
    expect(await store.documents.get(keys.SERVICE_SEQUENCE)).toBeUndefined();
  });

  it('is withdrawn when its tenant is removed while it is being made', async () => {
    const put = store.documents.put.bind(store.documents);
    store.documents.put = async (key, value, expected) => {
      const done = await put(key, value, expected);
      if (key === keys.service('1')) await store.documents.delete(keys.tenant('acme'), 'any');
      return done;
    };
    expect(await codeOf(create())).toBe('tenant_not_found');
    expect(await store.documents.get(keys.service('1'))).toBeUndefined();
    expect(await store.documents.indexPage(keys.serviceIndex('acme'), '', 10)).toEqual([]);
  });
});

describe('a list', () => {
  it('is in the order of the numbers, page by page, of one tenant', async () => {
    for (let i = 0; i < 12; i++) await create(i === 4 ? 'other' : 'acme');
    const seen: string[] = [];
    for (let after: string | undefined = ''; after !== undefined;) {
      const page = await services.list('acme', after, 3);
      seen.push(...page.services.map(({ service }) => service.id));
      after = page.next;
    }
    expect(seen).toEqual(['1', '2', '3', '4', '6', '7', '8', '9', '10', '11', '12']);
    expect(await codeOf(services.list('nobody', '', 3))).toBe('tenant_not_found');
  });

  it('loses entries without a service, and leaves out what is spoilt', async () => {
    for (let i = 0; i < 3; i++) await create();
    await store.documents.delete(keys.service('2'), 'any');
    const spoilt = JSON.stringify({ tenantId: 'acme', targets: [] });
    await store.documents.put(keys.service('3'), spoilt, 'any');
    expect(await idsOf('acme')).toEqual(['1']);
    expect(await store.documents.indexPage(keys.serviceIndex('acme'), '', 10)).toEqual(
      ['000000000000001', '000000000000003'],
    ); // prettier-ignore
    expect(await codeOf(services.get('acme', '3'))).toBe('tenant_misconfigured');
    await services.remove('acme', '3');
    expect(await store.documents.get(keys.service('3'))).toBeUndefined();
  });
});

describe('another tenant’s service', () => {
  it.each<[string, (id: string) => Promise<unknown>]>([
    ['shown', (id) => services.get('other', id)],
    ['changed', (id) => services.update('other', id, (current) => current)],
    ['removed', (id) => services.remove('other', id)],
  ])('cannot be %s', async (_, attempt) => {
    const { service, version } = await create('acme');
    for (const id of [service.id, '99', '01', 'acme', '', '1:x']) {
      expect(await codeOf(attempt(id))).toBe('service_not_found');
    }
    expect(await services.get('acme', service.id)).toEqual({ service, version });
  });
});

describe('a change', () => {
  it('replaces the fields and nothing else', async () => {
    const { service } = await create();
    const targets = [{ url: 'https://b.example' }];
    const { service: after, version } = await services.update('acme', '1', (current) => {
      expect(current).toEqual({ ...FIELDS, auth: { jwt: false } });
      return { name: 'New', targets, timeouts: { totalMs: 5 } };
    });
    const { id, tenantId, createdAt } = service;
    expect(after).toEqual({
      id, tenantId, createdAt, name: 'New', targets, timeouts: { totalMs: 5 }, auth: { jwt: false },
    }); // prettier-ignore
    expect(await services.get('acme', '1')).toEqual({ service: after, version });
  });

  it('is made on the version that it was meant for, or not at all', async () => {
    const { version } = await create();
    const rename = (name: string, versions: string[]): Promise<StoredService> =>
      services.update('acme', '1', (current) => ({ ...current, name }), versions);
    const second = await rename('two', [version]);
    expect(await codeOf(rename('three', [version]))).toBe('precondition_failed');
    expect(await codeOf(services.remove('acme', '1', [version]))).toBe('precondition_failed');
    expect((await services.get('acme', '1')).service.name).toBe('two');
    await services.remove('acme', '1', [second.version]);
    expect(await idsOf('acme')).toEqual([]);
  });

  it('is not lost among others at the same time', async () => {
    await create('acme', { targets: [{ url: 'https://t0.example' }] });
    const add = (i: number): Promise<StoredService> =>
      services.update('acme', '1', (current) => ({
        ...current,
        targets: [...current.targets, { url: `https://t${i}.example` }],
      }));
    await Promise.all([1, 2, 3, 4, 5].map(add));
    expect((await services.get('acme', '1')).service.targets).toHaveLength(6);
  });

  it('is judged by the address policy where it brings a new address only', async () => {
    const { service } = await create();
    const inside = [{ url: 'http://127.0.0.1:9' }];
    const old = JSON.stringify({ ...service, targets: inside });
    await store.documents.put(keys.service('1'), old, 'any');
    const renamed = await services.update('acme', '1', (current) => ({ ...current, name: 'New' }));
    expect(renamed.service).toMatchObject({ name: 'New', targets: inside });
    const attempt = services.update('acme', '1', (current) => ({
      ...current,
      targets: [...inside, { url: 'http://10.0.0.1' }],
    }));
    await expect(attempt).rejects.toMatchObject({
      fields: [{ field: 'targets.0.url' }, { field: 'targets.1.url' }],
    });
  });

  it('of what is not a field is refused', async () => {
    await create();
    for (const field of ['id', 'tenantId', 'createdAt', 'target']) {
      const attempt = services.update('acme', '1', (current) => ({ ...current, [field]: 'x' }));
      await expect(attempt).rejects.toMatchObject({ code: 'validation_failed', fields: [{ field }] });
    }
  });
});

describe('a removal', () => {
  it('ends the keys that open nothing else, and no others', async () => {
    for (const tenantId of ['acme', 'acme', 'other']) await create(tenantId);
    const scoped = await apiKeys.create('acme', { name: 'k', serviceId: '1' });
    const sibling = await apiKeys.create('acme', { name: 'k', serviceId: '2' });
    const plain = await apiKeys.create('acme', 'k');
    const theirs = await apiKeys.create('other', { name: 'k', serviceId: '3' });
    await services.remove('acme', '1');
    expect(await apiKeys.byHash(hashApiKey(scoped.apiKey))).toBeUndefined();
    expect(await codeOf(apiKeys.get('acme', scoped.record.id))).toBe('api_key_not_found');
    for (const { apiKey, record } of [sibling, plain, theirs])
      expect(await apiKeys.byHash(hashApiKey(apiKey))).toMatchObject({ record });
    expect(await codeOf(services.remove('acme', '1'))).toBe('service_not_found');
    expect(await idsOf('acme')).toEqual(['2']);
  });

  it('of the tenant takes its services along, and a successor inherits none', async () => {
    for (let i = 0; i < 3; i++) await create('acme');
    await create('other');
    await apiKeys.create('acme', { name: 'k', serviceId: '1' });
    await tenants.remove('acme');
    const left: string[] = [];
    for await (const key of store.documents.scan('')) left.push(`${key} ${await store.documents.get(key)}`);
    expect(left.filter((line) => line.includes('acme'))).toEqual([]);
    await tenants.create({ ...TENANT, id: 'acme' });
    expect(await idsOf('acme')).toEqual([]);
    expect(await idsOf('other')).toEqual(['4']);
  });

  it('of what a predecessor left behind spares what was made since', async () => {
    await create('acme');
    const moment = Date.now();
    while (Date.now() === moment);
    await create('acme');
    await services.removeAllBefore('acme', moment);
    expect(await idsOf('acme')).toEqual(['2']);
    expect(await store.documents.get(keys.service('1'))).toBeUndefined();
  });
});
