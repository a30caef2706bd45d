import { createServer } from 'node:http';
import { waitFor } from '../support/children';
import { metric } from '../support/outcomes';
import type { TestUpstream, UpstreamHandler } from '../support/upstream';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

let setup: PublishedSetup;
let acme: Publisher;
beforeAll(async () => {
  setup = await startPublished();
  acme = await setup.publisher();
});

interface Patient extends TestUpstream {
  readonly state: { well: boolean };
  /** Requests that were no checks. */
  served(): number;
  checks(): number;
}

/** An upstream that says of itself whether it is well, and serves as well as it says. */
async function patient(): Promise<Patient> {
  const state = { well: true };
  const handler: UpstreamHandler = (_request, response) =>
    void response.writeHead(state.well ? 200 : 503).end();
  const upstream = await setup.upstream(handler);
  const checks = (): number => upstream.requests.filter(({ url }) => url === '/up').length;
  return { ...upstream, state, checks, served: () => upstream.requests.length - checks() };
}

interface TargetView {
  healthy: boolean;
  trouble: string | null;
  checkedAt: string | null;
  failures: number;
}
async function health(service: string): Promise<TargetView[]> {
  const { body } = await setup.gateway.admin('GET', `/admin/tenants/${acme.id}/services/${service}/health`);
  return (body as { targets: TargetView[] }).targets;
}

const send = (service: string): Promise<{ status: number }> => setup.send(acme.key, `GET /proxy/${service}`);

const CHECK = { path: '/up', intervalSeconds: 1, healthyAfter: 1, unhealthyAfter: 1 };

it('a target that fails its checks gets no request until it passes them again', async () => {
  const [sick, sound] = [await patient(), await patient()];
  const targets = [{ url: sick.url }, { url: sound.url }];
  const service = await setup.service(acme.id, targets, { healthCheck: CHECK, passive: false });
  // Checked before anybody has asked for it, because it is published.
  await acme.publish({ path: '/checked', backends: [{ service }] });
  await send(service);
  sick.state.well = false;
  await waitFor('the verdict', async () => (await health(service))[0]?.healthy === false);
  expect(await health(service)).toMatchObject([
    { trouble: 'failed_checks' },
    { healthy: true, trouble: null },
  ]);
  const labels = (target: string): string => `service="${service}",target="${target}"`;
  expect(await metric(setup.gateway, 'gateway_target_healthy', labels(sick.url))).toBe(0);
  expect(await metric(setup.gateway, 'gateway_target_healthy', labels(sound.url))).toBe(1);
  const before = sick.served();
  for (let i = 0; i < 8; i++) expect((await send(service)).status).toBe(200);
  expect([sick.served(), sound.served()]).toEqual([before, expect.any(Number)]);
  sick.state.well = true;
  await waitFor('the recovery', async () => (await health(service))[0]?.healthy === true);
  for (let i = 0; i < 4; i++) await send(service);
  expect(sick.served()).toBe(before + 2);
});

it('all targets are tried when all fail their checks', async () => {
  const [one, other] = [await patient(), await patient()];
  const targets = [{ url: one.url }, { url: other.url }];
  const service = await setup.service(acme.id, targets, { healthCheck: CHECK, passive: false });
  one.state.well = other.state.well = false;
  await send(service);
  await waitFor('the verdicts', async () => (await health(service)).every(({ healthy }) => !healthy));
  const before = [one.served(), other.served()];
  for (let i = 0; i < 4; i++) expect((await send(service)).status).toBe(503);
  expect([one.served(), other.served()]).toEqual(before.map((served) => served + 2));
});

it('a target whose requests fail in a row is left out for a while', async () => {
  const [sick, sound] = [await patient(), await patient()];
  const targets = [{ url: sick.url }, { url: sound.url }];
  const service = await setup.service(acme.id, targets, { passive: { failures: 2, ejectSeconds: 1 } });
  sick.state.well = false;
  await waitFor('the ejection', async () => {
    await send(service);
    return (await health(service))[0]?.healthy === false;
  });
  expect(await health(service)).toMatchObject([{ trouble: 'failed_requests', failures: 2 }, { failures: 0 }]);
  sick.state.well = true;
  await waitFor('its return', async () => {
    await send(service);
    return (await health(service))[0]?.failures === 0;
  });
  expect((await health(service))[0]).toMatchObject({ healthy: true });
});

it('a target that cannot be reached is left out as well', async () => {
  const refusing = createServer();
  const port = await new Promise<number>((resolve) => {
    refusing.listen(0, '127.0.0.1', () => resolve((refusing.address() as { port: number }).port));
  });
  await new Promise((resolve) => refusing.close(resolve));
  const sound = await patient();
  const targets = [{ url: `http://127.0.0.1:${port}` }, { url: sound.url }];
  const service = await setup.service(acme.id, targets, { passive: { failures: 1, ejectSeconds: 3600 } });
  await waitFor('the ejection', async () => {
    await send(service);
    return (await health(service))[0]?.healthy === false;
  });
  for (let i = 0; i < 4; i++) expect((await send(service)).status).toBe(200);
});

it('one target alone is used whatever it does, and services that nothing leads to are not checked', async () => {
  const [only, idle] = [await patient(), await patient()];
  const service = await setup.service(acme.id, only.url, { passive: { failures: 1, ejectSeconds: 3600 } });
  only.state.well = false;
  for (let i = 0; i < 3; i++) expect((await send(service)).status).toBe(503);
  only.state.well = true;
  expect((await send(service)).status).toBe(200);
  const unused = await setup.service(acme.id, idle.url, { healthCheck: CHECK });
  const used = await setup.service(acme.id, only.url, { healthCheck: CHECK });
  await send(used);
  await waitFor('a check', () => only.checks() > 0);
  expect((await health(unused))[0]).toMatchObject({ checkedAt: null });
  expect(idle.requests).toHaveLength(0);
});
