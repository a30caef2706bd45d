import type { BreakerView, Store } from '#libs/store';
import { openEmbedded } from '../../../test/support/embedded-store';
import { AddressPolicy } from './address-policy';
import { ApiKeyRepository } from './api-key-repository';
import { breakerKey } from './equip-targets';
import { ServiceRepository } from './service-repository';
import { TenantRepository } from './tenant-repository';

const A = 'https://a.example';
const B = 'https://b.example';
const TENANT = { id: 'acme', name: 'T', upstreamBaseUrl: A, allowedRoutes: [] };
const OWN = undefined;

let store: Store;
let tenants: TenantRepository;
let services: ServiceRepository;

beforeEach(async () => {
  store = await openEmbedded();
  const apiKeys = new ApiKeyRepository(store);
  const addresses = new AddressPolicy(true);
  tenants = new TenantRepository(store, apiKeys, addresses);
  services = new ServiceRepository(store, apiKeys, addresses);
  await tenants.create(TENANT);
  await services.create('acme', { name: 's', targets: [{ url: A }, { url: B }] });
});
afterEach(() => store.close());

const holdOpen = (serviceId: string | undefined, url: string): Promise<BreakerView> =>
  store.breakers.step(breakerKey({ tenantId: 'acme', serviceId }, url), {
    do: 'force',
    state: 'open',
    reason: 'tests',
  });
const stateOf = async (serviceId: string | undefined, url: string): Promise<string> =>
  (await store.breakers.step(breakerKey({ tenantId: 'acme', serviceId }, url), { do: 'read' })).state;

describe('a breaker that an operator holds open', () => {
  it('stays while its tenant and its target do', async () => {
    await holdOpen(OWN, A);
    await holdOpen('1', A);
    await tenants.update('acme', (current) => ({ ...current, name: 'renamed' }));
    await services.update('acme', '1', (current) => ({ ...current, name: 'renamed' }));
    expect([await stateOf(OWN, A), await stateOf('1', A)]).toEqual(['forced_open', 'forced_open']);
  });

  it('goes with the tenant, its services included', async () => {
    await holdOpen(OWN, A);
    await holdOpen('1', A);
    await tenants.remove('acme');
    expect([await stateOf(OWN, A), await stateOf('1', A)]).toEqual(['closed', 'closed']);
  });

  it('goes when a tenant gets the id that another program has deleted', async () => {
    await holdOpen(OWN, A);
    await store.documents.delete('tenant:acme', 'any');
    await tenants.create(TENANT);
    expect(await stateOf(OWN, A)).toBe('closed');
  });

  it('goes with the service, or with the target that is taken out of it', async () => {
    await holdOpen('1', A);
    await holdOpen('1', B);
    await services.update('acme', '1', (current) => ({ ...current, targets: [{ url: B }] }));
    expect([await stateOf('1', A), await stateOf('1', B)]).toEqual(['closed', 'forced_open']);
    await services.remove('acme', '1');
    expect(await stateOf('1', B)).toBe('closed');
  });

  it('goes when the tenant’s own routes lead elsewhere', async () => {
    await holdOpen(OWN, A);
    await tenants.update('acme', (current) => ({ ...current, upstreamBaseUrl: B }));
    expect(await stateOf(OWN, A)).toBe('closed');
  });

  it('is not written for targets that never had one', async () => {
    const heard: string[] = [];
    store.changes.subscribe((key) => void heard.push(key ?? ''));
    await tenants.remove('acme');
    expect(heard.filter((key) => key.includes(':breaker:'))).toEqual([]);
    expect(heard).toContain('tenant:acme');
  });
});
