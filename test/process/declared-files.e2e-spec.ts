import { renameSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { hashApiKey } from '#libs/tenants';
import { scratchFolder, waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startRedis } from '../support/redis';
import { ADMIN_TOKEN, send, tally } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';

const KEY = 'a-key-that-a-file-knows-by-its-hash';

let upstream: TestUpstream;
beforeAll(
  async () => void (upstream = await startUpstream((request, response) => void response.end(request.url))),
);
afterAll(() => upstream.stop());

function write(folder: string, version: string): void {
  const text = `
project: { id: acme, upstreamBaseUrl: ${upstream.url}/${version} }
apiRoutes: [{ path: / }]
apiKeys: [{ sha256: ${hashApiKey(KEY)} }]
`;
  writeFileSync(join(folder, '.acme'), text);
  renameSync(join(folder, '.acme'), join(folder, 'acme.yaml'));
}

/** On connections of their own, which are dealt to the workers in turn. */
async function versions(gateway: TestProcess): Promise<Record<string, number>> {
  const sent = Array.from({ length: 8 }, () =>
    send(`${gateway.url}/api/`, { agent: new Agent(), headers: { 'X-API-Key': KEY } }),
  );
  const outcomes = await Promise.all(sent);
  return outcomes.every(({ status }) => status === 200)
    ? Object.fromEntries(outcomes.map(({ body }) => [body, 1]))
    : tally(outcomes);
}

describeRedis('the files of CONFIG_DIR and WORKERS=2', () => {
  it('every worker reads them, and a SIGHUP to the gateway reaches all of them', async () => {
    const redis = await startRedis();
    const folder = scratchFolder('projects');
    write(folder, 'v1');
    const env = { WORKERS: '2', REDIS_URL: redis.url, ADMIN_TOKEN, CONFIG_DIR: folder };
    const gateway = await startProcess({ env });
    const said = (msg: string): number => gateway.logs.filter((line) => line.msg === msg).length;
    await waitFor('both workers', () => said('listening') === 2, 15_000);
    const serves = (version: string) => async (): Promise<boolean> =>
      JSON.stringify(await versions(gateway)) === `{"/${version}/":1}`;
    await waitFor('both to serve', serves('v1'));
    write(folder, 'v2');
    await waitFor('both to follow', serves('v2'));
    process.kill(gateway.pid, 'SIGHUP');
    await waitFor('both to hear of it', () => said('SIGHUP: the project files are looked at') === 2);
    expect(await versions(gateway)).toEqual({ '/v2/': 1 });
    expect(await gateway.stop()).toBe(0);
    await redis.stop();
  }, 40_000);
});

it('a folder that is not there stops the start, and says so', async () => {
  const env = { CONFIG_DIR: join(scratchFolder('projects'), 'missing'), ADMIN_TOKEN };
  const gateway = await startProcess({ env, until: 'spawned' });
  expect(await gateway.exited).toEqual({ code: 78, signal: null });
  expect(gateway.stderr()).toMatch(/^gatehouse: CONFIG_DIR cannot be read: ENOENT/);
});
