import { keys } from '#libs/store';
import { parseBilling } from '#libs/tenants';
import { makeKey, makeTenant, moneyOf, traffic } from './billed-tenant';
import { describeStores, refusal, type Answer, type Stage } from './stage';

const TERMS = '/admin/tenants/acme/billing';
const FLAT = { id: 'flat', name: 'Flat', currency: 'EUR', model: 'flat', fee: '19.99' };
const PLANS = [
  FLAT,
  { id: 'each', name: 'Each', currency: 'USD', model: 'per_request', price: '0.5', billsCacheHits: true },
  { id: 'keys', name: 'Keys', currency: 'USD', model: 'per_request' },
  {
    id: 'tiers',
    name: 'Tiers',
    currency: 'USD',
    model: 'tiered',
    tiers: [
      { upTo: 10, price: '0.1' },
      { upTo: null, price: '0' },
    ],
  },
  {
    id: 'bundle',
    name: 'Bundle',
    currency: 'USD',
    model: 'included',
    fee: '5',
    includedRequests: 20,
    overagePrice: '0.000000001',
  },
];

const OWNER_OPERATIONS: Array<{ method: string; path: string; body?: object }> = [
  { method: 'GET', path: TERMS },
  { method: 'PATCH', path: TERMS, body: { pricePerRequest: 1 } },
  { method: 'POST', path: `${TERMS}/close` },
  { method: 'GET', path: `${TERMS}/statements` },
  { method: 'GET', path: `${TERMS}/statements/x-000001` },
  { method: 'POST', path: '/admin/plans', body: FLAT },
  { method: 'GET', path: '/admin/plans' },
  { method: 'GET', path: '/admin/plans/flat' },
  { method: 'PUT', path: '/admin/plans/flat', body: FLAT },
  { method: 'DELETE', path: '/admin/plans/flat' },
];

describeStores('terms of billing', (start) => {
  let stage: Stage;
  let keyId: string;
  beforeEach(async () => {
    stage = await start();
    for (const id of ['acme', 'other']) await makeTenant(stage, id);
    keyId = (await makeKey(stage, 'acme')).id;
  });
  afterEach(() => stage.close());

  const patch = (body: unknown, headers?: Record<string, string>): Promise<Answer> =>
    stage.call('PATCH', TERMS, body, headers);
  const makePlans = async (): Promise<void> => {
    for (const plan of PLANS) expect((await stage.call('POST', '/admin/plans', plan)).status).toBe(201);
  };

  it('are the documented ones until somebody says something else', async () => {
    const { status, body } = await stage.call('GET', TERMS);
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        tenantId: 'acme',
        currency: 'USD',
        pricePerRequest: '0.001',
        spendCap: null,
        planId: null,
        planVersion: null,
        plans: {},
        cycle: 1,
        openedAt: '1970-01-01T00:00:00.000Z',
      },
    });
    expect(await stage.store.documents.get(keys.tenantBilling('acme'))).toBeUndefined();
  });

  it('are stored where the data plane looks for them, exact, and reach no other tenant', async () => {
    const changed = await patch({ pricePerRequest: 1.5e-8, spendCap: '100.50', currency: 'EUR' });
    expect(changed.body).toMatchObject({
      pricePerRequest: '0.000000015',
      spendCap: '100.5',
      currency: 'EUR',
    });
    expect(parseBilling(await stage.store.documents.get('tenant:billing:acme'))).toMatchObject({
      pricePerRequest: '0.000000015',
      spendCap: '100.5',
      currency: 'EUR',
      cycle: 1,
      planVersion: '',
    });
    expect((await patch({ spendCap: null })).body).toMatchObject({
      spendCap: null,
      pricePerRequest: '0.000000015',
    });
    expect((await stage.call('GET', '/admin/tenants/other/billing')).body).toMatchObject({
      pricePerRequest: '0.001',
      currency: 'USD',
    });
  });

  it('keep what is not mentioned, and the plan through a closed cycle', async () => {
    await makePlans();
    await patch({ pricePerRequest: '7', spendCap: '8', planId: 'each' });
    const { body: statement } = await stage.call('POST', `${TERMS}/close`);
    expect((await stage.call('GET', TERMS)).body).toEqual({
      tenantId: 'acme',
      currency: 'USD',
      pricePerRequest: '7',
      spendCap: '8',
      planId: 'each',
      planVersion: 'each@1',
      plans: { 'each@1': PLANS[1] },
      cycle: 2,
      openedAt: (statement as { closedAt: string }).closedAt,
    });
  });

  it('change only in the version that If-Match names', async () => {
    const first = await patch({ pricePerRequest: 1 });
    const version = first.headers.get('etag') ?? '';
    expect((await stage.call('GET', TERMS)).headers.get('etag')).toBe(version);
    expect((await stage.call('GET', TERMS, undefined, { 'If-None-Match': version })).status).toBe(304);
    const second = await patch({ pricePerRequest: 2 }, { 'If-Match': version });
    expect(second.status).toBe(200);
    for (const stale of [version, '"x"', `W/${second.headers.get('etag')}`]) {
      const late = await patch({ pricePerRequest: 3 }, { 'If-Match': stale });
      expect(refusal(late)).toMatchObject({ status: 412, code: 'precondition_failed' });
    }
    expect((await stage.call('GET', TERMS)).body).toMatchObject({ pricePerRequest: '2' });
    const unwritten = await stage.call('PATCH', '/admin/tenants/other/billing', {}, { 'If-Match': '"x"' });
    expect(refusal(unwritten).code).toBe('precondition_failed');
  });

  it('lose no change of many at once, with cycles closing in between', async () => {
    await Promise.all([
      ...Array.from({ length: 10 }, (_, i) => patch({ pricePerRequest: i + 1 })),
      patch({ spendCap: 42 }),
      stage.call('POST', `${TERMS}/close`),
      patch({ currency: 'EUR' }),
      stage.call('POST', `${TERMS}/close`),
    ]);
    const { body } = await stage.call('GET', TERMS);
    expect(body).toMatchObject({ spendCap: '42', currency: 'EUR' });
    expect((body as { cycle: number }).cycle).toBe(await stage.store.ledgers.openCycle('acme'));
    expect([2, 3]).toContain((body as { cycle: number }).cycle);
  });

  describe('the currency', () => {
    it('cannot change while the open cycle has requests, and can when the next one has begun', async () => {
      await makePlans();
      await traffic(stage.store, 'acme', { keyId });
      const before = await moneyOf(stage, 'acme');
      for (const body of [{ currency: 'EUR' }, { planId: 'flat' }, { currency: 'EUR', planId: 'flat' }])
        expect(refusal(await patch(body))).toMatchObject({ status: 409, code: 'conflict' });
      expect(await moneyOf(stage, 'acme')).toEqual(before);
      expect((await patch({ currency: 'USD', pricePerRequest: 1 })).status).toBe(200);

      expect((await stage.call('POST', `${TERMS}/close`)).body).toMatchObject({ currency: 'USD' });
      expect((await patch({ currency: 'EUR' })).status).toBe(200);
      expect((await stage.call('POST', `${TERMS}/close`)).body).toMatchObject({
        currency: 'EUR',
        total: '0',
      });
    });

    it('comes with a plan, and must be that of the plan', async () => {
      await makePlans();
      expect((await patch({ planId: 'flat' })).body).toMatchObject({
        currency: 'EUR',
        planVersion: 'flat@1',
      });
      const before = await moneyOf(stage, 'acme');
      for (const [body, field] of [
        [{ currency: 'USD' }, 'currency'],
        [{ currency: 'USD', planId: 'flat' }, 'planId'],
        [{ currency: 'EUR', planId: 'each' }, 'planId'],
      ] as const)
        expect(refusal(await patch(body))).toEqual({
          status: 400,
          code: 'validation_failed',
          fields: [field],
        });
      expect(await moneyOf(stage, 'acme')).toEqual(before);
      expect((await patch({ planId: null, currency: 'USD' })).body).toMatchObject({
        planId: null,
        currency: 'USD',
      });
    });
  });

  describe('plans', () => {
    it.each(PLANS)('are stored as they are sent, whatever their model: $model', async (plan) => {
      const created = await stage.call('POST', '/admin/plans', plan);
      expect({ status: created.status, body: created.body }).toEqual({ status: 201, body: plan });
      expect(created.headers.get('location')).toBe(`/admin/plans/${plan.id}`);
      const shown = await stage.call('GET', `/admin/plans/${plan.id}`);
      expect({ status: shown.status, body: shown.body }).toEqual({ status: 200, body: plan });
      expect(shown.headers.get('etag')).toBe(created.headers.get('etag'));
      expect(JSON.parse((await stage.store.documents.get(`gatehouse:plan:${plan.id}`)) ?? '')).toEqual(plan);
    });

    it('are not created twice', async () => {
      await makePlans();
      const again = await stage.call('POST', '/admin/plans', { ...FLAT, fee: 0 });
      expect(refusal(again)).toMatchObject({ status: 409, code: 'already_exists' });
      expect((await stage.call('GET', '/admin/plans/flat')).body).toEqual(FLAT);
    });

    it('are listed page by page in the order of their ids', async () => {
      await makePlans();
      const seen: unknown[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body } = await stage.call('GET', `/admin/plans?limit=2${cursor && `&cursor=${cursor}`}`);
        const page = body as { plans: unknown[]; nextCursor: string | null };
        seen.push(...page.plans);
        cursor = page.nextCursor;
      }
      expect(seen).toEqual([...PLANS].sort((a, b) => (a.id < b.id ? -1 : 1)));
    });

    it('are replaced, in the version that If-Match names, and keep their ids', async () => {
      const created = await stage.call('POST', '/admin/plans', FLAT);
      const version = created.headers.get('etag') ?? '';
      const { id: _, ...changed } = { ...FLAT, fee: '20' };
      const replaced = await stage.call('PUT', '/admin/plans/flat', changed, { 'If-Match': version });
      expect(replaced.body).toEqual({ ...FLAT, fee: '20' });
      const late = await stage.call('PUT', '/admin/plans/flat', FLAT, { 'If-Match': version });
      expect(refusal(late)).toMatchObject({ status: 412, code: 'precondition_failed' });
      const renamed = await stage.call('PUT', '/admin/plans/flat', { ...FLAT, id: 'other' });
      expect(refusal(renamed)).toEqual({ status: 400, code: 'validation_failed', fields: ['id'] });
      expect((await stage.call('GET', '/admin/plans/flat')).body).toEqual({ ...FLAT, fee: '20' });
      expect((await stage.call('GET', '/admin/plans/other')).status).toBe(404);
    });

    it('are deleted when no tenant has them, and not before', async () => {
      await makePlans();
      await patch({ planId: 'each' });
      await stage.call('PATCH', '/admin/tenants/other/billing', { planId: 'each' });
      const remove = (headers?: Record<string, string>): Promise<Answer> =>
        stage.call('DELETE', '/admin/plans/each', undefined, headers);
      expect(refusal(await remove())).toMatchObject({ status: 409, code: 'conflict' });
      await patch({ planId: 'keys' });
      const refused = await remove();
      expect(refusal(refused)).toMatchObject({ status: 409, code: 'conflict' });
      expect((refused.body as { detail: string }).detail).toContain('other');
      await stage.call('PATCH', '/admin/tenants/other/billing', { planId: null });
      expect(refusal(await remove({ 'If-Match': '"x"' })).status).toBe(412);
      expect((await remove()).status).toBe(204);
      expect(refusal(await stage.call('GET', '/admin/plans/each'))).toMatchObject({ code: 'plan_not_found' });
      expect(refusal(await patch({ planId: 'each' })).fields).toEqual(['planId']);
      const { body } = await stage.call('GET', '/admin/plans');
      expect((body as { plans: Array<{ id: string }> }).plans.map(({ id }) => id)).not.toContain('each');
    });

    it('are found in use by tenants of a later assignment, though an earlier one was forgotten', async () => {
      await makePlans();
      await patch({ planId: 'each' });
      await patch({ planId: 'keys' });
      expect((await stage.call('DELETE', '/admin/plans/each')).status).toBe(204);
      await stage.call('POST', '/admin/plans', PLANS[1]);
      await patch({ planId: 'each' });
      expect(refusal(await stage.call('DELETE', '/admin/plans/each')).code).toBe('conflict');
    });
  });

  describe('access', () => {
    it.each(OWNER_OPERATIONS)(
      'refuses $method $path without the token of the owner',
      async ({ method, path, body }) => {
        const before = await moneyOf(stage, 'acme');
        const { apiKey } = await makeKey(stage, 'acme');
        const given: Array<Record<string, string>> = [
          { 'X-Admin-Token': 'wrong' },
          { 'X-Admin-Token': '', 'X-API-Key': apiKey },
          { 'X-Admin-Token': '', Authorization: `Bearer ${apiKey}` },
        ];
        for (const headers of given) {
          const answer = await stage.call(method, path, body, headers);
          expect(refusal(answer)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
        }
        const { documents, ...rest } = (await moneyOf(stage, 'acme')) as { documents: unknown[] };
        expect(documents).toHaveLength((before as { documents: unknown[] }).documents.length + 1);
        expect(rest).toEqual({ cycles: [1], statements: [[]] });
      },
    );

    it.each(OWNER_OPERATIONS)(
      'answers 404 to $method $path for what there is not',
      async ({ method, path, body }) => {
        const isPlan = path.startsWith('/admin/plans/');
        const ids = [
          'nobody',
          `byApiKey:${'a'.repeat(64)}`,
          'billing:acme',
          'x%2fy',
          encodeURIComponent('ü'.repeat(99)),
        ];
        for (const id of ids) {
          const answer = await stage.call(method, path.replace(isPlan ? 'flat' : 'acme', id), body);
          if (path === '/admin/plans') continue;
          const code = isPlan ? 'plan_not_found' : 'tenant_not_found';
          expect(refusal(answer)).toMatchObject({ status: 404, code });
        }
      },
    );

    it('does not show a statement under another tenant', async () => {
      const { body } = await stage.call('POST', `${TERMS}/close`);
      const { id } = body as { id: string };
      expect((await stage.call('GET', `${TERMS}/statements/${id}`)).body).toEqual(body);
      const foreign = await stage.call('GET', `/admin/tenants/other/billing/statements/${id}`);
      expect(refusal(foreign)).toMatchObject({ status: 404, code: 'statement_not_found' });
    });
  });
});
