import type { ServerResponse } from 'node:http';
import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { allOver, metric, outcomeOf } from '../support/outcomes';
import type { TestUpstream, UpstreamHandler } from '../support/upstream';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

/** An upstream that tells whose connections have been broken off. */
async function startWatched(handler: UpstreamHandler = () => undefined) {
  const brokenOff: ServerResponse[] = [];
  const upstream = await forwarding.upstream((request, response, recorded) => {
    response.on('close', () => {
      // A response that went out whole has let go of its socket.
      if (response.socket) brokenOff.push(response);
    });
    return handler(request, response, recorded);
  });
  return { ...upstream, brokenOff };
}

const arrived = (upstream: TestUpstream): Promise<unknown> =>
  waitFor('the request at the upstream', () => upstream.requests.length > 0);

async function expectOnce499(path: string): Promise<void> {
  const { access, refusal } = await outcomeOf(forwarding.gateway, path);
  expect(access).toMatchObject({ status: 499, decision: 'client_gone', level: 'warn' });
  expect(refusal).toMatchObject({ reason: 'client_gone', level: 'warn' });
  // Not the upstream's fault, whoever looks at its errors.
  const labels = `tenantId="${String(access.tenantId)}"`;
  expect(await metric(forwarding.gateway, 'gateway_upstream_errors_total', labels)).toBe(0);
}

describe('a client that goes away has its exchange with the upstream broken off', () => {
  it.each([
    ['vanishes', 'destroy'],
    ['resets its connection', 'resetAndDestroy'],
  ] as const)('while it waits for the response, and %s', async (_, leave) => {
    const upstream = await startWatched();
    const client = await forwarding.send(upstream.key, `GET /api/waiting-${leave}`);
    await arrived(upstream);
    client.socket[leave]();
    await waitFor('the end at the upstream', () => upstream.brokenOff.length === 1);
    await expectOnce499(`/api/waiting-${leave}`);
  });

  it('while it reads the response', async () => {
    const upstream = await startWatched((_request, response) => void response.write('a part'));
    const client = await forwarding.send(upstream.key, 'GET /api/reading');
    await client.until('a part');
    client.destroy();
    await waitFor('the end at the upstream', () => upstream.brokenOff.length === 1);
    const { access } = await outcomeOf(forwarding.gateway, '/api/reading');
    // It did get a status; that it did not get the rest is in the decision.
    expect(access).toMatchObject({ status: 200, decision: 'client_gone', bytesOut: 6 });
  });

  it('while it does not read the response', async () => {
    let gone = false;
    const upstream = await forwarding.upstream((request, response) => {
      request.socket.on('close', () => (gone = true));
      response.end(Buffer.alloc(64 * 1024 * 1024));
    });
    const client = await forwarding.send(upstream.key, 'GET /api/not-reading', {}, { paused: true });
    await arrived(upstream);
    client.destroy();
    await waitFor('the end at the upstream', () => gone);
    const { access } = await outcomeOf(forwarding.gateway, '/api/not-reading');
    expect(access).toMatchObject({ status: 200, decision: 'client_gone' });
    expect(access.bytesOut).toBeLessThan(64 * 1024 * 1024);
  });

  it.each([
    ['a length', { 'Content-Length': 1000 }, 'a part'],
    ['chunks', { 'Transfer-Encoding': 'chunked' }, '6\r\na part\r\n'],
  ])('in the middle of a body with %s', async (what, fields, part) => {
    const upstream = await startWatched();
    const path = `/api/uploading-${what.replaceAll(' ', '-')}`;
    const client = await forwarding.send(upstream.key, `POST ${path}`, fields);
    await client.send(part);
    await waitFor('the part at the upstream', () => upstream.requests[0]?.bodyText === 'a part');
    client.destroy();
    await upstream.last().ended;
    // The upstream must not take the part for the whole.
    expect(upstream.last().aborted).toBe(true);
    await expectOnce499(path);
  });

  it('before there is a connection to the upstream', async () => {
    const bounded = await startForwarding({ UPSTREAM_MAX_CONNECTIONS: '1' });
    const upstream = await bounded.upstream(() => undefined);
    const first = await bounded.send(upstream.key, 'GET /api/first');
    await arrived(upstream);
    const second = await bounded.send(upstream.key, 'GET /api/queued');
    await waitFor(
      'both in flight',
      async () => (await metric(bounded.gateway, 'gateway_inflight_requests')) === 2,
    );
    second.destroy();
    await outcomeOfQueued();
    first.destroy();
    await allOver(bounded.gateway);
    expect(upstream.requests).toHaveLength(1);

    async function outcomeOfQueued(): Promise<void> {
      await waitFor(
        'one in flight',
        async () => (await metric(bounded.gateway, 'gateway_inflight_requests')) === 1,
      );
      expect(
        bounded.gateway.logs.filter((line) => line.path === '/api/queued' && line.msg === 'request'),
      ).toMatchObject([{ status: 499, decision: 'client_gone' }]);
    }
  });
});

it('a hundred clients that go leave nothing behind', async () => {
  const COUNT = 100;
  const upstream = await startWatched();
  const clients = await Promise.all(
    Array.from({ length: COUNT }, (_, number) => forwarding.send(upstream.key, `GET /api/crowd/${number}`)),
  );
  await waitFor('all at the upstream', () => upstream.requests.length === COUNT);
  expect(await metric(forwarding.gateway, 'gateway_inflight_requests')).toBe(COUNT);
  for (const client of clients) client.destroy();
  await allOver(forwarding.gateway);
  await waitFor('the end of all at the upstream', () => upstream.brokenOff.length === COUNT);
  const lines = forwarding.gateway.logs.filter(
    (line) => line.msg === 'request' && String(line.path).startsWith('/api/crowd/'),
  );
  expect(lines).toHaveLength(COUNT);
  for (const line of lines) expect(line.status).toBe(499);
  // What is still connected is idle, and goes when its time is over.
  const connections = (): Promise<number> =>
    new Promise((resolve) => upstream.server.getConnections((_error, count) => resolve(count)));
  await waitFor('no connection', async () => (await connections()) === 0, 10_000);
});
