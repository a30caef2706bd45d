import { openConnection, requestHead, settled } from '../support/connection';
import { allOver, metric } from '../support/outcomes';
import { waitFor } from '../support/children';
import {
  QUICK,
  REFUSING,
  answer,
  hang,
  ok,
  reset,
  resetInHead,
  rubbish,
  startRetries,
  type Mood,
  type RetrySetup,
} from './retry-setup';
import { codeOf } from './service-setup';

let setup: RetrySetup;
beforeAll(async () => void (setup = await startRetries()));

const get = (path: string, line = 'GET') => setup.send(setup.owner.key, `${line} ${path}`);
const retriesOf = (reason: string, outcome: string): Promise<number> =>
  metric(
    setup.gateway,
    'gateway_retries_total',
    `tenantId="${setup.owner.id}",reason="${reason}",outcome="${outcome}"`,
  );
const withheld = (reason: string): Promise<number> =>
  metric(setup.gateway, 'gateway_retries_withheld_total', `tenantId="${setup.owner.id}",reason="${reason}"`);

describe('a request is sent again', () => {
  it.each<[what: string, mood: Mood, reason: string]>([
    ['was reset', reset, 'broken'],
    ['broke off in the head of the response', resetInHead, 'broken'],
    ['was answered by rubbish', rubbish, 'broken'],
    ['was not answered in time', hang, 'timeout'],
    ['was answered by 502', answer(502), 'status'],
    ['was answered by 503', answer(503), 'status'],
    ['was answered by 504 and more than is worth reading', answer(504, {}, 'x'.repeat(100_000)), 'status'],
  ])('if it %s, and again', async (_, mood, reason) => {
    const { path, upstream } = await setup.oneTarget({ ...QUICK, perTryTimeoutMs: 150 }, [mood, mood, ok]);
    const before = [await retriesOf(reason, 'failed'), await retriesOf(reason, 'succeeded')];
    const response = await get(path);
    expect([response.status, response.body]).toEqual([200, expect.stringMatching(/^ok /)]);
    expect(upstream.requests).toHaveLength(3);
    const access = await setup.access(path);
    expect(access).toMatchObject({ status: 200, decision: 'allow', attempts: 3 });
    expect(access).not.toHaveProperty('retryWithheld');
    const after = [await retriesOf(reason, 'failed'), await retriesOf(reason, 'succeeded')];
    expect(after).toEqual(before.map((count) => count + 1));
  });

  it.each(['HEAD', 'OPTIONS', 'PUT', 'DELETE'])('by the idempotent method %s', async (method) => {
    const { path, upstream } = await setup.oneTarget(QUICK, [answer(503), ok]);
    expect((await get(path, method)).status).toBe(200);
    expect(upstream.requests).toHaveLength(2);
  });

  it('and does not cost a connection where the answer was short', async () => {
    const { path, upstream } = await setup.oneTarget(
      QUICK,
      [1, 2, 3, 4].flatMap(() => [answer(503), ok]),
    );
    let connections = 0;
    upstream.server.on('connection', () => (connections += 1));
    for (let i = 0; i < 4; i++) expect((await get(path)).status).toBe(200);
    expect(upstream.requests).toHaveLength(8);
    expect(connections).toBeLessThan(4);
  });

  it('only so often, and then the last answer passes unchanged', async () => {
    const moods = [1, 2, 3].map((n) =>
      answer(503, { 'X-Answer': String(n), 'Content-Language': 'de' }, `no ${n}`),
    );
    const { path, upstream } = await setup.oneTarget(QUICK, moods);
    const response = await get(path);
    expect([response.status, response.body]).toEqual([503, 'no 3']);
    expect(response.headers).toMatchObject({ 'x-answer': '3', 'content-language': 'de' });
    expect(upstream.requests).toHaveLength(3);
    expect(await setup.access(path)).toMatchObject({ attempts: 3, retryWithheld: 'attempts' });
  });

  it('and the last failure is that of the upstream', async () => {
    const { path, upstream } = await setup.oneTarget(QUICK, [answer(503), reset]);
    const response = await get(path);
    expect([response.status, codeOf(response)]).toEqual([502, 'upstream_failed']);
    expect(upstream.requests).toHaveLength(3);
  });

  it('after waits that double', async () => {
    const policy = { attempts: 4, backoffMs: 5, maxBackoffMs: 20, jitter: false };
    const { path } = await setup.oneTarget(policy, [reset]);
    await get(path);
    expect(await setup.waits(path)).toEqual([5, 10, 20, 20]);
  });

  it('as the nearest of the policies of route, service and tenant says', async () => {
    const upstream = await setup.upstream(answer(503));
    const { gateway } = setup;
    const key = await gateway.addTenant({
      id: 'three-policies',
      upstreamBaseUrl: upstream.url,
      retries: { ...QUICK, attempts: 1 },
    });
    const sent = async (path: string): Promise<number> => {
      const before = upstream.requests.length;
      expect((await setup.send(key, `GET ${path}`)).status).toBe(503);
      return upstream.requests.length - before;
    };
    expect(await sent('/api/x')).toBe(2);
    const inheriting = await setup.service('three-policies', upstream.url);
    const own = await setup.service('three-policies', upstream.url, { retries: { attempts: 0 } });
    expect(await sent(`/proxy/${inheriting}`)).toBe(2);
    expect(await sent(`/proxy/${own}`)).toBe(1);
    const routes = [
      { name: 'r', path: '/routed', backends: [{ service: own }], retries: { ...QUICK, attempts: 3 } },
    ];
    await gateway.admin('PUT', '/admin/tenants/three-policies/publication', { routes });
    await waitFor('the route', async () => (await fetch(`${gateway.url}/routed`)).status === 503);
    expect(await sent('/routed')).toBe(4);

    const explained = await gateway.admin('POST', '/admin/explain', {
      method: 'POST',
      path: '/routed',
      headers: { 'Idempotency-Key': '1' },
    });
    const { judgements } = explained.body as { judgements: Array<{ guard: string; details: object }> };
    expect(judgements.find(({ guard }) => guard === 'route')?.details).toMatchObject({
      retries: { attempts: 3, backoffMs: 1, maxBackoffMs: 10, statuses: [502, 503, 504], repeatable: true },
    });
  });
});

describe('a request is not sent again', () => {
  it.each<[what: string, line: string, moods: Mood[], status: number]>([
    ['a POST that was reset', 'POST', [reset, ok], 502],
    ['a POST that was answered by 503', 'POST', [answer(503), ok], 503],
    ['a PATCH that was not answered in time', 'PATCH', [hang, ok], 504],
    ['a GET that was answered by a status that the policy does not name', 'GET', [answer(500), ok], 500],
  ])('%s', async (_, line, moods, status) => {
    const { path, upstream } = await setup.oneTarget({ ...QUICK, perTryTimeoutMs: 150 }, moods);
    expect((await get(path, line)).status).toBe(status);
    expect(upstream.requests).toHaveLength(1);
    expect((await setup.access(path)).attempts).toBeUndefined();
  });

  it.each<[what: string, mood: Mood]>([
    [
      'the first byte of the response has gone to the client',
      (request, response) => {
        response
          .writeHead(200, { 'Content-Length': '10' })
          .write('begun', () => request.socket.resetAndDestroy());
      },
    ],
    [
      'an interim response has gone to the client',
      (request, response) => {
        response.writeProcessing();
        setImmediate(() => request.socket.resetAndDestroy());
      },
    ],
  ])('once %s', async (_, mood) => {
    const { path, upstream } = await setup.oneTarget(QUICK, [mood, ok]);
    const client = await openConnection(setup.gateway.port);
    await client.send(requestHead(`GET ${path}`, { 'X-API-Key': setup.owner.key, Connection: 'close' }));
    await client.closed;
    expect(client.received()).not.toContain('ok ');
    expect(upstream.requests).toHaveLength(1);
  });

  it('while it waits for a retry and its client goes', async () => {
    const { path, upstream } = await setup.oneTarget({ attempts: 3, backoffMs: 250, jitter: false }, [reset]);
    const before = await retriesOf('broken', 'abandoned');
    const client = await openConnection(setup.gateway.port);
    await client.send(requestHead(`GET ${path}`, { 'X-API-Key': setup.owner.key }));
    await waitFor('the first attempt', () =>
      setup.gateway.logs.some(({ msg, delayMs }) => msg === 'retrying' && delayMs === 250),
    );
    client.destroy();
    await allOver(setup.gateway);
    expect(await retriesOf('broken', 'abandoned')).toBe(before + 1);
    expect(await settled(() => upstream.requests.length, 300)).toBe(1);
  });

  it('beyond its time-out in total, which spans all attempts', async () => {
    const policy = { attempts: 10, backoffMs: 1, jitter: false, perTryTimeoutMs: 150 };
    const { path, upstream } = await setup.oneTarget(policy, [hang], { timeouts: { totalMs: 400 } });
    const response = await get(path);
    expect([response.status, codeOf(response)]).toEqual([504, 'upstream_timeout']);
    expect(upstream.requests.length).toBeGreaterThan(1);
    expect(upstream.requests.length).toBeLessThanOrEqual(3);
  });

  it('if the next attempt would begin after that', async () => {
    const policy = { attempts: 3, backoffMs: 5000, jitter: false };
    const { path, upstream } = await setup.oneTarget(policy, [answer(503)], { timeouts: { totalMs: 3000 } });
    expect((await get(path)).status).toBe(503);
    expect(upstream.requests).toHaveLength(1);
    expect(await setup.access(path)).toMatchObject({ retryWithheld: 'time' });
  });
});

describe('Retry-After', () => {
  it('is waited for where the policy waits so long', async () => {
    const policy = { ...QUICK, maxBackoffMs: 2000, statuses: [429, 503] };
    const waited = async (status: number): Promise<unknown> => {
      const { path, upstream } = await setup.oneTarget(policy, [answer(status, { 'Retry-After': '1' }), ok]);
      expect((await get(path)).status).toBe(200);
      expect(upstream.requests).toHaveLength(2);
      return setup.waits(path);
    };
    expect(await Promise.all([waited(429), waited(503)])).toEqual([[1000], [1000]]);
  });

  it('that is longer passes with its answer', async () => {
    const policy = { ...QUICK, maxBackoffMs: 2000, exhaustedStatus: 503 as const };
    const { path, upstream } = await setup.oneTarget(policy, [answer(503, { 'Retry-After': '3' }), ok]);
    const response = await get(path);
    expect([response.status, response.body, response.headers['retry-after']]).toEqual([
      503,
      'status 503',
      '3',
    ]);
    expect(upstream.requests).toHaveLength(1);
    expect(await setup.access(path)).toMatchObject({ retryWithheld: 'retry_after' });
  });

  it('that ends after the time-out in total passes with its answer', async () => {
    const timeouts = { totalMs: 900 };
    const policy = { ...QUICK, maxBackoffMs: 5000 };
    const { path, upstream } = await setup.oneTarget(policy, [answer(503, { 'Retry-After': '1' }), ok], {
      timeouts,
    });
    expect((await get(path)).status).toBe(503);
    expect(upstream.requests).toHaveLength(1);
  });
});

describe('retries that are used up', () => {
  const policy = { ...QUICK, backoffMs: 10, exhaustedStatus: 503 as const };

  it.each<[what: string, moods: Mood[] | undefined, line: string]>([
    ['of a service that refuses', undefined, 'POST'],
    ['of a service that resets', [reset], 'GET'],
    ['of a service that answers 502', [answer(502)], 'GET'],
  ])('%s become 503 with Retry-After where the policy says so', async (_, moods, line) => {
    const upstream = await setup.upstream(...(moods ?? []));
    const id = await setup.service(setup.owner.id, moods ? upstream.url : REFUSING, { retries: policy });
    const response = await get(`/proxy/${id}`, line);
    expect([response.status, codeOf(response)]).toEqual([503, 'retries_exhausted']);
    expect(response.headers['retry-after']).toBe('1');
    expect(upstream.requests).toHaveLength(moods ? 3 : 0);
    expect(await setup.waits(`/proxy/${id}`)).toEqual([10, 20]);
    expect(await setup.access(`/proxy/${id}`)).toMatchObject({
      status: 503,
      decision: 'retries_exhausted',
      attempts: 3,
    });
  });
});

it('retries cost a service a tenth more requests at the most', async () => {
  const REQUESTS = 300;
  const { path, upstream } = await setup.oneTarget({ attempts: 3, backoffMs: 1 }, [answer(503)]);
  const before = await withheld('budget');
  const url = setup.gateway.url + path;
  const headers = { 'X-API-Key': setup.owner.key };
  for (let sent = 0; sent < REQUESTS; sent += 30) {
    const answers = await Promise.all(Array.from({ length: 30 }, () => fetch(url, { headers })));
    await Promise.all(answers.map((response) => response.text()));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  }
  const retries = upstream.requests.length - REQUESTS;
  expect(retries).toBeGreaterThanOrEqual(10);
  expect(retries).toBeLessThanOrEqual(REQUESTS / 10);
  expect(await withheld('budget')).toBeGreaterThan(before);
});

it('a request that was sent three times is one in limits, usage and the bill', async () => {
  const billed = await setup.tenant();
  const upstream = await setup.upstream(answer(503), reset, ok);
  const service = await setup.service(billed.id, upstream.url, { retries: QUICK });
  const { key } = await setup.key(billed.id, {
    serviceId: service,
    pricePerRequest: '0.25',
    rateLimit: { windowSeconds: 3600, maxRequests: 5 },
  });
  const response = await setup.send(key, `PUT /proxy/${service}`, { 'Content-Length': 0 });
  expect(response.status).toBe(200);
  expect(response.headers['x-ratelimit-remaining']).toBe('4');
  expect(upstream.requests).toHaveLength(3);
  const bill = await waitFor('the bill', async () => {
    const { body } = await setup.gateway.admin('GET', `/billing/summary?tenant_id=${billed.id}`);
    return (body as { total_requests: number }).total_requests > 0 ? (body as object) : undefined;
  });
  expect(bill).toMatchObject({ total_requests: 1, total_cost_exact: '0.25' });
  const { body } = await setup.gateway.admin('GET', `/admin/tenants/${billed.id}/usage`);
  expect(body).toMatchObject({ counters: { requests: 1 } });
});
