import { waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { ADMIN_TOKEN } from '../support/traffic';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { codeOf, startServices } from './service-setup';

const PRICE = '0.25';
const PARALLEL = 500;

/** Sends so many requests at once, to the gateways in turn; those that get no answer count as status 0. */
async function flood(urls: readonly string[], key: string, count = PARALLEL): Promise<Map<number, string[]>> {
  const answers = await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      try {
        const response = await fetch(urls[i % urls.length]!, { headers: { 'X-API-Key': key } });
        return [response.status, await response.text()] as const;
      } catch {
        return [0, ''] as const;
      }
    }),
  );
  const byStatus = new Map<number, string[]>();
  for (const [status, body] of answers) byStatus.set(status, [...(byStatus.get(status) ?? []), body]);
  return byStatus;
}

const countOf = (answers: Map<number, string[]>, status: number): number => answers.get(status)?.length ?? 0;

function guarantees(environment: () => Record<string, string>): void {
  it(`serves exactly what the spend cap pays for of ${PARALLEL} parallel requests, and 402 to the rest`, async () => {
    const [setup, upstream] = await Promise.all([startServices(environment()), startUpstream()]);
    const { id } = await setup.tenant();
    const serviceId = await setup.service(id, upstream.url);
    const { key } = await setup.key(id, { serviceId, pricePerRequest: PRICE });
    const cap = await setup.gateway.admin('PATCH', `/admin/tenants/${id}/billing`, { spendCap: '30.00' });
    expect(cap.status).toBe(200);
    const urls = [`${setup.gateway.url}/proxy/${serviceId}`];

    const answers = await flood(urls, key);
    expect(countOf(answers, 200)).toBe(120);
    expect(countOf(answers, 402)).toBe(PARALLEL - 120);
    expect(upstream.requests).toHaveLength(120);
    expect(new Set(answers.get(402)!.map((body) => codeOf({ body })))).toEqual(
      new Set(['spend_cap_reached']),
    );

    // What is raised is there at once, and no more than that.
    await setup.gateway.admin('PATCH', `/admin/tenants/${id}/billing?wait=true`, { spendCap: '31.00' });
    const more = await flood(urls, key, 20);
    expect([countOf(more, 200), countOf(more, 402)]).toEqual([4, 16]);
    await upstream.stop();
  });
}

describe('a spend cap (embedded)', () => guarantees(() => ({})));

describeRedis('a spend cap (Redis)', () => {
  let redis: TestRedis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis.stop());
  guarantees(() => ({ REDIS_URL: redis.url }));
});

describeRedis('a spend cap over two processes', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let gateways: TestProcess[];
  let key: string;
  let path: string;
  const UNITS = 150;

  beforeEach(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startUpstream()]);
    const env = { REDIS_URL: redis.url, ADMIN_TOKEN };
    gateways = await Promise.all([startProcess({ env }), startProcess({ env })]);
    const admin = async (method: string, where: string, body: object): Promise<Record<string, string>> => {
      const response = await fetch(`${gateways[0]!.adminUrl}/admin/tenants${where}`, {
        method,
        headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(response.status).toBeLessThan(300);
      return (await response.json()) as Record<string, string>;
    };
    const noLimit = { windowSeconds: 1, maxRequests: 1_000_000 };
    const tenant = { name: 'Acme', upstreamBaseUrl: upstream.url, allowedRoutes: [], rateLimit: noLimit };
    await admin('POST', '', { id: 'acme', ...tenant });
    const { id } = await admin('POST', '/acme/services', { name: 's', targets: [{ url: upstream.url }] });
    const fields = { name: 'k', serviceId: id, pricePerRequest: PRICE, rateLimit: noLimit };
    key = (await admin('POST', '/acme/api-keys', fields)).key!;
    path = `/proxy/${id}`;
    await admin('PATCH', '/acme/billing?wait=true', { spendCap: String(UNITS * Number(PRICE)) });
  });
  afterEach(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop('SIGKILL')));
    await Promise.all([redis.stop(), upstream.stop()]);
  });

  const urls = (): string[] => gateways.map(({ url }) => url + path);

  it(`is exact for ${PARALLEL} parallel requests to both`, async () => {
    const answers = await flood(urls(), key);
    expect([countOf(answers, 200), countOf(answers, 402)]).toEqual([UNITS, PARALLEL - UNITS]);
    expect(upstream.requests).toHaveLength(UNITS);
  });

  it('is never exceeded when one of them is killed with -9 among them, and its rest is served by the other', async () => {
    const first = flood(urls(), key, 160);
    await waitFor('the first requests', () => upstream.requests.length >= 10, 10_000, 1);
    await gateways[0]!.kill9();
    const broken = countOf(await first, 0);
    // Whatever was on its way when it was killed may have been paid for and not served.
    const rest = await flood([gateways[1]!.url + path], key);
    expect(countOf(rest, 402)).toBeGreaterThan(0);
    expect(upstream.requests.length).toBeLessThanOrEqual(UNITS);
    expect(upstream.requests.length).toBeGreaterThanOrEqual(UNITS - broken);
    expect(broken).toBeLessThan(UNITS);
  });
});
