import { startGateway, type TestGateway } from '../support/gateway';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { commandsFor, jsonOf } from './command-line';

let gateway: TestGateway;
let upstream: TestUpstream;
let run: ReturnType<typeof commandsFor>;
let key: string;
beforeAll(async () => {
  [gateway, upstream] = await Promise.all([startGateway(), startUpstream()]);
  run = commandsFor(gateway);
  key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
});
afterAll(() => upstream.stop());

async function status(headers: Record<string, string> = {}): Promise<number> {
  return (await fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': key, ...headers } })).status;
}

it('begins a maintenance of a tenant, shows it and ends it', async () => {
  const flags = ['--tenant', 'acme', '--message', 'soon', '--allow-ip', '10.0.0.1', '--retry-after', '5'];
  const started = await run(['maintenance', 'start', ...flags]);
  expect(started).toMatchObject({ code: 0, stdout: 'maintenance of acme\n' });
  expect(await status()).toBe(503);
  const shown = ['maintenance', 'show', '--tenant', 'acme', '--json'];
  expect(await jsonOf(run(shown))).toEqual({
    message: 'soon',
    allowedIps: ['10.0.0.1'],
    retryAfterSeconds: 5,
  });
  // What is not said again is not kept.
  expect((await run(['maintenance', 'start', '--tenant', 'acme'])).code).toBe(0);
  expect(await jsonOf(run(shown))).toEqual({});
  expect((await run(['tenant', 'list'])).stdout).toMatch(/acme .* maintenance/);
  expect(await run(['maintenance', 'stop', '--tenant', 'acme'])).toMatchObject({
    code: 0,
    stdout: 'no maintenance of acme any more\n',
  });
  expect(await status()).toBe(200);
});

it('begins one of the whole gateway, with a token that lets operators through', async () => {
  const { bypassToken, bypassSha256 } = await jsonOf(run(['maintenance', 'start', '--bypass', '--json']));
  expect(bypassSha256).toMatch(/^[0-9a-f]{64}$/);
  expect([await status(), await status({ 'X-Maintenance-Bypass': bypassToken as string })]).toEqual([
    503, 200,
  ]);
  expect(await jsonOf(run(['maintenance', 'show', '--json']))).toEqual({ bypassSha256 });
  expect((await run(['maintenance', 'stop'])).code).toBe(0);
  expect((await run(['maintenance', 'stop'])).code).toBe(1);
  expect(await status()).toBe(200);
});

it('says what it is used wrongly for', async () => {
  expect((await run(['maintenance', 'start', '--service', '1'])).code).toBe(2);
  const answer = await run(['maintenance', 'start', '--tenant', 'acme', '--until', 'later']);
  expect([answer.code, answer.stderr]).toEqual([1, expect.stringContaining('maintenance.until')]);
});
