import { keys, type Budget, type Store } from '#libs/store';
import {
  AddressPolicy,
  ApiKeyRepository,
  ServiceRepository,
  TenantRepository,
  spendCapNews,
} from '#libs/tenants';
import { describeStores } from '../store/stores';
import { peekOne } from '../support/limits';

const DOCUMENT = {
  name: 'ACME',
  upstreamBaseUrl: 'http://127.0.0.1:1',
  allowedRoutes: [{ path: '/' }],
};

const seen = (tenantId: string): string => keys.webhookSeen(spendCapNews(tenantId));

function budget(key: string): Budget {
  return { key, capacity: 100, windowMs: 0, cost: 10, endsAt: 0 };
}

describeStores(
  'a tenant that is removed and made again',
  (stage) => {
    let store: Store;
    let tenants: TenantRepository;
    let apiKeys: ApiKeyRepository;
    let services: ServiceRepository;
    beforeAll(async () => {
      store = await stage.open();
      const addresses = new AddressPolicy(true);
      apiKeys = new ApiKeyRepository(store);
      services = new ServiceRepository(store, apiKeys, addresses);
      tenants = new TenantRepository(store, apiKeys, addresses);
    });

    it('has spent nothing, of no cycle and no quota, while another has spent what it has', async () => {
      const caps: Budget[] = [];
      for (const id of ['acme', 'other']) {
        await tenants.create({ ...DOCUMENT, id });
        await store.ledgers.closeCycle(id, 1);
        caps.push(budget(keys.spendCap(id, 1)), budget(keys.spendCap(id, 2)));
      }
      const { service } = await services.create('acme', {
        name: 's',
        targets: [{ url: 'http://127.0.0.1:1' }],
      });
      const fields = { name: 'k', serviceId: service?.id, monthlyQuota: 100 };
      const made = await apiKeys.create('acme', fields);
      const rotated = await apiKeys.rotate('acme', made.record.id, { graceSeconds: 60 });
      const month = new Date().toISOString().slice(0, 7);
      const quota = budget(keys.quota('acme', rotated.record.lineage ?? '', month));
      for (const limit of [...caps, quota]) await store.limits.take([limit]);
      for (const id of ['acme', 'other']) await store.documents.put(seen(id), '1/100:80', 'any');
      await tenants.remove('acme');
      await tenants.create({ ...DOCUMENT, id: 'acme' });
      const left = async (limit: Budget): Promise<number> => (await peekOne(store, limit)).remaining;
      expect(await Promise.all([...caps, quota].map(left))).toEqual([100, 100, 90, 90, 100]);
      // Nor has anybody been told of what it has spent.
      expect(await Promise.all(['acme', 'other'].map((id) => store.documents.get(seen(id))))).toEqual([
        undefined,
        '1/100:80',
      ]);
    });
  },
  ['embedded', 'standalone', 'cluster'],
);
