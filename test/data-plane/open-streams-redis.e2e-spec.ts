import { startGateway } from '../support/gateway';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { guarantees } from './open-stream-guarantees';
import { StreamSetup } from './stream-setup';

describeRedis('open streams on Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.stop());
  guarantees(() => ({ REDIS_URL: redis.url }));

  it('are closed on every replica, whichever was asked to revoke', async () => {
    const setup = await StreamSetup.start({ REDIS_URL: redis.url });
    const replica = await startGateway({ REDIS_URL: redis.url });
    const tenant = await setup.made<{ id: string }>('', tenantOf('on-two', setup.upstream.url));
    const { id, key } = await setup.key(tenant.id);
    const [here, there] = await Promise.all([setup.both({ key }), setup.both({ key }, '/api/open', replica)]);
    await setup.gateway.admin('DELETE', `/admin/tenants/${tenant.id}/api-keys/${id}`);
    await setup.expectClosed(here, 'invalid_api_key');
    await setup.expectClosed(there, 'invalid_api_key', replica);
    await Promise.all([setup.stop(), replica.close()]);
  });
});

function tenantOf(id: string, upstreamBaseUrl: string): object {
  return { id, name: id, upstreamBaseUrl, allowedRoutes: [{ path: '/' }] };
}
