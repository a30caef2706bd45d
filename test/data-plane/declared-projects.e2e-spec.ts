import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashApiKey } from '#libs/tenants';
import { scratchFolder, waitFor } from '../support/children';
import { startGateway, writeTenant, type TestGateway } from '../support/gateway';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startRedis } from '../support/redis';
import { ADMIN_TOKEN, call, tally, type Outcome } from '../support/traffic';
import { TRAEFIK_EXAMPLE } from '../support/traefik-example';
import { startUpstream, type TestUpstream } from '../support/upstream';

const KEY = 'a-key-that-a-file-knows-by-its-hash';

let upstream: TestUpstream;
beforeAll(
  async () => void (upstream = await startUpstream((request, response) => void response.end(request.url))),
);
afterAll(() => upstream.stop());

/** A project whose version can be seen in the path that its upstream is asked for. */
const project = (version: string, more = ''): string => `
project:
  id: acme
  name: Acme
  upstreamBaseUrl: ${upstream.url}/${version}
  rateLimit: { windowSeconds: 1, maxRequests: 1000000 }
apiRoutes:
  - path: /
apiKeys:
  - { sha256: ${hashApiKey(KEY)}, name: ci }
${more}`;

/** As an editor that is careful writes: never half a file. */
function write(folder: string, file: string, text: string): void {
  writeFileSync(join(folder, `.${file}`), text);
  renameSync(join(folder, `.${file}`), join(folder, file));
}

const served = async (gateway: { url: string }): Promise<string> => (await call(gateway, KEY)).body;
const waitForVersion = (gateway: { url: string }, version: string): Promise<unknown> =>
  waitFor(version, async () => (await served(gateway)) === `/${version}/`);

async function metric(gateway: TestGateway, series: string): Promise<string | undefined> {
  const { body } = await gateway.admin('GET', '/metrics');
  const line = (body as string).split('\n').find((each) => each.startsWith(`${series} `));
  return line?.slice(series.length + 1);
}

describe('a project in a file', () => {
  let folder: string;
  let gateway: TestGateway;
  beforeAll(async () => {
    folder = scratchFolder('projects');
    write(folder, 'acme.yaml', project('v1'));
    gateway = await startGateway({ CONFIG_DIR: folder });
  });
  afterAll(() => gateway.close());

  it('is served and listed like any other, keys included', async () => {
    expect(await call(gateway, KEY, '/api/x')).toMatchObject({ status: 200, body: '/v1/x' });
    const { body } = await gateway.admin('GET', '/admin/tenants');
    expect(body.tenants).toMatchObject([{ id: 'acme', name: 'Acme', upstreamBaseUrl: `${upstream.url}/v1` }]);
    const keys = await gateway.admin('GET', '/admin/tenants/acme/api-keys');
    expect(keys.body.apiKeys).toMatchObject([
      { name: 'ci', active: true, prefix: expect.stringMatching(/^sha256:/) },
    ]);
    const question = { method: 'GET', path: '/api/x', headers: { 'X-API-Key': KEY } };
    const explained = await gateway.admin('POST', '/admin/explain', question);
    expect(explained.body).toMatchObject({ outcome: 'forward', tenantId: 'acme' });
    expect(await metric(gateway, 'gateway_config_file_valid{file="acme.yaml"}')).toBe('1');
    expect(Number(await metric(gateway, 'gateway_config_last_reload_timestamp_seconds'))).toBeGreaterThan(
      1.7e9,
    );
  });

  it('is changed in its file only: every write is refused and names it', async () => {
    const tenant = (await gateway.admin('GET', '/admin/tenants/acme')).body as object;
    const { id } = (await gateway.admin('GET', '/admin/tenants/acme/api-keys')).body.apiKeys[0] as {
      id: string;
    };
    const before = (await gateway.admin('GET', '/admin/tenants/acme/api-keys')).body as object;
    const document = { name: 'Other', upstreamBaseUrl: upstream.url, allowedRoutes: [] };
    const writes: [method: string, path: string, body?: object][] = [
      ['PUT', '/admin/tenants/acme', document],
      ['PATCH', '/admin/tenants/acme', { name: 'Other' }],
      ['DELETE', '/admin/tenants/acme'],
      ['POST', '/admin/tenants/acme/suspend'],
      ['PATCH', `/admin/tenants/acme/api-keys/${id}`, { enabled: false }],
      ['DELETE', `/admin/tenants/acme/api-keys/${id}`],
      ['POST', `/admin/tenants/acme/api-keys/${id}/rotate`, { graceSeconds: 0 }],
    ];
    for (const [method, path, body] of writes) {
      const answer = await gateway.admin(method, path, body);
      expect([path, answer.status, answer.body]).toMatchObject([
        path, 409, { code: 'declared_in_file', detail: 'it is declared in acme.yaml: change it there' },
      ]); // prettier-ignore
    }
    const created = await gateway.admin('POST', '/admin/tenants', { id: 'acme', ...document });
    expect([created.status, created.body.code]).toEqual([409, 'already_exists']);
    expect((await gateway.admin('GET', '/admin/tenants/acme')).body).toEqual(tenant);
    expect((await gateway.admin('GET', '/admin/tenants/acme/api-keys')).body).toEqual(before);
    expect((await call(gateway, KEY)).status).toBe(200);
  });

  it('may be given further keys by the admin API', async () => {
    const made = await gateway.admin('POST', '/admin/tenants/acme/api-keys', { name: 'more' });
    expect(made.status).toBe(201);
    const { key, id } = made.body as { key: string; id: string };
    expect((await call(gateway, key)).status).toBe(200);
    expect((await gateway.admin('DELETE', `/admin/tenants/acme/api-keys/${id}`)).status).toBeLessThan(300);
    expect((await call(gateway, key)).status).toBe(401);
  });

  it('stays as it was while its file is wrong, says where, and follows when it is mended', async () => {
    write(folder, 'acme.yaml', project('v2', 'routez: []\n'));
    await waitFor(
      'the refusal',
      async () => (await metric(gateway, 'gateway_config_file_valid{file="acme.yaml"}')) === '0',
    );
    expect(gateway.logs.find(({ level }) => level === 'error' || level === 50)).toMatchObject({
      msg: 'a project file is refused: its last good version stays in service',
      problems: ['acme.yaml:11:1: routez: is not a known field'],
    });
    expect(await served(gateway)).toBe('/v1/');
    write(folder, 'acme.yaml', project('v3'));
    await waitForVersion(gateway, 'v3');
    expect(await metric(gateway, 'gateway_config_file_valid{file="acme.yaml"}')).toBe('1');
    expect(await metric(gateway, 'gateway_config_reloads_total{result="failure"}')).toBe('1');
    expect(await metric(gateway, 'gateway_config_reloads_total{result="success"}')).toBe('2');
  });

  it('goes with its file, and leaves nothing behind', async () => {
    unlinkSync(join(folder, 'acme.yaml'));
    await waitFor('the end', async () => (await call(gateway, KEY)).status === 401);
    expect((await gateway.admin('GET', '/admin/tenants/acme')).status).toBe(404);
    expect((await gateway.admin('GET', '/admin/tenants')).body.tenants).toEqual([]);
    expect(await metric(gateway, 'gateway_config_file_valid{file="acme.yaml"}')).toBeUndefined();
  });
});

it('a gateway starts with a file that cannot be used, and serves it once it can be', async () => {
  const folder = scratchFolder('projects');
  write(folder, 'acme.yaml', project('v1').replace(upstream.url, '{{env "UPSTREAM"}}'));
  const gateway = await startGateway({ CONFIG_DIR: folder });
  expect(gateway.logs).toContainEqual(
    expect.objectContaining({
      msg: 'a project file is refused: it is not served',
      problems: ['acme.yaml:5:20: project.upstreamBaseUrl: the environment variable UPSTREAM is not set'],
    }),
  );
  expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
  expect((await call(gateway, KEY)).status).toBe(401);
  write(folder, 'acme.yaml', project('v1'));
  await waitForVersion(gateway, 'v1');
  await gateway.close();
});

it('the swap of a ConfigMap is followed', async () => {
  const folder = scratchFolder('projects');
  const version = (name: string): void => {
    mkdirSync(join(folder, `..${name}`));
    writeFileSync(join(folder, `..${name}`, 'acme.yaml'), project(name));
    symlinkSync(`..${name}`, join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  };
  version('v1');
  symlinkSync('..data/acme.yaml', join(folder, 'acme.yaml'));
  const gateway = await startGateway({ CONFIG_DIR: folder });
  expect(await served(gateway)).toBe('/v1/');
  version('v2');
  await waitForVersion(gateway, 'v2');
  await gateway.close();
});

it('a folder that is put in the place of another is followed', async () => {
  const parent = scratchFolder('projects');
  const folder = join(parent, 'current');
  mkdirSync(folder);
  write(folder, 'acme.yaml', project('v1'));
  const gateway = await startGateway({ CONFIG_DIR: folder });
  mkdirSync(join(parent, 'next'));
  write(join(parent, 'next'), 'acme.yaml', project('v2'));
  renameSync(folder, join(parent, 'old'));
  renameSync(join(parent, 'next'), folder);
  await waitForVersion(gateway, 'v2');
  await gateway.close();
});

it('the example of the Traefik gateway is served as it is, but for where its backend is', async () => {
  const folder = scratchFolder('projects');
  const upstream = await startUpstream();
  write(
    folder,
    'newproject.yml',
    TRAEFIK_EXAMPLE.replace('http://newproject-service.internal:8000', upstream.url),
  );
  const GATEWAY_JWT_SECRET = 'a-secret-of-more-than-32-characters';
  const gateway = await startGateway({ CONFIG_DIR: folder, GATEWAY_JWT_SECRET });
  expect(await metric(gateway, 'gateway_config_file_valid{file="newproject.yml"}')).toBe('1');
  const tokenFor = async (project: string): Promise<string> => {
    const issued = await gateway.admin('POST', '/admin/tokens', { project, service: 'api' });
    expect(issued.status).toBe(201);
    return (issued.body as { token: string }).token;
  };
  const ask = async (token?: string): Promise<number> => {
    const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
    return (await fetch(`${gateway.url}/newproject/api/health?deep=1`, { headers })).status;
  };

  expect(await ask()).toBe(401);
  await gateway.addTenant({ id: 'other', upstreamBaseUrl: upstream.url });
  expect(await ask(await tokenFor('other'))).toBe(403);
  expect(upstream.requests).toHaveLength(0);
  expect(await ask(await tokenFor('newproject'))).toBe(200);
  expect(upstream.last().url).toBe('/health?deep=1');
  expect(upstream.last().headers).toMatchObject({ 'x-forwarded-prefix': '/newproject/api' });
  // In whole segments, and nothing beside it.
  expect((await fetch(`${gateway.url}/newproject/apix`)).status).toBe(404);

  const routes = [{ name: 'r', path: '/newproject/api', backends: [{ service: '1' }] }];
  const service = { name: 's', targets: [{ url: upstream.url }] };
  await gateway.admin('POST', '/admin/tenants/other/services', service);
  const taken = await gateway.admin('PUT', '/admin/tenants/other/publication', { routes });
  expect(taken.status).toBe(409);
  expect(JSON.stringify(gateway.logs)).not.toContain(GATEWAY_JWT_SECRET);
  await Promise.all([gateway.close(), upstream.stop()]);
});

// Whichever of the two ids sorts first.
it.each(['aaa', 'stored'])(
  'a stored publication of %s gives way to a file that publishes the same, and can still be changed and removed',
  async (id) => {
    const folder = scratchFolder('projects');
    const gateway = await startGateway({ CONFIG_DIR: folder });
    await gateway.addTenant({ id, upstreamBaseUrl: upstream.url });
    const targets = [{ url: upstream.url }];
    const made = await gateway.admin('POST', `/admin/tenants/${id}/services`, { name: 's', targets });
    const backends = [{ service: (made.body as { id: string }).id }];
    const publish = (...paths: string[]): Promise<{ status: number; body: unknown }> =>
      gateway.admin('PUT', `/admin/tenants/${id}/publication`, {
        routes: paths.map((path) => ({ name: path.slice(1), path, backends })),
      });
    expect((await publish('/x', '/y')).status).toBe(200);
    const more = `services: { s: { url: "${upstream.url}/file" } }
routes: [{ name: x, path: /x, service: s }]
`;
    write(folder, 'acme.yaml', project('v1', more));
    const said = 'a stored publication is hidden by a file that publishes the same';
    await waitFor('the complaint', () => gateway.logs.some(({ msg }) => msg === said));
    expect(gateway.logs.find(({ msg }) => msg === said)).toMatchObject({
      tenants: ['acme', id],
      file: 'acme.yaml',
      path: '/x',
    });
    const x = async (): Promise<string> => (await fetch(`${gateway.url}/x`)).text();
    expect(await x()).toBe('/file/x');
    const question = { method: 'GET', path: '/x', headers: {} };
    const explained = (await gateway.admin('POST', '/admin/explain', question)).body as {
      judgements: Array<{ details: object }>;
    };
    expect(explained.judgements[0]?.details).toMatchObject({
      published: 'x',
      tenantId: 'acme',
      declaredIn: 'acme.yaml',
      hides: [id],
    });

    expect((await publish('/y')).status).toBe(200);
    expect(await publish('/y', '/x')).toMatchObject({
      status: 409,
      body: { code: 'conflict', errors: [{ field: 'routes.1.path' }] },
    });
    expect((await publish('/y')).status).toBe(200);
    expect((await gateway.admin('DELETE', `/admin/tenants/${id}/publication`)).status).toBe(204);
    expect((await gateway.admin('GET', '/admin/publications')).body).toMatchObject({
      publications: [{ tenantId: 'acme' }],
    });
    expect(await x()).toBe('/file/x');
    await gateway.close();
  },
);

describe('a hundred reloads by SIGHUP', () => {
  it('cost no request, and end with the last version', async () => {
    const folder = scratchFolder('projects');
    write(folder, 'acme.yaml', project('v0'));
    const gateway: TestProcess = await startProcess({ env: { CONFIG_DIR: folder, ADMIN_TOKEN } });
    const outcomes: Outcome[] = [];
    let stopped = false;
    const clients = Array.from({ length: 8 }, async () => {
      // Bounded, should nobody stop them.
      for (let i = 0; i < 50_000 && !stopped; i++) outcomes.push(await call(gateway, KEY));
    });
    for (let round = 1; round <= 100; round++) {
      write(folder, 'acme.yaml', project(`v${round}`));
      process.kill(gateway.pid, 'SIGHUP');
      await waitForVersion(gateway, `v${round}`);
    }
    stopped = true;
    await Promise.all(clients);
    expect(tally(outcomes)).toEqual({ 200: outcomes.length });
    // They went on while the files changed: many versions were seen.
    expect(new Set(outcomes.map(({ body }) => body)).size).toBeGreaterThan(50);
    expect(await served(gateway)).toBe('/v100/');
    expect(await gateway.stop()).toBe(0);
  }, 30_000);
});

describeRedis('beside Redis', () => {
  it('hides a stored tenant of the same id, says so, and is reloaded while Redis is away', async () => {
    const redis = await startRedis();
    const folder = scratchFolder('projects');
    await writeTenant(
      redis,
      'acme',
      { id: 'acme', name: 'Stored', upstreamBaseUrl: upstream.url, allowedRoutes: [] },
      'k',
    );
    write(folder, 'acme.yaml', project('v1'));
    const gateway = await startGateway({ CONFIG_DIR: folder, REDIS_URL: redis.url });
    expect(await served(gateway)).toBe('/v1/');
    const hidden = {
      msg: 'a stored tenant is hidden by a file of the same id',
      tenantId: 'acme',
      file: 'acme.yaml',
    };
    await waitFor('the warning', () => gateway.logs.some(({ msg }) => msg === hidden.msg));
    write(folder, 'acme.yaml', project('v2'));
    await waitForVersion(gateway, 'v2');
    expect(gateway.logs.filter(({ msg }) => msg === hidden.msg)).toMatchObject([hidden]);
    await redis.stop();
    write(folder, 'acme.yaml', project('v3'));
    await waitForVersion(gateway, 'v3');
    await gateway.close();
  });
});
