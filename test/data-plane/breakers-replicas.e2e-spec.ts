import type { ServerResponse } from 'node:http';
import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { accessLines, metric } from '../support/outcomes';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';

const NO_LIMIT = { windowSeconds: 1, maxRequests: 1_000_000 };
/** Nothing but a row of failures opens it, and nothing but an operator closes it. */
const FOR_LONG = { failures: 3, minRequests: 100_000, openMs: 3_600_000 };

interface Answer {
  status: number;
  code: string | undefined;
  retryAfter: string | null;
}

/** An upstream that is well, ill, or keeps its requests waiting. */
interface Patient extends TestUpstream {
  mood: 'well' | 'ill' | 'silent';
  readonly waiting: ServerResponse[];
}

async function patient(): Promise<Patient> {
  const waiting: ServerResponse[] = [];
  const upstream = await startUpstream((_request, response) => {
    if (made.mood === 'silent') waiting.push(response);
    else response.writeHead(made.mood === 'well' ? 200 : 503).end();
  });
  const made: Patient = Object.assign(upstream, { mood: 'well' as const, waiting });
  return made;
}

describeRedis('a circuit breaker of two replicas', () => {
  let redis: TestRedis;
  let replicas: [TestGateway, TestGateway];
  let key: string;
  const upstreams: Patient[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    const start = (): Promise<TestGateway> => startGateway({ REDIS_URL: redis.url });
    replicas = await Promise.all([start(), start()]);
    key = await replicas[0].addTenant({
      id: 'acme',
      upstreamBaseUrl: 'http://127.0.0.1:1',
      rateLimit: NO_LIMIT,
    });
  });
  afterAll(async () => {
    await Promise.all([
      ...replicas.map((replica) => replica.close()),
      ...upstreams.map((upstream) => upstream.stop()),
    ]);
    await redis.stop();
  });

  const upstream = async (): Promise<Patient> => {
    const made = await patient();
    upstreams.push(made);
    return made;
  };
  const service = async (targets: TestUpstream[], more: object): Promise<string> => {
    const body = { name: 's', targets: targets.map(({ url }) => ({ url })), ...more };
    const answer = await replicas[0].admin('POST', '/admin/tenants/acme/services', body);
    expect(answer).toMatchObject({ status: 201, body: more });
    return (answer.body as { id: string }).id;
  };
  const send = async (id: string, by = 0): Promise<Answer> => {
    const headers = { 'X-API-Key': key };
    const response = await fetch(`${(replicas[by] as TestGateway).url}/proxy/${id}/x`, { headers });
    const text = await response.text();
    const problem = response.headers.get('content-type') === 'application/problem+json';
    const code = problem ? (JSON.parse(text) as { code: string }).code : undefined;
    return { status: response.status, code, retryAfter: response.headers.get('retry-after') };
  };
  const gauge = (id: string, target: TestUpstream, by: number): Promise<number> =>
    metric(replicas[by] as TestGateway, 'gateway_breaker_state', `service="${id}",target="${target.url}"`);
  const knownAs = (level: number, id: string, target: TestUpstream): Promise<boolean> =>
    waitFor(`state ${level} on both`, async () => {
      const levels = await Promise.all([gauge(id, target, 0), gauge(id, target, 1)]);
      return levels.every((each) => each === level);
    });
  const events = (name: string, id: string, by: number): unknown[] =>
    (replicas[by] as TestGateway).logs.filter(({ event, serviceId }) => event === name && serviceId === id);

  it('opens after its failures for both, and no request reaches the upstream', async () => {
    const sick = await upstream();
    const id = await service([sick], { breaker: FOR_LONG });
    sick.mood = 'ill';
    for (let i = 0; i < 3; i++) expect(await send(id, 0)).toMatchObject({ status: 503, code: undefined });
    await send(id, 1);
    await knownAs(2, id, sick);
    const before = sick.requests.length;
    const refused = await Promise.all(Array.from({ length: 40 }, (_, i) => send(id, i % 2)));
    for (const { status, code, retryAfter } of refused) {
      expect([status, code]).toEqual([503, 'circuit_open']);
      expect(Number(retryAfter)).toBeGreaterThan(3500);
      expect(Number(retryAfter)).toBeLessThanOrEqual(3600);
    }
    expect(sick.requests.length).toBe(before);
    expect(events('breaker_opened', id, 0)).toMatchObject([
      {
        level: 'warn',
        decided: true,
        target: sick.url,
        reason: '3 failures in a row',
        times: 1,
        tenantId: 'acme',
      },
    ]);
    expect(events('breaker_opened', id, 1)).toMatchObject([{ level: 'info', decided: false }]);
    const refusals = replicas.map(
      (replica) => () =>
        accessLines(replica, `/proxy/${id}/x`).filter(({ decision }) => decision === 'circuit_open').length,
    );
    await waitFor('the access lines', () => refusals.every((count) => count() >= 20));
  });

  it('is known to a replica that comes later, and is reset, opened and closed by operators for both', async () => {
    const sick = await upstream();
    const id = await service([sick], { breaker: FOR_LONG });
    sick.mood = 'ill';
    for (let i = 0; i < 3; i++) await send(id, 0);
    const before = sick.requests.length;
    // The other one has never heard of it.
    expect(await send(id, 1)).toMatchObject({ code: 'circuit_open' });
    expect(sick.requests.length).toBe(before);
    const order = (action: string): Promise<{ status: number; body: unknown }> =>
      replicas[1].admin('POST', `/admin/tenants/acme/services/${id}/breaker`, { action });
    sick.mood = 'well';
    expect(await order('reset')).toMatchObject({
      status: 200,
      body: { targets: [{ breaker: { state: 'closed' } }] },
    });
    await knownAs(0, id, sick);
    expect((await send(id, 0)).status).toBe(200);
    expect(await order('open')).toMatchObject({
      body: { targets: [{ breaker: { state: 'forced_open', reason: 'open by owner' } }] },
    });
    await knownAs(2, id, sick);
    expect(await send(id, 0)).toMatchObject({ code: 'circuit_open' });
    await order('close');
    await knownAs(0, id, sick);
    sick.mood = 'ill';
    for (let i = 0; i < 5; i++) expect(await send(id, 0)).toMatchObject({ code: undefined });
    const { body } = await replicas[0].admin('GET', '/admin/audit?action=breaker.set');
    expect((body as { entries: unknown[] }).entries).toMatchObject(
      ['close', 'open', 'reset'].map((each) => ({
        actor: 'owner',
        tenantId: 'acme',
        details: { order: each },
      })),
    );
  });

  it('lets as many probes through as it says, of both together, and closes when they went well', async () => {
    const sick = await upstream();
    const id = await service([sick], { breaker: { ...FOR_LONG, openMs: 300, probes: 3 } });
    await send(id, 1);
    sick.mood = 'ill';
    for (let i = 0; i < 3; i++) await send(id, 0);
    await knownAs(2, id, sick);
    sick.mood = 'silent';
    const before = sick.requests.length;
    await knownAs(1, id, sick);
    let over = 0;
    const sent = Array.from({ length: 60 }, (_, i) => send(id, i % 2).finally(() => (over += 1)));
    await waitFor('the probes', () => sick.waiting.length === 3);
    await waitFor('the refusals', () => over === 57);
    // More of them, while the probes are under way.
    const more = await Promise.all(Array.from({ length: 40 }, (_, i) => send(id, i % 2)));
    expect(more.map(({ code }) => code)).toEqual(more.map(() => 'circuit_open'));
    expect(more.every(({ retryAfter }) => retryAfter === '1')).toBe(true);
    expect(sick.requests.length).toBe(before + 3);
    sick.mood = 'well';
    for (const response of sick.waiting.splice(0)) response.end();
    const all = await Promise.all(sent);
    expect(all.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(all.filter(({ code }) => code === 'circuit_open')).toHaveLength(57);
    await knownAs(0, id, sick);
    for (const by of [0, 1]) expect((await send(id, by)).status).toBe(200);
    expect(sick.requests.length).toBe(before + 5);
    for (const by of [0, 1]) expect(events('breaker_closed', id, by)).toHaveLength(1);
    expect(events('breaker_half_open', id, 0).length + events('breaker_half_open', id, 1).length).toBe(1);
  });

  it('opens again, for longer, when a probe fails', async () => {
    const sick = await upstream();
    const id = await service([sick], {
      breaker: { ...FOR_LONG, openMs: 200, maxOpenMs: 3_600_000, probes: 2 },
    });
    await send(id, 1);
    sick.mood = 'ill';
    for (let i = 0; i < 3; i++) await send(id, 0);
    await knownAs(1, id, sick);
    const before = sick.requests.length;
    expect(await send(id, 1)).toMatchObject({ status: 503, code: undefined });
    expect(sick.requests.length).toBe(before + 1);
    await waitFor('the news', () => events('breaker_opened', id, 0).length === 2);
    expect(events('breaker_opened', id, 0)).toMatchObject([
      { times: 1 },
      { times: 2, reason: 'a probe failed', decided: false },
    ]);
  });

  it('of one target sends everybody to the next, and no request fails for it', async () => {
    const [sick, sound] = [await upstream(), await upstream()];
    const id = await service([sick, sound], { breaker: { ...FOR_LONG, failures: 2 } });
    await send(id, 1);
    sick.mood = 'ill';
    await waitFor('the opening', async () => {
      await send(id, 0);
      return (await gauge(id, sick, 0)) === 2;
    });
    await knownAs(2, id, sick);
    const before = [sick.requests.length, sound.requests.length] as const;
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => send(id, i % 2)));
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect([sick.requests.length, sound.requests.length]).toEqual([before[0], before[1] + 50]);
  });

  it('opens, probes and closes in each by itself while Redis is away', async () => {
    const sick = await upstream();
    const id = await service([sick], { breaker: { ...FOR_LONG, openMs: 300, probes: 2 } });
    for (const by of [0, 1]) await send(id, by);
    // Its share is the half only once it has heard of the other.
    await waitFor(
      'both to be counted',
      async () => (await metric(replicas[0], 'gateway_replicas')) === 2,
      10_000,
    );
    await redis.kill();
    sick.mood = 'ill';
    for (let i = 0; i < 3; i++) expect((await send(id, 0)).status).toBe(503);
    expect(await send(id, 0)).toMatchObject({ code: 'circuit_open' });
    sick.mood = 'silent';
    await waitFor('the end of its time', async () => (await gauge(id, sick, 0)) === 1);
    const before = sick.requests.length;
    const sent = Array.from({ length: 20 }, () => send(id, 0));
    await waitFor('a probe', () => sick.waiting.length > 0);
    expect((await send(id, 0)).code).toBe('circuit_open');
    // Of two probes each of two replicas has one.
    expect(sick.requests.length).toBe(before + 1);
    sick.mood = 'well';
    for (const response of sick.waiting.splice(0)) response.end();
    await Promise.all(sent);
    await waitFor('the closing', async () => (await gauge(id, sick, 0)) === 0);
    expect((await send(id, 0)).status).toBe(200);
  });
});
