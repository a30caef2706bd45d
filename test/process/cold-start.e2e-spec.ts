import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, scratchFolder, waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { GATEWAY_SECRET } from '../support/own-token-attacks';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';

describeRedis('a start without Redis, after a life with it', () => {
  let upstream: TestUpstream;
  let redis: TestRedis;
  let port: number;
  const env = { DATA_DIR: '', REDIS_URL: '', GATEWAY_JWT_SECRET: GATEWAY_SECRET };
  const credentials = { key: '', unseen: '', revoked: '', token: '', lost: '' };

  /** A gateway that serves for a while and leaves a snapshot. */
  beforeAll(async () => {
    upstream = await startUpstream((request, response) => void response.end(request.url));
    port = await freePort();
    redis = await startRedis({ port });
    env.DATA_DIR = scratchFolder('data');
    env.REDIS_URL = `redis://127.0.0.1:${port}`;
    const gateway = await startGateway(env);
    credentials.key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
    credentials.unseen = await gateway.addTenant({ id: 'unseen', upstreamBaseUrl: upstream.url });
    const second = await gateway.admin('POST', '/admin/tenants/acme/api-keys', { name: 'revoked' });
    credentials.revoked = (second.body as { key: string }).key;
    const made = await gateway.admin('POST', '/admin/tenants/acme/services', {
      name: 's',
      targets: [{ url: upstream.url }],
    });
    const route = {
      name: 'r',
      path: '/published',
      backends: [{ service: (made.body as { id: string }).id }],
      auth: { jwt: true },
    };
    await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes: [route] });
    const issue = async () =>
      (await gateway.admin('POST', '/admin/tokens', { project: 'acme', service: 'web' })).body as {
        token: string;
        jti: string;
      };
    const [token, lost] = [await issue(), await issue()];
    Object.assign(credentials, { token: token.token, lost: lost.token });
    for (const key of [credentials.key, credentials.revoked])
      expect(await ask(gateway, { 'X-API-Key': key })).toBe(200);
    for (const one of [credentials.token, credentials.lost]) expect(await published(gateway, one)).toBe(200);
    await gateway.admin(
      'DELETE',
      `/admin/tenants/acme/api-keys/${(second.body as { id: string }).id}?wait=true`,
    );
    await gateway.admin('POST', `/admin/tokens/${lost.jti}/revoke?wait=true`, { reason: 'lost' });
    await gateway.close();
    await redis.stop();
  }, 30_000);
  afterAll(() => upstream.stop());

  const ask = async (
    gateway: TestGateway,
    headers: Record<string, string>,
    path = '/api/x',
  ): Promise<number> => (await fetch(gateway.url + path, { headers })).status;
  const published = (gateway: TestGateway, token: string): Promise<number> =>
    ask(gateway, { Authorization: `Bearer ${token}` }, '/published/x');
  const readiness = async (gateway: TestGateway): Promise<[number, unknown]> => {
    const response = await fetch(`${gateway.url}/readyz`);
    return [response.status, await response.json()];
  };

  it('serves what was known, refuses what was revoked, and knows nothing else, until Redis is back', async () => {
    const gateway = await startGateway(env, 'listening');
    await waitFor('the snapshot', async () => (await readiness(gateway))[0] === 200);
    expect(await readiness(gateway)).toEqual([200, { status: 'degraded' }]);
    const { key, unseen, revoked, token, lost } = credentials;
    expect(await ask(gateway, { 'X-API-Key': key })).toBe(200);
    expect(await published(gateway, token)).toBe(200);
    expect(await ask(gateway, { 'X-API-Key': revoked })).toBe(401);
    expect(await published(gateway, lost)).toBe(401);
    expect(await ask(gateway, { 'X-API-Key': unseen })).toBe(503);
    expect(await ask(gateway, { 'X-API-Key': 'guessed' })).toBe(503);
    expect(await ask(gateway, {}, '/nowhere')).toBe(404);
    expect((await gateway.admin('GET', '/admin/tenants')).status).toBe(503);

    const back = await startRedis({ port });
    await waitFor(
      'Redis',
      async () => JSON.stringify(await readiness(gateway)) === '[200,{"status":"ready"}]',
      10_000,
    );
    // It came back empty: what was remembered is not believed any more.
    await waitFor('the truth', async () => (await ask(gateway, { 'X-API-Key': key })) === 401, 10_000);
    await waitFor('no publication', async () => (await published(gateway, token)) === 404, 10_000);
    await gateway.addTenant({ id: 'new', upstreamBaseUrl: upstream.url });
    await gateway.close();
    await back.stop();
  });

  it('leaves only its owner a file to read, and no key in it', async () => {
    const files = ['config-snapshot.ndjson', 'config-snapshot.ndjson.vouched'].map((name) =>
      join(env.DATA_DIR, name),
    );
    expect(statSync(files[0]!).mode & 0o777).toBe(0o600);
    for (const secret of Object.values(credentials))
      expect(readFileSync(files[0]!, 'utf8')).not.toContain(secret);
  });

  it.each<[string, Record<string, string>, (file: string) => void]>([
    ['a damaged file', {}, (file) => writeFileSync(file, readFileSync(file, 'utf8').replace(/acme/, 'evil'))],
    ['one that is too old', { STALE_CONFIG_MAX_AGE_SECONDS: '1' }, (file) => age(file)],
    ['one of another Redis', { REDIS_URL: 'redis://127.0.0.1:1' }, () => undefined],
    ['one that is not wanted', { CONFIG_SNAPSHOT: 'false' }, () => undefined],
  ])('starts as without it where there is %s', async (_, more, spoil) => {
    const folder = scratchFolder('data');
    const file = join(folder, 'config-snapshot.ndjson');
    writeFileSync(file, readFileSync(join(env.DATA_DIR, 'config-snapshot.ndjson')));
    spoil(file);
    const gateway = await startGateway({ ...env, DATA_DIR: folder, ...more }, 'listening');
    expect(await readiness(gateway)).toEqual([503, { status: 'starting' }]);
    expect(await ask(gateway, { 'X-API-Key': credentials.key })).toBe(503);
    await gateway.close();
  });

  const age = (file: string): void => {
    const [head = '', ...rest] = readFileSync(file, 'utf8').split('\n');
    const old = { ...(JSON.parse(head) as object), vouchedAt: Date.now() - 2000 };
    writeFileSync(file, [JSON.stringify(old), ...rest].join('\n'));
  };
});
