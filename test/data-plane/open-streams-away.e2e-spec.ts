import { keys } from '#libs/store';
import { hashApiKey } from '#libs/tenants';
import { waitFor } from '../support/children';
import { metric } from '../support/outcomes';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { StreamSetup } from './stream-setup';

describeRedis('open streams while Redis is away', () => {
  let redis: TestRedis;
  let wire: TcpProxy;
  beforeEach(async () => {
    redis = await startRedis();
    wire = await startTcpProxy(redis.port);
  });
  afterEach(() => Promise.all([wire.stop(), redis.stop()]));

  const start = (env: Record<string, string> = {}): Promise<StreamSetup> =>
    StreamSetup.start({ REDIS_URL: `redis://127.0.0.1:${wire.port}`, ...env });
  const staleFor = (setup: StreamSetup, seconds: number): Promise<unknown> =>
    waitFor(
      'an old configuration',
      async () => (await metric(setup.gateway, 'gateway_config_staleness_seconds')) > seconds,
    );

  it('stay open, and are held to what has changed meanwhile when it is back', async () => {
    const setup = await start();
    const [kept, revoked] = [await setup.tenant(), await setup.tenant()];
    const staying = await setup.both(kept);
    const ending = await setup.both(revoked);
    wire.cut();
    await redis.cli('DEL', keys.apiKeyMapping(hashApiKey(revoked.key)));
    // Many looks at the feed later.
    await staleFor(setup, 1.5);
    await Promise.all([...staying, ...ending].map((stream) => stream.works()));
    wire.mend();
    await setup.expectClosed(ending, 'invalid_api_key');
    await Promise.all(staying.map((stream) => stream.works()));
    expect(await metric(setup.gateway, 'gateway_open_streams')).toBe(2);
    await setup.stop();
  });

  it('are still closed when the time of their credential is over', async () => {
    const setup = await start();
    const tenant = await setup.tenant();
    const expiresAt = new Date(Date.now() + 1500).toISOString();
    const { key } = await setup.key(tenant.id, { expiresAt });
    const streams = await setup.both({ key });
    wire.cut();
    await setup.expectClosed(streams, 'key_expired');
    await setup.stop();
  });

  it('are closed once known tenants are served no longer', async () => {
    const setup = await start({ STALE_CONFIG_MAX_AGE_SECONDS: '2' });
    const streams = await setup.both(await setup.tenant());
    wire.cut();
    await staleFor(setup, 1);
    await Promise.all(streams.map((stream) => stream.works()));
    await setup.expectClosed(streams, 'store_unavailable');
    await setup.stop();
  });
});
