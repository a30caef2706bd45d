import { Redis } from 'ioredis';
import type { OverviewDto } from '#apps/control-plane/src/overview/overview.dto';
import { keys } from '#libs/store';
import { hashApiKey } from '#libs/tenants';
import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { contractRedis, describeRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { openBrowser } from './browser';
import { readEvents, type EventReader } from './event-source';

interface Refusal {
  id: string;
  code: string;
  replica: string;
  question: object;
}

/** Requests, one after the other, so that none is refused for want of room. */
async function send(gateway: TestGateway, times: number, key: string, path = '/api/x'): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i++) {
    const headers = { 'X-API-Key': key, Authorization: 'Bearer secret-token', Cookie: 'a=secret-cookie' };
    const response = await fetch(`${gateway.url}${path}?token=secret-query`, { headers });
    await response.text();
    statuses.push(response.status);
  }
  return statuses;
}

const open: EventReader[] = [];
afterEach(() => {
  for (const reader of open.splice(0)) reader.close();
});

async function watch(
  gateway: TestGateway,
  path: string,
  headers: Record<string, string>,
): Promise<EventReader> {
  const reader = await readEvents(gateway.adminUrl + path, headers);
  open.push(reader);
  return reader;
}

/** The latest state that a stream has shown for which something holds. */
function seen(reader: EventReader, holds: (data: OverviewDto) => boolean) {
  return waitFor('the event', () => {
    const found = reader.events.filter(({ name }) => name === 'overview').reverse();
    return found.find(({ data }) => holds(data as unknown as OverviewDto))?.data as unknown as
      OverviewDto | undefined;
  });
}

describe('live figures of one process on the embedded store', () => {
  let gateway: TestGateway;
  let upstream: TestUpstream;
  let key: string;
  let otherKey: string;
  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      response.statusCode = request.url?.startsWith('/broken') ? 500 : 200;
      response.setHeader('X-Cookies', request.headers.cookie ?? 'none');
      response.setHeader('Set-Cookie', ['gatehouse-session=a.planted; Path=/', 'theme=dark']);
      response.end('x');
    });
    gateway = await startGateway();
    key = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url });
    otherKey = await gateway.addTenant({ id: 'other', upstreamBaseUrl: upstream.url });
  });
  afterAll(() => upstream.stop());

  it('are shown to the owner, and of its own requests to a tenant', async () => {
    const owner = await watch(gateway, '/admin/live', { 'X-Admin-Token': gateway.adminToken });
    const tenant = await watch(gateway, '/me/live', { 'X-API-Key': key });
    expect([owner.status, owner.contentType]).toEqual([200, 'text/event-stream; charset=utf-8']);
    await seen(owner, () => true);
    await seen(tenant, () => true);
    await send(gateway, 6, key);
    await send(gateway, 2, key, '/api/broken');
    await send(gateway, 3, otherKey);
    await send(gateway, 1, 'gh_live_wrong');
    const all = await seen(owner, ({ total }) => total.requests === 12);
    expect(all).toMatchObject({
      total: { requests: 12, errors: 2, refused: 1, limited: 0 },
      replicas: [{ state: 'ready', version: expect.any(String) as string, config: { trusted: true } }],
      store: { kind: 'embedded', state: 'ready' },
      usageBacklog: { journalErrors: 0 },
    });
    const own = await seen(tenant, ({ total }) => total.requests === 8);
    expect(own).toMatchObject({
      total: { errors: 2, refused: 0 },
      replicas: [],
      tenants: [],
      store: null,
      usageBacklog: null,
    });
    expect(JSON.stringify(tenant.events)).not.toContain('other');
    expect(owner.events[0]).toMatchObject({
      name: 'overview',
      id: expect.stringMatching(/^\d+$/) as string,
      data: { history: expect.any(Array) as unknown[] },
    });
    expect(owner.events.slice(1).every(({ data }) => data.history === undefined)).toBe(true);
    const top = await seen(owner, ({ tenants }) => tenants.length === 3);
    expect(top.tenants.map(({ tenantId }) => tenantId)).toEqual(['acme', 'other', null]);
  });

  it('come to browsers whose session no upstream sees, or sets', async () => {
    for (const [cookie, passed] of [
      ['a=1; gatehouse-session=t.x; b=2', 'a=1; b=2'],
      ['__Host-gatehouse-session=t.x', 'none'],
    ] as const) {
      const answer = await fetch(`${gateway.url}/api/x`, {
        headers: { 'X-API-Key': otherKey, Cookie: cookie },
      });
      expect(answer.headers.get('x-cookies')).toBe(passed);
      expect(answer.headers.getSetCookie()).toEqual(['theme=dark']);
    }
  });

  it('are there for one look as well', async () => {
    const once = await waitFor('the last of them', async () => {
      const answer = await gateway.admin('GET', '/admin/overview');
      const { total, history = [] } = answer.body as OverviewDto;
      return total.requests === 14 && history.length > 0 ? answer : undefined;
    });
    expect(once).toMatchObject({ status: 200, body: { replicas: [{ state: 'ready' }] } });
    const narrowed = await gateway.admin('GET', '/admin/overview?tenant=acme');
    expect(narrowed.body).toMatchObject({ replicas: [], store: null });
    expect((await gateway.admin('GET', '/admin/overview?tenant=nobody')).status).toBe(404);
    expect((await gateway.admin('GET', '/admin/overview?tenant=a%20b')).status).toBe(400);
    const asTenant = { 'X-Admin-Token': undefined as unknown as string, 'X-API-Key': key };
    const mine = await fetch(`${gateway.url}/me/overview`, { headers: { 'X-API-Key': key } });
    expect(await mine.json()).toMatchObject({ replicas: [], tenants: [] });
    for (const path of ['/admin/overview', '/admin/live', '/admin/refusals', '/admin/refusals/x']) {
      const answer = await fetch(gateway.url + path, { headers: { 'X-API-Key': asTenant['X-API-Key'] } });
      expect([path, answer.status]).toEqual([path, 401]);
    }
  });

  it('end with the session, and with the credential', async () => {
    const browser = openBrowser(gateway);
    const made = await gateway.admin('POST', '/admin/tenants/acme/api-keys', { name: 'short' });
    const { id, key: shortKey } = made.body as { id: string; key: string };
    expect((await browser.signIn(gateway.adminToken)).status).toBe(200);
    const byCookie = { Cookie: browser.cookie!, 'Sec-Fetch-Site': 'same-origin' };
    const ofOwner = await watch(gateway, '/admin/live', byCookie);
    const ofKey = await watch(gateway, '/me/live', { 'X-API-Key': shortKey });
    await seen(ofOwner, () => true);
    await seen(ofKey, () => true);
    expect(
      (await readEvents(`${gateway.adminUrl}/admin/live`, { ...byCookie, 'Sec-Fetch-Site': 'same-site' }))
        .status,
    ).toBe(403);
    await browser.call('DELETE', '/dashboard/session');
    await gateway.admin('DELETE', `/admin/tenants/acme/api-keys/${id}`);
    await waitFor('both ends', () => ofOwner.ended && ofKey.ended, 8000);
    expect(ofOwner.events.at(-1)).toMatchObject({ name: 'end', data: { code: 'session_ended' } });
    expect(ofKey.events.at(-1)).toMatchObject({ name: 'end', data: { code: 'invalid_api_key' } });
  }, 12_000);

  it('end when the process does, without holding it up', async () => {
    const reader = await watch(gateway, '/admin/live', { 'X-Admin-Token': gateway.adminToken });
    await seen(reader, () => true);
    await gateway.close();
    await waitFor('the end', () => reader.ended);
  });
});

describeRedis('two replicas and a Redis', () => {
  let redis: Awaited<ReturnType<typeof contractRedis>>;
  let one: TestGateway;
  let two: TestGateway;
  let upstream: TestUpstream;
  let key: string;
  let otherKey: string;
  beforeAll(async () => {
    redis = await contractRedis();
    await redis.flush();
    upstream = await startUpstream((_request, response) => void response.end('x'));
    [one, two] = await Promise.all([
      startGateway({ REDIS_URL: redis.url }),
      startGateway({ REDIS_URL: redis.url }),
    ]);
    key = await one.addTenant({
      id: 'acme',
      upstreamBaseUrl: upstream.url,
      breaker: { failures: 5 },
      rateLimit: { windowSeconds: 3600, maxRequests: 20 },
    });
    otherKey = await one.addTenant({ id: 'other', upstreamBaseUrl: upstream.url });
    await waitFor('both', async () => (await send(two, 1, otherKey))[0] === 200);
  });
  afterAll(async () => {
    await Promise.all([one.close(), two.close(), upstream.stop()]);
    await redis.stop();
  });

  it('are shown as one gateway, with every request counted once', async () => {
    const before = (await one.admin('GET', '/admin/overview')).body as { total: { requests: number } };
    const statuses = [
      ...(await send(one, 12, key)),
      ...(await send(two, 13, key)),
      ...(await send(two, 4, otherKey)),
    ];
    expect(statuses.filter((status) => status === 429)).toHaveLength(5);
    const summed = await waitFor('the sum', async () => {
      const [here, there] = await Promise.all(
        [one, two].map((gateway) => gateway.admin('GET', '/admin/overview')),
      );
      const requests = before.total.requests + 29;
      const done = [here, there].every((answer) => answer?.body.total.requests === requests);
      return done ? here : undefined;
    });
    expect(summed.body).toMatchObject({
      total: { limited: 5, refused: 5, errors: 0 },
      store: { kind: 'redis', state: 'ready' },
    });
    expect((summed.body as OverviewDto).replicas.map(({ state }) => state)).toEqual(['ready', 'ready']);
    const tenant = await fetch(`${two.url}/me/overview`, { headers: { 'X-API-Key': key } });
    expect(await tenant.json()).toMatchObject({ replicas: [], targets: [{ tenantId: 'acme' }] });
  });

  it('show nothing more of a tenant to a key that is another one’s by now', async () => {
    const foreign = 'a-key-of-another-program';
    const mapping = keys.apiKeyMapping(hashApiKey(foreign));
    const program = new Redis(redis.url);
    await program.set(mapping, 'acme');
    const reader = await watch(one, '/me/live', { 'X-API-Key': foreign });
    await seen(reader, () => true);
    await program.set(mapping, 'other');
    program.disconnect();
    await waitFor('the end', () => reader.ended, 8000);
    expect(reader.events.at(-1)).toMatchObject({ name: 'end', data: { code: 'invalid_api_key' } });
  }, 12_000);

  it('tell of what both have refused, and why, to those whose it is', async () => {
    // Replicas tell of what they have refused by and by: of the requests before, too.
    const before = 5;
    await send(one, 2, key);
    await send(two, 2, key);
    await send(two, 1, 'gh_live_wrong');
    const refusals = async (query: string) =>
      (await one.admin('GET', `/admin/refusals?${query}`)).body.refusals as Refusal[];
    const limited = await waitFor('the refusals of both', async () => {
      const found = await refusals('tenant=acme&code=rate_limited');
      return found.length === before + 4 ? found : undefined;
    });
    expect(new Set(limited.map(({ replica }) => replica)).size).toBe(2);
    expect(limited[0]).toMatchObject({
      tenantId: 'acme', guard: 'rate_limit', status: 429, method: 'GET', path: '/api/x', route: '/', hadApiKey: true, hadAuthorization: true,
      clientAddress: '127.0.0.1', headerNames: expect.arrayContaining(['cookie']) as string[], keyId: expect.any(String) as string,
    }); // prettier-ignore
    const unknown = await waitFor('the refusal of nobody known', async () => {
      const found = await refusals('tenant=-');
      return found.length > 0 ? found : undefined;
    });
    expect(unknown).toMatchObject([
      { tenantId: null, code: 'invalid_api_key', guard: 'api_key', keyId: null },
    ]);
    const everything = await one.admin('GET', '/admin/refusals?limit=200');
    expect(JSON.stringify(everything.body)).not.toMatch(/secret|gh_live_/);

    const byTenant = (path: string, method = 'GET', body?: object, sent = key) =>
      fetch(two.url + path, {
        method,
        headers: { 'X-API-Key': sent, 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
      });
    const mine = (await (await byTenant('/me/refusals')).json()) as { refusals: Refusal[] };
    expect(mine.refusals.map(({ code }) => code)).toEqual(limited.map(() => 'rate_limited'));
    const [{ id, question }] = limited as [Refusal];
    expect((await byTenant(`/me/refusals/${id}`)).status).toBe(200);
    expect((await byTenant(`/me/refusals/${id}`, 'GET', undefined, otherKey)).status).toBe(404);
    expect((await one.admin('GET', `/admin/refusals/${id}`)).body).toEqual(limited[0]);
    expect((await one.admin('GET', '/admin/refusals/none')).body.code).toBe('refusal_not_found');

    const explained = await one.admin('POST', '/admin/explain', question);
    expect(explained.body).toMatchObject({ outcome: 'refuse', status: 429, tenantId: 'acme' });
    const { tenantId: _, ...own } = question as { tenantId: string; apiKeyId: string };
    expect(await (await byTenant('/me/explain', 'POST', own)).json()).toMatchObject({
      outcome: 'refuse',
      status: 429,
    });
    expect((await byTenant('/me/explain', 'POST', own, otherKey)).status).toBe(404);
    expect((await one.admin('POST', '/admin/explain', own)).body.errors).toMatchObject([
      { field: 'tenantId' },
    ]);
  });

  it('are paged through, each refusal once', async () => {
    const ids: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: { body: { refusals: Refusal[]; nextCursor: string | null } } = await one.admin(
        'GET',
        `/admin/refusals?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      expect(page.body.refusals.length).toBeLessThanOrEqual(2);
      ids.push(...page.body.refusals.map(({ id }) => id));
      cursor = page.body.nextCursor;
    }
    const all = await one.admin('GET', '/admin/refusals?limit=200');
    expect(ids).toEqual((all.body as { refusals: Refusal[] }).refusals.map(({ id }) => id));
    expect(ids.length).toBeGreaterThan(5);
  });
});
