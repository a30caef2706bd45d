import { makeKey, makeTenant, moneyOf, traffic } from './billed-tenant';
import { describeStores, refusal, type Stage } from './stage';

/** What is no amount of money; 1e309 and NaN cannot be said in a JSON that is made of values. */
const NO_AMOUNTS: unknown[] = [
  -1, -0.001, '-1', 'NaN', 'Infinity', '', ' 1', '1 ', '1,5', '0x10', '01', '.5', '5.', '+1', '1e', '1e999', '٣',
  0.0000000001, '0.0000000001', '1.0000000000', 1_000_000.000000001, '1000000.000000001', 1e21, '9'.repeat(50),
  true, false, [], [1], {}, { amount: 1 },
]; // prettier-ignore

const TIERED = { id: 'new', name: 'New', currency: 'EUR', model: 'tiered' };
const tiers = (...list: unknown[]): object => ({ ...TIERED, tiers: list });
const INCLUDED = { id: 'new', name: 'New', currency: 'EUR', model: 'included', fee: 1, includedRequests: 1, overagePrice: 1 }; // prettier-ignore

const BAD_PLANS: Array<[plan: unknown, ...fields: string[]]> = [
  [{}, 'id', 'name', 'currency', 'model'],
  [{ ...INCLUDED, id: 'a b' }, 'id'],
  [{ ...INCLUDED, id: 'a:tenants' }, 'id'],
  [{ ...INCLUDED, id: 7 }, 'id'],
  [{ ...INCLUDED, id: 'x'.repeat(65) }, 'id'],
  [{ ...INCLUDED, name: ' ' }, 'name'],
  [{ ...INCLUDED, name: null }, 'name'],
  [{ ...INCLUDED, currency: 'EURO' }, 'currency'],
  [{ ...INCLUDED, currency: 'eur' }, 'currency'],
  [{ ...INCLUDED, currency: 'XYZ' }, 'currency'],
  [{ ...INCLUDED, currency: ['EUR'] }, 'currency'],
  [{ ...INCLUDED, model: 'free' }, 'model'],
  [{ ...INCLUDED, model: 'toString' }, 'model'],
  [{ ...INCLUDED, billsCacheHits: 'yes' }, 'billsCacheHits'],
  [{ ...INCLUDED, fee: -1 }, 'fee'],
  [{ ...INCLUDED, fee: 'NaN', overagePrice: '-0.1' }, 'fee', 'overagePrice'],
  [{ ...INCLUDED, fee: null }, 'fee'],
  [{ ...INCLUDED, includedRequests: -1 }, 'includedRequests'],
  [{ ...INCLUDED, includedRequests: 1.5 }, 'includedRequests'],
  [{ ...INCLUDED, includedRequests: '1' }, 'includedRequests'],
  [{ ...INCLUDED, includedRequests: 2 ** 53 }, 'includedRequests'],
  [{ ...INCLUDED, price: 1 }, 'price'],
  [{ ...INCLUDED, discount: 1 }, 'discount'],
  [{ ...INCLUDED, toString: 1 }, 'toString'],
  [{ ...TIERED, model: 'flat' }, 'fee'],
  [{ ...TIERED, model: 'per_request', fee: 1 }, 'fee'],
  [TIERED, 'tiers'],
  [{ ...TIERED, tiers: {} }, 'tiers'],
  [tiers(), 'tiers'],
  [tiers(null), 'tiers.0'],
  [tiers({ upTo: 10, price: 1 }), 'tiers.0.upTo'],
  [tiers({ upTo: 10, price: 1 }, { upTo: 10, price: 1 }, { upTo: null, price: 1 }), 'tiers.1.upTo'],
  [tiers({ upTo: 10, price: 1 }, { upTo: 5, price: 1 }, { upTo: null, price: 1 }), 'tiers.1.upTo'],
  [tiers({ upTo: null, price: 1 }, { upTo: null, price: 1 }), 'tiers.0.upTo'],
  [tiers({ upTo: 10, price: -1 }, { upTo: null, price: '1e400' }), 'tiers.0.price', 'tiers.1.price'],
  [tiers({ upTo: 0, price: 1 }, { upTo: null, price: 1 }), 'tiers.0.upTo'],
  [tiers({ upTo: null, price: 1, cost: 1 }), 'tiers.0.cost'],
  [tiers(...Array.from({ length: 100 }, (_, i) => ({ upTo: i + 1, price: 1 })), { upTo: null, price: 1 }), 'tiers'],
]; // prettier-ignore

const BAD_RANGES: Array<[query: string, ...fields: string[]]> = [
  ['from=yesterday', 'from'],
  ['from=', 'from'],
  ['from=2026-02-30', 'from'],
  ['from=2026-13-01', 'from'],
  ['from=2026-01-01T25:00:00Z', 'from'],
  ['from=2026-01-01T00:00:00', 'from'],
  ['from=1e309', 'from'],
  ['from=1&to=NaN', 'from', 'to'],
  ['to=-1', 'to'],
  ['to=12026-01-01', 'to'],
  ['from=2026-01-02&to=2026-01-01', 'to'],
  ['from=2026-01-01T10:00:00Z&to=2026-01-01T10:00:00Z', 'to'],
  ['from=2000-01-01', 'to'],
  ['from=2024-01-01&to=2026-01-01', 'to'],
  ['from=0001-01-01&to=9999-12-31', 'to'],
  ['from=2026-01-01&from=2026-01-02', 'from'],
  ['from[]=2026-01-01', 'from[]'],
  ['since=2026-01-01', 'since'],
];

describeStores('bad input about money', (start) => {
  let stage: Stage;
  let keyId: string;
  let before: unknown;
  beforeAll(async () => {
    stage = await start();
    await makeTenant(stage, 'acme');
    keyId = (await makeKey(stage, 'acme')).id;
    await stage.call('POST', '/admin/plans', {
      id: 'old',
      name: 'Old',
      currency: 'USD',
      model: 'flat',
      fee: 1,
    });
    await stage.call('PATCH', '/admin/tenants/acme/billing', { planId: 'old', spendCap: 5 });
    await traffic(stage.store, 'acme', { keyId, planVersion: 'old@1' });
    await stage.call('POST', '/billing/reset?tenant_id=acme');
    before = await moneyOf(stage, 'acme');
  });
  afterAll(() => stage.close());

  /** Whatever was refused left everything as it was. */
  afterEach(async () => {
    expect(await moneyOf(stage, 'acme')).toEqual(before);
    expect((await stage.call('GET', '/admin/plans')).body).toMatchObject({ plans: [{ id: 'old' }] });
  });

  const refused = async (method: string, path: string, body?: unknown): Promise<string[]> => {
    const answer = refusal(await stage.call(method, path, body));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    return answer.fields;
  };

  it.each([...NO_AMOUNTS, null])('refuses the price %j and names its field', async (amount) => {
    const pricing = `/api-keys/${keyId}/pricing?tenant_id=acme`;
    expect(await refused('PUT', pricing, { price_per_request: amount })).toEqual(['price_per_request']);
    const terms = '/admin/tenants/acme/billing';
    expect(await refused('PATCH', terms, { pricePerRequest: amount })).toEqual(['pricePerRequest']);
    if (amount !== null) {
      const both = { spendCap: amount, pricePerRequest: 1 };
      expect(await refused('PATCH', terms, both)).toEqual(['spendCap']);
    }
  });

  it.each(['1e309', '-1e309', '1E400'])('refuses the number %s, which JSON allows', async (number) => {
    const body = (field: string): string => `{"${field}":${number}}`;
    const pricing = `/api-keys/${keyId}/pricing?tenant_id=acme`;
    expect(await refused('PUT', pricing, body('price_per_request'))).toEqual(['price_per_request']);
    expect(await refused('PATCH', '/admin/tenants/acme/billing', body('spendCap'))).toEqual(['spendCap']);
    const plan = `{"id":"new","name":"New","currency":"EUR","model":"flat","fee":${number}}`;
    expect(await refused('POST', '/admin/plans', plan)).toEqual(['fee']);
  });

  it.each([
    ['PUT', 'pricing', {}, 'price_per_request'],
    ['PUT', 'pricing', { price_per_request: 1, currency: 'EUR' }, 'currency'],
    ['PUT', 'pricing', { pricePerRequest: 1 }, 'pricePerRequest'],
    ['PATCH', 'terms', { currency: 'EURO' }, 'currency'],
    ['PATCH', 'terms', { currency: 'usd' }, 'currency'],
    ['PATCH', 'terms', { currency: null }, 'currency'],
    ['PATCH', 'terms', { currency: 978 }, 'currency'],
    ['PATCH', 'terms', { planId: 7 }, 'planId'],
    ['PATCH', 'terms', { planId: '' }, 'planId'],
    ['PATCH', 'terms', { planId: 'nope' }, 'planId'],
    ['PATCH', 'terms', { planId: 'old:tenants' }, 'planId'],
    ['PATCH', 'terms', { planId: ['old'] }, 'planId'],
    ['PATCH', 'terms', { cycle: 1 }, 'cycle'],
    ['PATCH', 'terms', { openedAt: '2000-01-01T00:00:00Z' }, 'openedAt'],
    ['PATCH', 'terms', { plans: {} }, 'plans'],
    ['PATCH', 'terms', { statementSeries: 'x' }, 'statementSeries'],
    ['PATCH', 'terms', { toString: 1 }, 'toString'],
  ])('refuses %s %s with %j and names %s', async (method, what, body, field) => {
    const path =
      what === 'terms' ? '/admin/tenants/acme/billing' : `/api-keys/${keyId}/pricing?tenant_id=acme`;
    expect(await refused(method, path, body)).toContain(field);
  });

  it('says everything that is wrong with terms at once', async () => {
    const body = { currency: 'x', pricePerRequest: 'x', spendCap: -1 };
    const fields = await refused('PATCH', '/admin/tenants/acme/billing', body);
    expect(fields).toEqual(['currency', 'pricePerRequest', 'spendCap']);
  });

  it.each(BAD_PLANS)('refuses the plan %j and names the fields', async (plan, ...fields) => {
    expect(await refused('POST', '/admin/plans', plan)).toEqual(expect.arrayContaining(fields));
    const { id, ...rest } = plan as { id?: unknown };
    const replacement = fields.includes('id') && id !== undefined ? plan : rest;
    const named = id === undefined ? fields.filter((field) => field !== 'id') : fields;
    expect(await refused('PUT', '/admin/plans/old', replacement)).toEqual(expect.arrayContaining(named));
  });

  it.each(['[]', '"x"', '7', 'null', '{"fee":', '{"__proto__":{"fee":1}}'])(
    'refuses the body %s',
    async (body) => {
      for (const [method, path] of [
        ['POST', '/admin/plans'],
        ['PUT', '/admin/plans/old'],
        ['PATCH', '/admin/tenants/acme/billing'],
        ['PUT', `/api-keys/${keyId}/pricing?tenant_id=acme`],
      ] as const) {
        const answer = refusal(await stage.call(method, path, body));
        expect({ method, path, status: answer.status }).toEqual({ method, path, status: 400 });
      }
    },
  );

  it.each(BAD_RANGES)('refuses to reconcile %s and names the parameters', async (query, ...fields) => {
    expect(await refused('GET', `/billing/reconcile?tenant_id=acme&${query}`)).toEqual(fields);
  });

  it.each(BAD_RANGES)('refuses usage of %s and names the parameters', async (query, ...fields) => {
    expect(await refused('GET', `/usage?tenant_id=acme&${query}`)).toEqual(fields);
    expect(await refused('GET', `/admin/tenants/acme/usage?${query}`)).toEqual(fields);
  });

  it.each(['month', 'hour,', 'hour,hour', '', 'toString', 'day,key,route,status,hour,minute'])(
    'refuses usage by %j and names the parameter',
    async (groups) => {
      expect(await refused('GET', `/usage?tenant_id=acme&group_by=${groups}`)).toEqual(['group_by']);
      expect(await refused('GET', `/admin/tenants/acme/usage?groupBy=${groups}`)).toEqual(['groupBy']);
    },
  );

  it.each([
    ['/billing/summary?tenant_id=acme&x=1', 'x'],
    ['/billing/summary?tenant_id=a%20b', 'tenant_id'],
    ['/billing/summary?tenant_id=acme&tenant_id=acme', 'tenant_id'],
    ['/billing/api-keys?tenant_id=acme&limit=0', 'limit'],
    ['/billing/api-keys?tenant_id=acme&cursor=%00', 'cursor'],
    ['/billing/statements?tenant_id=acme&limit=201', 'limit'],
    ['/billing/statements?tenant_id=acme&cursor=', 'cursor'],
    ['/billing/statements/x?tenant_id=acme&format=xml', 'format'],
    ['/admin/tenants/acme/billing/statements?limit=x', 'limit'],
    ['/admin/tenants/acme/billing/statements/x?format=csv&format=csv', 'format'],
    ['/admin/plans?limit=1.5', 'limit'],
    ['/admin/plans?cursor=a&cursor=b', 'cursor'],
  ])('refuses GET %s and names %s', async (path, field) => {
    expect(await refused('GET', path)).toEqual([field]);
  });

  it('refuses a reset with unknown parameters and closes nothing', async () => {
    expect(await refused('POST', '/billing/reset?tenant_id=acme&force=1')).toEqual(['force']);
  });
});
