import { waitFor } from '../support/children';
import {
  cacheStatus,
  numbered,
  startCached,
  type Behaviour,
  type Cached,
  type CacheSetup,
} from './cache-setup';

const PRICE = 0.5;
const PLAN = { name: 'A plan', currency: 'USD', model: 'per_request', price: String(PRICE) };

let setup: CacheSetup;
beforeAll(async () => {
  setup = await startCached();
  for (const plan of [
    { id: 'silent', ...PLAN },
    { id: 'free', ...PLAN, billsCacheHits: false },
    { id: 'billed', ...PLAN, billsCacheHits: true },
  ])
    expect((await setup.gateway.admin('POST', '/admin/plans', plan)).status).toBe(201);
});

/** A tenant on terms of its own. */
async function cachedOn(terms: object, behaviour: Behaviour = numbered): Promise<Cached> {
  const cached = await setup.cached({}, behaviour);
  const path = `/admin/tenants/${cached.id}/billing?wait=true`;
  expect((await setup.gateway.admin('PATCH', path, terms)).status).toBe(200);
  return cached;
}

/** What the open cycle of a tenant costs, as soon as usage knows of so many requests. */
async function costOf({ id }: Cached, requests: number): Promise<{ units: number; cost: number }> {
  const { gateway } = setup;
  await waitFor('its usage', async () => {
    const { body } = await gateway.admin('GET', `/admin/tenants/${id}/usage`);
    return JSON.stringify(body).includes(`"requests":${requests}`);
  });
  const { body } = await gateway.admin('GET', `/billing/summary?tenant_id=${id}`);
  const { total_requests: units, total_cost: cost } = body as Record<string, number>;
  return { units: units!, cost: cost! };
}

it.each([
  ['silent', 1],
  ['free', 1],
  ['billed', 4],
])('bills what the cache answers as the plan says: %s', async (plan, units) => {
  const cached = await cachedOn({ planId: plan });
  const answers = [];
  for (let i = 0; i < 4; i++) answers.push(cacheStatus(await cached.get('/api/x')));
  expect(answers.slice(1).every((status) => status.includes('; hit;'))).toBe(true);
  expect(cached.asked()).toBe(1);
  expect(await costOf(cached, 4)).toEqual({ units, cost: units * PRICE });
});

it('bills no hit of a tenant without a plan, and the rest by the price of its keys', async () => {
  const cached = await cachedOn({ pricePerRequest: '0.25' });
  for (let i = 0; i < 3; i++) await cached.get('/api/x');
  expect(await costOf(cached, 3)).toEqual({ units: 1, cost: 0.25 });
});

it('gives back what a free hit took of a spend cap, and keeps what the upstream has answered', async () => {
  const cached = await cachedOn({ planId: 'free', spendCap: '2', pricePerRequest: '1' });
  for (let i = 0; i < 6; i++) expect((await cached.get('/api/x')).status).toBe(200);
  expect((await cached.get('/api/y')).status).toBe(200);
  // Both units are spent: what is asked for first is refused before anybody looks whether it is stored.
  expect((await cached.get('/api/x')).status).toBe(402);
  expect(cached.asked()).toBe(2);
});

it('bills what the upstream has confirmed like any other of its answers, and what is fetched for nobody never', async () => {
  const cached = await cachedOn({ planId: 'free' }, (request, count) =>
    request.headers['if-none-match'] === '"a"'
      ? { status: 304, headers: { ETag: '"a"' } }
      : {
          headers: request.url!.includes('behind')
            ? { 'Cache-Control': 'max-age=0, stale-while-revalidate=60' }
            : { 'Cache-Control': 'max-age=0', ETag: '"a"' },
          body: String(count),
        },
  );
  await cached.get('/api/confirmed');
  expect(cacheStatus(await cached.get('/api/confirmed'))).toMatch(/fwd=stale; fwd-status=304/);
  await cached.get('/api/behind');
  expect(cacheStatus(await cached.get('/api/behind'))).toMatch(/; hit; ttl=-?\d+/);
  await waitFor('the request behind', () => cached.asked() === 4);
  // A forwarded one, a confirmed one, a forwarded one; of the fourth answer nobody bills anything.
  expect(await costOf(cached, 4)).toEqual({ units: 3, cost: 3 * PRICE });
});
