import { WebSocket } from 'ws';
import { once } from 'node:events';
import { waitFor } from '../support/children';
import { metric } from '../support/outcomes';
import { KINDS, StreamSetup } from './stream-setup';

let setup: StreamSetup;
beforeAll(async () => {
  setup = await StreamSetup.start({
    MAX_CONCURRENT_REQUESTS: '2',
    MAX_QUEUED_REQUESTS: '0',
    MAX_OPEN_STREAMS: '6',
  });
});
afterAll(() => setup.stop());

const slots = () => metric(setup.gateway, 'gateway_concurrency_inflight');

/** The status that a handshake is refused with. */
async function refusalOf(key: string): Promise<number | undefined> {
  const socket = new WebSocket(`${setup.gateway.url.replace('http', 'ws')}/api/open/refused`, {
    headers: { 'X-API-Key': key },
  });
  socket.on('error', () => undefined);
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode?: number }];
  socket.terminate();
  return response.statusCode;
}

it('lets more streams be open than requests may be under way, and requests go on beside them', async () => {
  const tenant = await setup.tenant();
  const streams = [];
  for (let i = 0; i < 4; i++) streams.push(await setup.open(KINDS[i % 2] as (typeof KINDS)[0], tenant));
  await waitFor('no slot in use', async () => (await slots()) === 0);
  for (const stream of streams) await stream.works();
  for (const stream of streams) stream.leave();
  await waitFor('no stream open', async () => (await metric(setup.gateway, 'gateway_open_streams')) === 0);
});

it('refuses a WebSocket beyond the bound of its tenant, and takes one again when another is closed', async () => {
  const tenant = await setup.tenant({ maxStreams: 1 });
  const first = await setup.open('WebSocket', tenant);
  expect(await refusalOf(tenant.key)).toBe(503);
  const labels = `tenantId="${tenant.id}",reason="streams_full"`;
  expect(await metric(setup.gateway, 'gateway_shed_requests_total', labels)).toBe(1);
  await first.works();
  first.leave();
  await waitFor('no stream open', async () => (await metric(setup.gateway, 'gateway_open_streams')) === 0);
  const second = await setup.open('WebSocket', tenant);
  second.leave();
});

it('lets an event stream without a place go on, as a request that is under way', async () => {
  const tenant = await setup.tenant({ maxStreams: 0 });
  const stream = await setup.open('event stream', tenant);
  expect(await slots()).toBe(1);
  expect(await refusalOf(tenant.key)).toBe(503);
  await stream.works();
  stream.leave();
  await waitFor('no slot in use', async () => (await slots()) === 0);
});

it('has a place for a tenant that has none, however many another one has', async () => {
  const [greedy, modest] = await Promise.all([setup.tenant(), setup.tenant()]);
  const streams = [];
  for (let i = 0; i < 5; i++) streams.push(await setup.open('WebSocket', greedy));
  expect(await refusalOf(greedy.key)).toBe(503);
  streams.push(await setup.open('WebSocket', modest));
  expect(await refusalOf(modest.key)).toBe(503);
  for (const stream of streams) stream.leave();
});
