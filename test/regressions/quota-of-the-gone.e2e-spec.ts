import { waitFor } from '../support/children';
import { startForwarding } from '../support/forwarding';
import { metric } from '../support/outcomes';
import { describeRedis, startRedis } from '../support/redis';

const QUOTA = 50;

describeRedis('a client that goes while the store is asked for its limits', () => {
  it('has used nothing of its quota', async () => {
    const redis = await startRedis();
    const forwarding = await startForwarding({ REDIS_URL: redis.url });
    const { gateway } = forwarding;
    await forwarding.upstream(undefined, { id: 'acme' });
    const made = await gateway.admin('POST', '/admin/tenants/acme/api-keys', {
      name: 'counted',
      monthlyQuota: QUOTA,
    });
    const { key } = made.body as { key: string };
    const left = async (): Promise<number> => {
      const response = await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': key } });
      return Number(/"quota";r=(\d+)/.exec(response.headers.get('ratelimit') ?? '')?.[1]);
    };
    expect(await left()).toBe(QUOTA - 1);

    // Scripts wait, and with them the answer of the limits.
    await redis.cli('CLIENT', 'PAUSE', '5000', 'WRITE');
    const client = await forwarding.send(key, 'GET /api/gone');
    await waitFor('the request', async () => (await metric(gateway, 'gateway_inflight_requests')) === 1);
    client.destroy();
    await waitFor('its end', async () => (await metric(gateway, 'gateway_inflight_requests')) === 0);
    await redis.cli('CLIENT', 'UNPAUSE');

    let served = 1;
    await waitFor('what was taken to be given back', async () => (await left()) === QUOTA - ++served);
  });
});
