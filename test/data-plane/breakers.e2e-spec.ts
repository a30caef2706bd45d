import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import type { Tenant } from '#libs/tenants';
import { waitFor } from '../support/children';
import type { Forwarding } from '../support/forwarding';
import { ask, openHttp2 } from '../support/http2-client';
import { metric, outcomeOf } from '../support/outcomes';
import { startTlsForwarding } from '../support/tls-forwarding';
import type { TestUpstream } from '../support/upstream';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startTlsForwarding({ MAX_BODY_BYTES: '1000' });
});

const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };
const FOR_LONG = { minRequests: 100_000, openMs: 3_600_000 };

interface Answer {
  status: number;
  code: string | undefined;
  headers: Headers;
}

/** A tenant whose own routes lead to an upstream that answers with what `state` says; 0: not at all. */
interface Guarded extends TestUpstream {
  readonly key: string;
  readonly id: string;
  readonly state: { status: number };
  readonly silent: ServerResponse[];
  send(init?: RequestInit, path?: string): Promise<Answer>;
}

let ids = 0;
async function guarded(breaker: object, tenant: Partial<Tenant> = {}): Promise<Guarded> {
  const state = { status: 200 };
  const silent: ServerResponse[] = [];
  const id = `guarded-${++ids}`;
  const upstream = await forwarding.upstream(
    async (_request, response, { ended }) => {
      await ended;
      if (state.status === 0) silent.push(response);
      else if (state.status < 0) response.destroy();
      else response.writeHead(state.status).end();
    },
    { id, breaker, rateLimit: NO_LIMIT, ...tenant },
  );
  return {
    ...upstream,
    id,
    state,
    silent,
    async send(init = {}, path = '/api/x') {
      const response = await fetch(forwarding.gateway.url + path, {
        ...init,
        headers: { 'X-API-Key': upstream.key },
      });
      const text = await response.text();
      const problem = response.headers.get('content-type') === 'application/problem+json';
      const code = problem ? (JSON.parse(text) as { code: string }).code : undefined;
      return { status: response.status, code, headers: response.headers };
    },
  };
}

interface TargetView {
  trouble: string | null;
  breaker: {
    state: string;
    reason: string | null;
    openUntil: string | null;
    requests: number;
    failed: number;
  };
}
async function health({ id }: Guarded): Promise<TargetView> {
  const { body } = await forwarding.gateway.admin('GET', `/admin/tenants/${id}/health`);
  return (body as { targets: TargetView[] }).targets[0] as TargetView;
}
const order = (guarded: Guarded, action: string): Promise<unknown> =>
  forwarding.gateway.admin('POST', `/admin/tenants/${guarded.id}/breaker`, { action });

it('guards the upstream of a tenant’s own routes, and says so in metrics, the access log and explanations', async () => {
  const acme = await guarded({ ...FOR_LONG, failures: 2 });
  acme.state.status = 504;
  for (let i = 0; i < 2; i++) expect(await acme.send()).toMatchObject({ status: 504, code: undefined });
  const refused = await acme.send({}, '/api/refused');
  expect(refused).toMatchObject({ status: 503, code: 'circuit_open' });
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
  expect(acme.requests).toHaveLength(2);
  expect(await outcomeOf(forwarding.gateway, '/api/refused')).toMatchObject({
    access: { status: 503, decision: 'circuit_open' },
    refusal: { guard: 'upstream', reason: 'circuit_open' },
  });
  expect(await metric(forwarding.gateway, 'gateway_breaker_refusals_total', `tenantId="${acme.id}"`)).toBe(1);
  const question = { method: 'GET', path: '/api/x', headers: { 'X-API-Key': acme.key } };
  const { body } = await forwarding.gateway.admin('POST', '/admin/explain', question);
  expect(body).toMatchObject({ outcome: 'refuse', status: 503 });
  expect((body as { judgements: object[] }).judgements.at(-1)).toEqual({
    guard: 'upstream',
    verdict: 'refuse',
    code: 'circuit_open',
    reason: `${acme.url}: 2 failures in a row`,
  });
  expect(await health(acme)).toMatchObject({
    trouble: 'circuit_open',
    breaker: { state: 'open', reason: '2 failures in a row', openUntil: expect.any(String) },
  });
  acme.state.status = 200;
  await order(acme, 'reset');
  await waitFor('its closing', async () => (await acme.send()).status === 200);
});

it('opens for a share of failures, and counts only what the target is to blame for', async () => {
  const shares = { failures: 1000, errorPercent: 50, minRequests: 4, windowSeconds: 3600, openMs: 3_600_000 };
  const acme = await guarded({ ...shares, failureStatuses: [500, 503] });
  // Neither of these is a failure: what the gateway refuses, what the client gives up, other statuses.
  expect(await acme.send({ method: 'POST', body: 'x'.repeat(2000) })).toMatchObject({
    code: 'body_too_large',
  });
  acme.state.status = 0;
  for (let i = 0; i < 3; i++) {
    const abort = new AbortController();
    const sent = acme.send({ signal: abort.signal }).catch(() => 'aborted');
    await waitFor('its arrival', () => acme.silent.length === 1);
    abort.abort();
    expect(await sent).toBe('aborted');
    await once(acme.silent.pop() as ServerResponse, 'close');
  }
  acme.state.status = 502;
  for (let i = 0; i < 2; i++) expect((await acme.send()).status).toBe(502);
  await waitFor('two good ones', async () => (await health(acme)).breaker.requests === 2);
  expect(await health(acme)).toMatchObject({ breaker: { state: 'closed', requests: 2, failed: 0 } });
  acme.state.status = 500;
  expect((await acme.send()).status).toBe(500);
  expect(await health(acme)).toMatchObject({ breaker: { state: 'closed', requests: 3, failed: 1 } });
  // Broken off.
  acme.state.status = -1;
  expect((await acme.send({ method: 'POST' })).status).toBe(502);
  expect(await health(acme)).toMatchObject({
    breaker: { state: 'open', reason: '2 of 4 requests failed' },
  });
  expect(await acme.send()).toMatchObject({ code: 'circuit_open' });
});

it('opens for targets that are slow or do not answer in time', async () => {
  const slow = await guarded({ ...FOR_LONG, minRequests: 2, slowMs: 1, slowPercent: 100 });
  slow.state.status = 0;
  for (let i = 0; i < 2; i++) {
    const sent = slow.send();
    await waitFor('its arrival', () => slow.silent.length === 1);
    const since = performance.now();
    await waitFor('two milliseconds', () => performance.now() - since > 2, 1000, 1);
    slow.silent.pop()?.end();
    expect((await sent).status).toBe(200);
  }
  expect((await health(slow)).breaker.reason).toBe('2 of 2 requests were slower than 1 ms');
  const late = await guarded({ ...FOR_LONG, failures: 1 }, { timeouts: { firstByteMs: 50 } });
  late.state.status = 0;
  expect(await late.send()).toMatchObject({ code: 'upstream_timeout' });
  expect(await late.send()).toMatchObject({ code: 'circuit_open' });
});

it('is not opened by clients that send their bodies slowly', async () => {
  const acme = await guarded(
    { ...FOR_LONG, failures: 1, slowMs: 1, minRequests: 1, slowPercent: 1 },
    { timeouts: { totalMs: 200 } },
  );
  const client = await forwarding.send(acme.key, 'POST /api/x', {
    'Content-Length': 10,
    Connection: 'close',
  });
  await client.send('12345');
  await client.closed;
  expect(client.received()).toContain('504');
  expect(acme.requests).toHaveLength(1);
  expect(await health(acme)).toMatchObject({ breaker: { state: 'closed', requests: 0 } });
});

it('takes nothing of limits and bills nothing while it is open', async () => {
  const acme = await guarded(
    { ...FOR_LONG, failures: 1 },
    { rateLimit: { windowSeconds: 86_400, maxRequests: 3 } },
  );
  acme.state.status = 503;
  expect((await acme.send()).status).toBe(503);
  const spent: string[] = [];
  for (let i = 0; i < 10; i++) spent.push((await acme.send()).code ?? '');
  expect(new Set(spent)).toEqual(new Set(['circuit_open']));
  acme.state.status = 200;
  await order(acme, 'reset');
  await waitFor('its closing', async () => (await health(acme)).breaker.state === 'closed');
  expect((await acme.send()).status).toBe(200);
  expect((await acme.send()).status).toBe(200);
  expect((await acme.send()).code).toBe('rate_limited');
  const requests = async (): Promise<number> => {
    const { body } = await forwarding.gateway.admin('GET', `/admin/tenants/${acme.id}/usage`);
    return (body as { counters: { requests: number } }).counters.requests;
  };
  await waitFor('the usage', async () => (await requests()) >= 3);
  expect(await requests()).toBe(3);
});

it('refuses WebSockets and requests over HTTP/2 as well, and a WebSocket can be its probe', async () => {
  const acme = await guarded({ failures: 1, openMs: 50, maxOpenMs: 50, probes: 1, minRequests: 1000 });
  const server = new WebSocketServer({ server: acme.server });
  const connect = async (): Promise<number> => {
    const address = `${forwarding.gateway.url.replace('http', 'ws')}/api/ws`;
    const socket = new WebSocket(address, { headers: { 'X-API-Key': acme.key } });
    const status = await new Promise<number>((resolve) => {
      socket.once('open', () => resolve(101));
      socket.once('unexpected-response', (_request, answer) => resolve(answer.statusCode ?? 0));
      socket.once('error', () => undefined);
    });
    if (status === 101) sockets.push(socket);
    else socket.terminate();
    return status;
  };
  const sockets: WebSocket[] = [];
  acme.state.status = 503;
  await acme.send();
  await order(acme, 'open');
  expect(await connect()).toBe(503);
  const session = await openHttp2(forwarding.gateway.tlsPort);
  const answer = await ask(session, { ':path': '/api/x', 'x-api-key': acme.key });
  expect([answer.status, answer.headers['retry-after']]).toEqual([503, '1']);
  expect(answer.body).toContain('circuit_open');
  expect(acme.requests).toHaveLength(1);
  await order(acme, 'reset');
  await waitFor('the failure that opens it', async () => {
    await acme.send();
    return (await health(acme)).breaker.state !== 'closed';
  });
  await waitFor('the end of its time', async () => (await health(acme)).breaker.state === 'half_open');
  expect(await connect()).toBe(101);
  // Not when it ends, which may be in hours.
  await waitFor('its closing', async () => (await health(acme)).breaker.state === 'closed');
  acme.state.status = 200;
  expect((await acme.send()).status).toBe(200);
  for (const socket of sockets) socket.terminate();
  server.close();
});

it('gives the place of a probe to another when its client has gone', async () => {
  const acme = await guarded({ failures: 1, openMs: 50, maxOpenMs: 50, probes: 1, minRequests: 1000 });
  acme.state.status = 503;
  await acme.send();
  acme.state.status = 0;
  await waitFor('the end of its time', async () => (await health(acme)).breaker.state === 'half_open');
  const abort = new AbortController();
  const sent = acme.send({ signal: abort.signal }).catch(() => 'aborted');
  await waitFor('the probe', () => acme.silent.length === 1);
  expect(await acme.send()).toMatchObject({ code: 'circuit_open' });
  abort.abort();
  expect(await sent).toBe('aborted');
  acme.state.status = 200;
  await waitFor('another probe', async () => (await acme.send()).status === 200);
  await waitFor('its closing', async () => (await health(acme)).breaker.state === 'closed');
});

it('takes out no more than its part of the targets that do worse than the others', async () => {
  const { gateway } = forwarding;
  const key = await forwarding.keyFor('http://127.0.0.1:1', { id: 'many' });
  const ill = new Set<number>();
  const upstreams = await Promise.all(
    [0, 1, 2, 3].map((i) =>
      forwarding.upstream((_request, response) => void response.writeHead(ill.has(i) ? 503 : 200).end()),
    ),
  );
  const targets = upstreams.map(({ url }) => ({ url }));
  const passive = { failures: 2, ejectSeconds: 3600 };
  const made = await gateway.admin('POST', '/admin/tenants/many/services', { name: 's', targets, passive });
  const { id } = made.body as { id: string };
  const send = async (): Promise<number> => {
    const response = await fetch(`${gateway.url}/proxy/${id}`, { headers: { 'X-API-Key': key } });
    await response.arrayBuffer();
    return response.status;
  };
  for (const i of [0, 1, 2]) ill.add(i);
  for (let i = 0; i < 24; i++) await send();
  const { body } = await gateway.admin('GET', `/admin/tenants/many/services/${id}/health`);
  const views = (body as { targets: Array<{ trouble: string | null; failures: number }> }).targets;
  expect(views.map(({ trouble }) => trouble)).toEqual(['failed_requests', 'failed_requests', null, null]);
  expect(views[2]?.failures).toBeGreaterThanOrEqual(2);
  const before = upstreams.map(({ requests }) => requests.length);
  for (let i = 0; i < 10; i++) await send();
  expect(upstreams.map(({ requests }, i) => requests.length - (before[i] ?? 0))).toEqual([0, 0, 5, 5]);
  const told = gateway.logs.filter(({ event, serviceId }) => event === 'target_ejected' && serviceId === id);
  expect(told).toMatchObject([
    { level: 'warn', target: targets[0]?.url, reason: '2 failures in a row' },
    { target: targets[1]?.url },
  ]);
});

it('is not inherited: a tenant that gets an id again begins with closed breakers', async () => {
  const acme = await guarded(FOR_LONG);
  await order(acme, 'open');
  await waitFor('its opening', async () => (await acme.send()).status === 503);
  await forwarding.gateway.admin('DELETE', `/admin/tenants/${acme.id}`);
  const key = await forwarding.gateway.addTenant({
    id: acme.id,
    upstreamBaseUrl: acme.url,
    breaker: FOR_LONG,
    rateLimit: NO_LIMIT,
  });
  expect((await health(acme)).breaker).toMatchObject({ state: 'closed' });
  const answer = await fetch(`${forwarding.gateway.url}/api/x`, { headers: { 'X-API-Key': key } });
  expect(answer.status).toBe(200);
});
