import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchFolder, waitFor } from '../support/children';
import { startGateway } from '../support/gateway';
import { metric } from '../support/outcomes';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startRedis } from '../support/redis';
import { startTcpProxy } from '../support/tcp-proxy';
import { ADMIN_TOKEN, send, tally, type Outcome } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

let upstream: TestUpstream;
beforeAll(
  async () => void (upstream = await startUpstream((request, response) => void response.end(request.url))),
);
afterAll(() => upstream.stop());

/** Several projects, so that the table of routes follows one after the other. */
const PROJECTS = ['acme', 'bravo', 'coda'];

/** Each version calls its service otherwise; which one was asked can be seen in the path. */
function write(folder: string, version: string): void {
  for (const id of PROJECTS) {
    const text = `
project: { id: ${id}, upstreamBaseUrl: ${upstream.url}, rateLimit: { windowSeconds: 1, maxRequests: 1000000 } }
services: { ${version}: { url: ${upstream.url}/${version} } }
routes:
  - { name: open, path: /${id}/open, service: ${version} }
  - { name: keyed, path: /${id}/keyed, service: ${version}, auth: { jwt: false, apiKey: true } }
`;
    writeFileSync(join(folder, `.${id}`), text);
    renameSync(join(folder, `.${id}`), join(folder, `${id}.yaml`));
  }
}

it('fifty reloads that rename the service of every published route cost no request', async () => {
  const folder = scratchFolder('projects');
  write(folder, 'v0');
  const gateway: TestProcess = await startProcess({ env: { CONFIG_DIR: folder, ADMIN_TOKEN } });
  const get = (id: string): Promise<Outcome> => send(`${gateway.url}/${id}/open`);
  const outcomes: Outcome[] = [];
  let stopped = false;
  const clients = Array.from({ length: 3 }, async (_, client) => {
    const id = PROJECTS[client % PROJECTS.length] as string;
    // Bounded, should nobody stop them.
    for (let i = 0; i < 50_000 && !stopped; i++) outcomes.push(await get(id));
  });
  for (let round = 1; round <= 50; round++) {
    write(folder, `v${round}`);
    process.kill(gateway.pid, 'SIGHUP');
    const followed = async (id: string): Promise<boolean> => (await get(id)).body === `/v${round}/${id}/open`;
    await waitFor(`version ${round}`, async () => (await Promise.all(PROJECTS.map(followed))).every(Boolean));
  }
  stopped = true;
  await Promise.all(clients);
  expect(tally(outcomes)).toEqual({ 200: outcomes.length });
  expect(new Set(outcomes.map(({ body }) => body)).size).toBeGreaterThan(50);
  expect(await gateway.stop()).toBe(0);
}, 30_000);

describeRedis('beside Redis', () => {
  it('a request that waits for its key while its service is renamed is served as it was found', async () => {
    const redis = await startRedis();
    const wire = await startTcpProxy(redis.port);
    const folder = scratchFolder('projects');
    write(folder, 'old');
    const gateway = await startGateway({ CONFIG_DIR: folder, REDIS_URL: `redis://127.0.0.1:${wire.port}` });
    const made = await gateway.admin('POST', '/admin/tenants/acme/api-keys', { name: 'stored' });
    const headers = { 'X-API-Key': (made.body as { key: string }).key };
    const takenOver = (): number =>
      gateway.logs.filter(({ msg }) => msg === 'project files taken over').length;
    const before = takenOver();
    wire.delay(200);
    const waiting = send(`${gateway.url}/acme/keyed`, { headers });
    await waitFor('it to wait', async () => (await metric(gateway, 'gateway_inflight_requests')) > 0);
    write(folder, 'new');
    await waitFor('the new version', () => takenOver() > before);
    expect(await waiting).toMatchObject({ status: 200, body: '/old/acme/keyed' });
    wire.mend();
    await waitFor(
      'the new version of all',
      async () => (await send(`${gateway.url}/acme/keyed`, { headers })).body === '/new/acme/keyed',
    );
    await gateway.close();
    await wire.stop();
    await redis.stop();
  });
});
