import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { ask, openHttp2, outcomeOfStream } from '../support/http2-client';
import { accessLines, allOver, metric } from '../support/outcomes';
import { startTlsForwarding } from '../support/tls-forwarding';
import { Held } from './held-upstream';

const LIMIT = 8;
const QUEUE = 4;
/** One place is kept for tenants that were there in the last minute: all but the first find some. */
const BUT_ONE = LIMIT - 1;
const SERVICE_MS = 20;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startTlsForwarding({
    MAX_CONCURRENT_REQUESTS: String(LIMIT),
    MAX_QUEUED_REQUESTS: String(QUEUE),
    QUEUE_TIMEOUT_MS: '60000',
  });
});

afterEach(async () => {
  await allOver(forwarding.gateway);
  expect(await gauges()).toEqual([0, 0]);
});

async function gauges(): Promise<number[]> {
  const { gateway } = forwarding;
  return [
    await metric(gateway, 'gateway_concurrency_inflight'),
    await metric(gateway, 'gateway_concurrency_queued'),
  ];
}

function get(key: string, path: string, via = forwarding): Promise<Response> {
  return fetch(`${via.gateway.url}${path}`, { headers: { 'X-API-Key': key } });
}

const statusOf = async (answer: Promise<Response>): Promise<number> => {
  const response = await answer;
  await response.arrayBuffer();
  return response.status;
};

/** How often each thing is there. */
function tally<T>(things: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const thing of things) counts.set(thing, (counts.get(thing) ?? 0) + 1);
  return counts;
}

describe('more requests than may be under way', () => {
  it('wait, and beyond the queue are refused at once, before they take a token of their tenant', async () => {
    const held = new Held();
    const limits = { rateLimit: { windowSeconds: 86_400, maxRequests: 1000 } };
    const upstream = await forwarding.upstream(held.handler, limits);
    const answers = Array.from({ length: 40 }, () => get(upstream.key, '/api/many'));
    const statuses = answers.map(statusOf);
    await held.until(LIMIT);
    await waitFor(
      'all others refused',
      () => accessLines(forwarding.gateway, '/api/many').length === 40 - LIMIT - QUEUE,
    );
    expect(await gauges()).toEqual([LIMIT, QUEUE]);
    const release = setInterval(() => held.release(), 2);
    expect(tally(await Promise.all(statuses))).toEqual(
      new Map([
        [200, LIMIT + QUEUE],
        [503, 40 - LIMIT - QUEUE],
      ]),
    );
    const last = await get(upstream.key, '/api/many');
    clearInterval(release);
    expect(last.headers.get('x-ratelimit-remaining')).toBe(String(1000 - LIMIT - QUEUE - 1));
    expect([held.most, upstream.requests.length]).toEqual([LIMIT, LIMIT + QUEUE + 1]);
    expect(accessLines(forwarding.gateway, '/api/many')[0]).toMatchObject({ decision: 'overloaded' });
  });

  it('are told why, and when to come back', async () => {
    const held = new Held();
    const { key } = await forwarding.upstream(held.handler, { id: 'told' });
    const answers = Array.from({ length: BUT_ONE + QUEUE + 1 }, () => get(key, '/api/told'));
    const refused = await Promise.race(answers);
    expect([refused.status, refused.headers.get('retry-after'), refused.headers.get('content-type')]).toEqual(
      [503, '1', 'application/problem+json'],
    );
    expect(await refused.json()).toMatchObject({ code: 'overloaded', requestId: expect.any(String) });
    const labels = 'tenantId="told",reason="gateway_full"';
    expect(await metric(forwarding.gateway, 'gateway_shed_requests_total', labels)).toBe(1);
    const release = setInterval(() => held.release(), 2);
    await Promise.all(answers);
    clearInterval(release);
  });

  it('are counted the same over HTTP/2, each stream by itself', async () => {
    const held = new Held();
    const { key } = await forwarding.upstream(held.handler);
    const session = await openHttp2(forwarding.gateway.tlsPort);
    const streams = Array.from({ length: BUT_ONE + QUEUE + 3 }, () =>
      outcomeOfStream(ask(session, { ':path': '/api/h2', 'x-api-key': key })),
    );
    await held.until(BUT_ONE);
    await waitFor('three refused', () => accessLines(forwarding.gateway, '/api/h2').length === 3);
    const release = setInterval(() => held.release(), 2);
    const statuses = (await Promise.all(streams)).map((answer) => (answer as { status?: number }).status);
    clearInterval(release);
    expect(tally(statuses)).toEqual(new Map([[200, BUT_ONE + QUEUE], [503, 3]])); // prettier-ignore
    // Streams that are reset while they wait or are under way leave nothing behind.
    const reset = Array.from({ length: BUT_ONE + QUEUE }, () => {
      const stream = session.request({ ':path': '/api/reset', 'x-api-key': key });
      stream.on('error', () => undefined);
      return stream;
    });
    await held.until(BUT_ONE);
    for (const stream of reset) stream.close(8);
    await held.until(0);
    session.destroy();
  });
});

describe('whoever gives up', () => {
  it('leaves its place to others, whether it waited or was under way, and reaches no upstream any more', async () => {
    const held = new Held();
    const upstream = await forwarding.upstream(held.handler);
    const clients = await Promise.all(
      Array.from({ length: BUT_ONE + QUEUE }, () => forwarding.send(upstream.key, 'GET /api/gone')),
    );
    await held.until(BUT_ONE);
    await waitFor('a full queue', async () => (await gauges())[1] === QUEUE);
    for (const client of clients) client.destroy();
    await held.until(0);
    await waitFor('everything over', async () => (await gauges()).every((count) => count === 0));
    // Those that had waited may have got a slot for a moment, never their upstream's attention for long.
    const answers = Array.from({ length: BUT_ONE }, () => get(upstream.key, '/api/next'));
    await held.until(BUT_ONE);
    held.release();
    expect(tally(await Promise.all(answers.map(statusOf)))).toEqual(new Map([[200, BUT_ONE]]));
  });
});

describe('a tenant that asks for twenty times its share', () => {
  it('costs another one not a single request, and the upstream never sees more than the limit', async () => {
    let now = 0;
    let most = 0;
    const slow = async (_request: unknown, response: { end(): void }): Promise<void> => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, SERVICE_MS));
      now -= 1;
      response.end();
    };
    const [noisy, polite] = await Promise.all([forwarding.upstream(slow), forwarding.upstream(slow)]);
    const share = LIMIT / 2;
    let goOn = true;
    const noise: number[] = [];
    // Whoever is refused asks again a moment later: at once would only show how long the machine takes to refuse.
    const noisyOnes = Array.from({ length: share * 20 }, async () => {
      while (goOn) {
        const status = await statusOf(get(noisy.key, '/api/noise'));
        noise.push(status);
        if (status === 503) await new Promise((resolve) => setTimeout(resolve, SERVICE_MS));
      }
    });
    await waitFor('some refused', () => noise.includes(503));
    const polites = await Promise.all(
      Array.from({ length: share - 1 }, async () => {
        const statuses: number[] = [];
        for (let i = 0; i < 20; i++) statuses.push(await statusOf(get(polite.key, '/api/polite')));
        return statuses;
      }),
    );
    goOn = false;
    await Promise.all(noisyOnes);
    expect(tally(polites.flat())).toEqual(new Map([[200, (share - 1) * 20]]));
    expect(noise.filter((status) => status === 503).length).toBeGreaterThan(100);
    expect(noise.filter((status) => status === 200).length).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(LIMIT);
  });
});

describe('bounds of a tenant and of a service', () => {
  it('hold where the gateway has none, and follow changes of the tenant', async () => {
    const free = await startForwarding({ MAX_QUEUED_REQUESTS: '0' });
    const held = new Held();
    const upstream = await free.upstream(held.handler, { id: 'bounded', maxConcurrency: 2 });
    const answers = Array.from({ length: 2 }, () => get(upstream.key, '/api/x', free));
    await held.until(2);
    const refused = await get(upstream.key, '/api/x', free);
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'overloaded' }]);
    const labels = 'tenantId="bounded",reason="tenant_full"';
    expect(await metric(free.gateway, 'gateway_shed_requests_total', labels)).toBe(1);
    await free.gateway.admin('PATCH', '/admin/tenants/bounded', { maxConcurrency: 3 });
    const third = get(upstream.key, '/api/x', free);
    await held.until(3);
    held.release();
    expect(await Promise.all([...answers, third].map(statusOf))).toEqual([200, 200, 200]);
    expect(
      (await free.gateway.admin('PATCH', '/admin/tenants/bounded', { maxConcurrency: 0 })).body,
    ).toMatchObject({
      errors: [{ field: 'maxConcurrency' }],
    });
  });

  it('of a service count the requests of whoever goes there, and none to others', async () => {
    const held = new Held();
    const { gateway } = forwarding;
    const upstream = await forwarding.upstream(held.handler, { id: 'served' });
    const service = async (more: object): Promise<string> => {
      const body = { name: 's', targets: [{ url: upstream.url }], auth: { jwt: false }, ...more };
      return (await gateway.admin('POST', '/admin/tenants/served/services', body)).body.id as string;
    };
    const [one, other] = [await service({ maxConcurrency: 1 }), await service({})];
    const first = get(upstream.key, `/proxy/${one}/x`);
    await held.until(1);
    expect(await statusOf(get(upstream.key, `/proxy/${one}/x`))).toBe(503);
    const second = get(upstream.key, `/proxy/${other}/x`);
    await held.until(2);
    held.release();
    expect(await Promise.all([first, second].map(statusOf))).toEqual([200, 200]);
    const again = get(upstream.key, `/proxy/${one}/x`);
    await held.until(1);
    held.release();
    expect(await statusOf(again)).toBe(200);
    const path = `/admin/tenants/served/services/${one}`;
    expect((await gateway.admin('PATCH', path, { maxConcurrency: 'x' })).body).toMatchObject({
      errors: [{ field: 'maxConcurrency' }],
    });
    expect((await gateway.admin('PATCH', path, { maxConcurrency: null })).body).not.toHaveProperty(
      'maxConcurrency',
    );
  });
});

it('refuses what has waited for too long', async () => {
  const hasty = await startForwarding({ MAX_CONCURRENT_REQUESTS: '1', QUEUE_TIMEOUT_MS: '50' });
  const held = new Held();
  const { key } = await hasty.upstream(held.handler, { id: 'hasty' });
  const first = get(key, '/api/x', hasty);
  await held.until(1);
  expect(await statusOf(get(key, '/api/x', hasty))).toBe(503);
  const labels = 'tenantId="hasty",reason="queue_timeout"';
  expect(await metric(hasty.gateway, 'gateway_shed_requests_total', labels)).toBe(1);
  held.release();
  expect(await statusOf(first)).toBe(200);
});
