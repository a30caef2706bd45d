import { formatMoney, parseMoney, type Statement } from '#libs/billing';
import { makeKey, makeTenant, traffic, type MadeKey } from './billed-tenant';
import { describeStores, type Stage } from './stage';

type Nano = bigint;
const nano = (text: string): Nano => parseMoney(text) as Nano;

const PLANS = [
  { id: 'flat', name: 'Flat', currency: 'EUR', model: 'flat', fee: '19.99' },
  { id: 'keys', name: 'What keys cost', currency: 'EUR', model: 'per_request' },
  { id: 'each', name: 'One price', currency: 'EUR', model: 'per_request', price: '0.000000007' },
  {
    id: 'tiers',
    name: 'Tiers',
    currency: 'EUR',
    model: 'tiered',
    tiers: [
      { upTo: 10, price: '0.1' },
      { upTo: 35, price: '0.013' },
      { upTo: null, price: '0.000000001' },
    ],
  },
  {
    id: 'bundle',
    name: 'Bundle',
    currency: 'EUR',
    model: 'included',
    fee: 5,
    includedRequests: 20,
    overagePrice: '0.333333333',
  },
] as const;
type PlanId = (typeof PLANS)[number]['id'];

/** What somebody does: `plan` null ends the plan, a price is of the first or the second key, requests are of a key. */
type Step =
  | { plan: PlanId | null }
  | { key: 0 | 1; price: string | number }
  | { key: 0 | 1; requests: number }
  | 'close';

/** Every model meets the end of a cycle, a change in mid-cycle and a change back; prices change between requests. */
const STEPS: Step[] = [
  { key: 0, requests: 7 }, { key: 0, price: 0.000000015 }, { key: 0, requests: 11 }, { key: 1, requests: 3 },
  { plan: 'tiers' }, { key: 0, requests: 9 }, { key: 1, requests: 17 }, { plan: 'flat' }, { key: 1, requests: 40 },
  { plan: 'tiers' }, { key: 0, requests: 23 }, 'close',

  { key: 1, price: '1.000000001' }, { plan: 'bundle' }, { plan: 'keys' }, { key: 0, requests: 31 }, { key: 1, requests: 2 },
  { key: 1, price: 3 }, { key: 1, requests: 4 }, { plan: 'bundle' }, { key: 0, requests: 13 }, { key: 1, requests: 19 },
  { plan: 'each' }, { key: 1, requests: 100 }, { plan: null }, { key: 0, requests: 1 }, 'close',

  { plan: 'bundle' }, 'close',

  { key: 0, requests: 19 }, { plan: 'each' }, { key: 0, requests: 1 }, { key: 1, requests: 1 }, { key: 0, price: 0 },
  { plan: 'keys' }, { key: 0, requests: 5 }, { key: 1, requests: 5 }, { plan: 'flat' }, { plan: 'bundle' },
  { key: 1, requests: 50 }, 'close',

  { key: 0, requests: 21 }, 'close',
]; // prettier-ignore

/** One request after the other, each at what it costs by itself. */
class NaiveBill {
  total: Nano = 0n;
  requests = 0;
  private readonly counted = new Map<string, number>();
  private plans: PlanId[];

  constructor(private plan: PlanId | null) {
    this.plans = plan === null ? [] : [plan];
  }

  assign(plan: PlanId | null): void {
    if (this.requests === 0) this.plans = [];
    if (plan !== null) this.plans.push(plan);
    this.plan = plan;
  }

  request(priceOfKey: Nano): void {
    this.requests += 1;
    const name = this.plan ?? '';
    const number = (this.counted.get(name) ?? 0) + 1;
    this.counted.set(name, number);
    if (this.plan === null || this.plan === 'keys') this.total += priceOfKey;
    if (this.plan === 'each') this.total += 7n;
    if (this.plan === 'tiers') this.total += number <= 10 ? 100_000_000n : number <= 35 ? 13_000_000n : 1n;
    if (this.plan === 'bundle' && number > 20) this.total += 333_333_333n;
  }

  withFees(): Nano {
    const fees = { flat: 19_990_000_000n, bundle: 5_000_000_000n };
    const due = [...new Set(this.plans)].map((plan) => fees[plan as keyof typeof fees] ?? 0n);
    return due.reduce((sum, fee) => sum + fee, this.total);
  }
}

describeStores('what a tenant owes', (start) => {
  let stage: Stage;
  let made: [MadeKey, MadeKey];
  beforeEach(async () => {
    stage = await start();
    await makeTenant(stage, 'acme');
    made = [
      await makeKey(stage, 'acme', { name: 'first' }),
      await makeKey(stage, 'acme', { name: 'second' }),
    ];
    for (const plan of PLANS) expect((await stage.call('POST', '/admin/plans', plan)).status).toBe(201);
    const terms = { currency: 'EUR', pricePerRequest: '0.25' };
    expect((await stage.call('PATCH', '/admin/tenants/acme/billing', terms)).status).toBe(200);
  });
  afterEach(() => stage.close());

  const call = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const answer = await stage.call(method, path, body);
    expect({ path, status: answer.status }).toEqual({ path, status: 200 });
    return answer.body as Record<string, unknown>;
  };

  it('is what a naive loop over all requests makes it, over cycles, plans and prices', async () => {
    const prices = ['0.25', '0.25'];
    let planVersion = '';
    let plan: PlanId | null = null;
    let bill = new NaiveBill(plan);
    const bills: NaiveBill[] = [];
    const statements: Statement[] = [];
    for (const step of STEPS) {
      if (step === 'close') {
        const { total_cost_exact, total_requests } = await call('GET', '/billing/summary?tenant_id=acme');
        expect([total_cost_exact, total_requests]).toEqual([formatMoney(bill.withFees()), bill.requests]);
        statements.push((await call('POST', '/billing/reset?tenant_id=acme')) as unknown as Statement);
        bills.push(bill);
        bill = new NaiveBill(plan);
      } else if ('plan' in step) {
        plan = step.plan;
        const terms = await call('PATCH', '/admin/tenants/acme/billing', { planId: plan });
        planVersion = (terms.planVersion as string | null) ?? '';
        bill.assign(plan);
      } else if ('price' in step) {
        const body = { price_per_request: step.price };
        await call('PUT', `/api-keys/${made[step.key].id}/pricing?tenant_id=acme`, body);
        prices[step.key] = step.price === 0.000000015 ? '0.000000015' : String(step.price);
      } else {
        const price = nano(prices[step.key] ?? '');
        for (let i = 0; i < step.requests; i++) bill.request(price);
        const { id: keyId } = made[step.key];
        const [count, priceNano] = [step.requests, Number(price)];
        await traffic(stage.store, 'acme', { keyId, count, priceNano, planVersion });
      }
    }
    expect(bills).toHaveLength(5);
    for (const [index, { total, lines, fees }] of statements.entries()) {
      expect(total).toBe(formatMoney(bills[index]?.withFees() ?? -1n));
      const amounts = [...lines.map(({ cost }) => cost), ...fees.map(({ amount }) => amount)];
      expect(formatMoney(amounts.reduce((sum, amount) => sum + nano(amount), 0n))).toBe(total);
      expect(lines.reduce((sum, { requests }) => sum + requests, 0)).toBe(bills[index]?.requests);
    }
    // What was issued stays, whatever became of prices and plans.
    for (const statement of statements)
      expect(await call('GET', `/billing/statements/${statement.id}?tenant_id=acme`)).toEqual(statement);
  });

  it('follows from what a request cost when it was made, not from what it costs now', async () => {
    const [{ id: keyId }] = made;
    await traffic(stage.store, 'acme', { keyId, count: 3, priceNano: 250_000_000 });
    for (const price of [1000, '0', 0.000000001]) {
      await call('PUT', `/api-keys/${keyId}/pricing?tenant_id=acme`, { price_per_request: price });
      await call('PATCH', '/admin/tenants/acme/billing', { pricePerRequest: price });
      expect(await call('GET', '/billing/summary?tenant_id=acme')).toMatchObject({ total_cost: 0.75 });
    }
    await traffic(stage.store, 'acme', { keyId, count: 2, priceNano: 1 });
    expect(await call('POST', '/billing/reset?tenant_id=acme')).toMatchObject({
      total: '0.750000002',
      lines: [{ keyId, requests: 5, cost: '0.750000002' }],
    });
  });

  it('does not lose a nano-unit to numbers that are too large for a double', async () => {
    const [{ id: keyId }] = made;
    const most = 9_007_199_254_740_991;
    for (let i = 0; i < 3; i++) await traffic(stage.store, 'acme', { keyId, count: 1, priceNano: most });
    const { total } = await call('POST', '/billing/reset?tenant_id=acme');
    expect(total).toBe(formatMoney(3n * BigInt(most)));
  });

  it('charges what comes late to the cycle in which it comes, by the plan of that, and no fee twice', async () => {
    const [{ id: keyId }] = made;
    const { planVersion: flat } = await call('PATCH', '/admin/tenants/acme/billing', { planId: 'flat' });
    await traffic(stage.store, 'acme', { keyId, count: 5, planVersion: flat as string });
    expect(await call('POST', '/billing/reset?tenant_id=acme')).toMatchObject({ total: '19.99' });
    await call('PATCH', '/admin/tenants/acme/billing', { planId: 'each' });
    await traffic(stage.store, 'acme', { keyId, count: 4, planVersion: flat as string });
    expect(await call('POST', '/billing/reset?tenant_id=acme')).toMatchObject({
      total: '0.000000028',
      fees: [],
      lines: [{ keyId, requests: 4, cost: '0.000000028' }],
    });
  });

  it('is by the plan as it was assigned, until it is assigned again', async () => {
    const [{ id: keyId }] = made;
    const first = await call('PATCH', '/admin/tenants/acme/billing', { planId: 'each' });
    expect(first.planVersion).toBe('each@1');
    await traffic(stage.store, 'acme', { keyId, count: 10, planVersion: 'each@1' });
    const dearer = { name: 'Dearer', currency: 'EUR', model: 'per_request', price: 2 };
    await call('PUT', '/admin/plans/each', dearer);
    expect(await call('GET', '/billing/summary?tenant_id=acme')).toMatchObject({
      total_cost_exact: '0.00000007',
      plan: { id: 'each', name: 'One price', version: 'each@1' },
    });

    const again = await call('PATCH', '/admin/tenants/acme/billing', { planId: 'each' });
    expect(again.planVersion).toBe('each@2');
    expect((await call('PATCH', '/admin/tenants/acme/billing', { planId: 'each' })).planVersion).toBe(
      'each@2',
    );
    await traffic(stage.store, 'acme', { keyId, count: 3, planVersion: 'each@2' });
    const statement = await call('POST', '/billing/reset?tenant_id=acme');
    expect(statement).toMatchObject({
      total: '6.00000007',
      plans: [{ name: 'One price' }, { name: 'Dearer' }],
    });
    expect(await call('GET', '/admin/tenants/acme/billing')).toMatchObject({
      planId: 'each',
      planVersion: 'each@2',
      plans: { 'each@2': { name: 'Dearer', price: '2' } },
      cycle: 2,
    });
  });
});
