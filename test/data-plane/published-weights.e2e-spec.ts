import type { TestUpstream } from '../support/upstream';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

let setup: PublishedSetup;
let acme: Publisher;
beforeAll(async () => {
  setup = await startPublished();
  acme = await setup.publisher();
});

const counts = (...upstreams: TestUpstream[]): number[] => upstreams.map(({ requests }) => requests.length);

it('divides its requests between its services by their weights, evenly mixed', async () => {
  const [heavy, light, none] = [await setup.upstream(), await setup.upstream(), await setup.upstream()];
  const services = await Promise.all([heavy, light, none].map(({ url }) => setup.service(acme.id, url)));
  const [a = '', b = '', c = ''] = services;
  await acme.publish({
    path: '/weighted',
    backends: [{ service: a, weight: 3 }, { service: b }, { service: c, weight: 0 }],
  });
  for (let i = 0; i < 12; i++) {
    expect((await setup.get('/weighted')).status).toBe(200);
    if (i === 3) expect(counts(heavy, light, none)).toEqual([3, 1, 0]);
  }
  expect(counts(heavy, light, none)).toEqual([9, 3, 0]);
});

it('sends to the target with the fewest requests under way', async () => {
  let held: Array<() => void> = [];
  const slow = await setup.upstream((_request, response) => void held.push(() => response.end()));
  const quick = await setup.upstream();
  const service = await setup.service(acme.id, [{ url: slow.url }, { url: quick.url }], {
    balance: 'least-pending',
  });
  await acme.publish({ path: '/least', backends: [{ service }] });
  const waiting: Array<Promise<unknown>> = [];
  // Sent until the slow one has one; from then on everything goes past it.
  while (slow.requests.length === 0) {
    const sent = setup.get('/least');
    waiting.push(sent);
    await Promise.race([sent, new Promise((resolve) => slow.server.once('request', resolve))]);
  }
  const before = quick.requests.length;
  for (let i = 0; i < 6; i++) expect((await setup.get('/least')).status).toBe(200);
  expect(counts(slow, quick)).toEqual([1, before + 6]);
  for (const answer of held) answer();
  held = [];
  await Promise.all(waiting);
});

it('leads nowhere when its service is gone', async () => {
  const service = await setup.service(acme.id, acme.upstream.url);
  await acme.publish({ path: '/orphan', backends: [{ service }] });
  expect((await setup.get('/orphan')).status).toBe(200);
  await setup.gateway.admin('DELETE', `/admin/tenants/${acme.id}/services/${service}`);
  expect(await setup.get('/orphan')).toMatchObject({ status: 503, code: 'tenant_misconfigured' });
});
