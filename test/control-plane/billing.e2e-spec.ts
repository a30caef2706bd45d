import type { Statement } from '#libs/billing';
import { keys } from '#libs/store';
import { makeKey, makeService, makeTenant, moneyOf, traffic, type MadeKey } from './billed-tenant';
import { callAs } from './portal-calls';
import { describeStores, refusal, type Answer, type Stage } from './stage';

/** Every operation of the portal that is about money, with a body that it accepts. */
const OPERATIONS: Array<{ method: string; path: string; body?: unknown }> = [
  { method: 'GET', path: '/billing/summary' },
  { method: 'GET', path: '/billing/api-keys' },
  { method: 'GET', path: '/billing/statements' },
  { method: 'GET', path: '/billing/statements/{statement}' },
  { method: 'GET', path: '/billing/reconcile' },
  { method: 'PUT', path: '/api-keys/{key}/pricing', body: { price_per_request: 1 } },
  { method: 'POST', path: '/billing/reset' },
];

describeStores('billing', (start) => {
  let stage: Stage;
  let serviceId: string;
  /** Of the tenant, of one service of it, and of somebody else. */
  let own: MadeKey;
  let consumer: MadeKey;
  let foreign: MadeKey;
  beforeEach(async () => {
    stage = await start();
    for (const id of ['acme', 'other']) await makeTenant(stage, id);
    serviceId = await makeService(stage, 'acme');
    own = await makeKey(stage, 'acme', { name: 'own' });
    consumer = await makeKey(stage, 'acme', { name: '=consumer, "inc"', serviceId, pricePerRequest: '0.05' });
    foreign = await makeKey(stage, 'other', { name: 'foreign' });
  });
  afterEach(() => stage.close());

  const as = (key: MadeKey, method: string, path: string, body?: unknown): Promise<Answer> =>
    callAs(stage, key.apiKey)(method, path, body);
  const use = (): Promise<void> =>
    traffic(
      stage.store,
      'acme',
      { keyId: own.id, count: 1500 },
      { keyId: own.id, count: 20, status: 404 },
      { keyId: consumer.id, serviceId, count: 3, priceNano: 50_000_000 },
      { keyId: consumer.id, serviceId, count: 2, status: 500 },
    );
  const reset = async (key = own): Promise<Statement> => {
    const answer = await as(key, 'POST', '/billing/reset');
    expect(answer.status).toBe(200);
    return answer.body as Statement;
  };

  it('shows a tenant that nobody has said anything about on the documented terms', async () => {
    const { status, body } = await as(own, 'GET', '/billing/summary');
    expect({ status, body }).toEqual({
      status: 200,
      body: {
        tenant_id: 'acme',
        currency: 'USD',
        cycle: 1,
        opened_at: '1970-01-01T00:00:00.000Z',
        total_requests: 0,
        total_cost: 0,
        total_cost_exact: '0',
        fees: 0,
        price_per_request: 0.001,
        spend_cap: null,
        plan: null,
        services: 1,
        api_keys: 2,
      },
    });
  });

  it('adds up successful requests only, and what they cost', async () => {
    await use();
    expect((await as(own, 'GET', '/billing/summary')).body).toMatchObject({
      total_requests: 1503,
      total_cost: 1.65,
      total_cost_exact: '1.65',
    });
    expect((await as(foreign, 'GET', '/billing/summary')).body).toMatchObject({
      tenant_id: 'other',
      total_requests: 0,
      services: 0,
      api_keys: 1,
    });
  });

  it('shows what the plan is and what it costs without a request', async () => {
    const plan = { id: 'flat', name: 'Flat', currency: 'EUR', model: 'flat', fee: 12.5 };
    await stage.call('POST', '/admin/plans', plan);
    await stage.call('PATCH', '/admin/tenants/acme/billing', { planId: 'flat', spendCap: '99.000000001' });
    expect((await as(own, 'GET', '/billing/summary')).body).toMatchObject({
      currency: 'EUR',
      total_requests: 0,
      total_cost: 12.5,
      fees: 12.5,
      spend_cap: 99.000000001,
      plan: { id: 'flat', name: 'Flat', model: 'flat', version: 'flat@1' },
    });
  });

  describe('by API key', () => {
    it('shows the open cycle and the lifetime of each key, also of one that is gone', async () => {
      await use();
      await reset();
      await traffic(
        stage.store,
        'acme',
        { keyId: own.id, count: 4, priceNano: 1 },
        { keyId: 'sha256-0123456789ab' },
      );
      const { body } = await as(own, 'GET', '/billing/api-keys');
      expect(body).toEqual({
        api_keys: [
          {
            key_id: own.id,
            name: 'own',
            prefix: own.apiKey.slice(0, 12),
            service_id: null,
            active: true,
            price_per_request: 0.001,
            total_requests: 4,
            total_cost: 0.000000004,
            total_cost_exact: '0.000000004',
            lifetime_requests: 1504,
            lifetime_cost: 1.500000004,
          },
          {
            key_id: consumer.id,
            name: '=consumer, "inc"',
            prefix: consumer.apiKey.slice(0, 12),
            service_id: Number(serviceId),
            active: true,
            price_per_request: 0.05,
            total_requests: 0,
            total_cost: 0,
            total_cost_exact: '0',
            lifetime_requests: 3,
            lifetime_cost: 0.15,
          },
          expect.objectContaining({
            key_id: 'sha256-0123456789ab',
            name: null,
            active: false,
            total_requests: 1,
          }),
        ],
        next_cursor: null,
      });
    });

    it('lists each key once, page by page, those that are gone among them', async () => {
      const made = [own.id, consumer.id];
      for (let i = 0; i < 3; i++) made.push((await makeKey(stage, 'acme', { name: `key ${i}` })).id);
      const gone = ['0', `${own.id}x`, 'zzzzzzzzz'];
      await traffic(stage.store, 'acme', ...[...gone, ...made].map((keyId) => ({ keyId })));
      for (const limit of [1, 2, 3, 7, 200]) {
        const seen: string[] = [];
        // What interrupted revocations leave: entries that lead to nothing.
        for (const left of ['-1', '-2', '-3', '-4'])
          await stage.store.documents.indexAdd(keys.apiKeyIndex('acme'), own.id + left);
        for (let cursor: string | null = ''; cursor !== null;) {
          const query = `limit=${limit}${cursor && `&cursor=${cursor}`}`;
          const { body } = await as(own, 'GET', `/billing/api-keys?${query}`);
          const page = body as {
            api_keys: Array<{ key_id: string; active: boolean }>;
            next_cursor: string | null;
          };
          expect(page.api_keys.length).toBeLessThanOrEqual(limit);
          for (const { key_id: id, active } of page.api_keys)
            expect([id, active]).toEqual([id, made.includes(id)]);
          seen.push(...page.api_keys.map(({ key_id }) => key_id));
          cursor = page.next_cursor;
        }
        expect(seen).toEqual([...gone, ...made].sort());
      }
    });
  });

  it.each([
    [0.002, 0.002, '0.002'],
    ['0.000000015', 0.000000015, '0.000000015'],
    [1.5e-8, 0.000000015, '0.000000015'],
    ['1e-9', 0.000000001, '0.000000001'],
    [0, 0, '0'],
    [999_999.999999999, 999_999.999999999, '999999.999999999'],
    [1_000_000, 1_000_000, '1000000'],
  ])('sets the price %j exactly', async (price, shown, stored) => {
    const priced = await as(own, 'PUT', `/api-keys/${consumer.id}/pricing`, { price_per_request: price });
    expect(priced).toMatchObject({
      status: 200,
      body: { id: consumer.id, service_id: Number(serviceId), price_per_request: shown },
    });
    const record = await as(own, 'GET', `/api-keys/${consumer.id}`);
    expect(record.body).toEqual(priced.body);
    expect(record.headers.get('etag')).toBe(priced.headers.get('etag'));
    const listed = (await as(own, 'GET', '/billing/api-keys')).body as { api_keys: unknown[] };
    expect(listed.api_keys).toContainEqual(
      expect.objectContaining({ key_id: consumer.id, price_per_request: shown }),
    );
    const records: string[] = [];
    for await (const key of stage.store.documents.scan('tenant:byApiKey:'))
      records.push((await stage.store.documents.get(key)) ?? '');
    expect(
      records.map((text) => (JSON.parse(text) as { pricePerRequest?: string }).pricePerRequest),
    ).toContain(stored);
  });

  it('sets a price in the version that If-Match names only', async () => {
    const path = `/api-keys/${consumer.id}/pricing?tenant_id=acme`;
    const set = (price: number, version: string): Promise<Answer> =>
      stage.call('PUT', path, { price_per_request: price }, { 'If-Match': version });
    const first = await stage.call('PUT', path, { price_per_request: 1 });
    const version = first.headers.get('etag') ?? '';
    expect((await set(2, version)).status).toBe(200);
    expect(refusal(await set(3, version))).toMatchObject({ status: 412, code: 'precondition_failed' });
    expect((await as(own, 'GET', `/api-keys/${consumer.id}`)).body).toMatchObject({ price_per_request: 2 });
  });

  describe('statements', () => {
    it('close a cycle and begin the next one with nothing', async () => {
      await use();
      const before = Date.now();
      const statement = await reset();
      expect(statement).toEqual({
        id: expect.stringMatching(/^[0-9a-z]+-000001$/) as string,
        tenantId: 'acme',
        cycle: 1,
        currency: 'USD',
        openedAt: '1970-01-01T00:00:00.000Z',
        closedAt: expect.any(String) as string,
        plans: [],
        lines: [
          { keyId: own.id, keyName: 'own', requests: 1500, unitPrice: '0.001', cost: '1.5' },
          {
            keyId: consumer.id,
            keyName: '=consumer, "inc"',
            serviceId,
            requests: 3,
            unitPrice: '0.05',
            cost: '0.15',
          },
        ],
        fees: [],
        total: '1.65',
        digest: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      });
      expect(Date.parse(statement.closedAt)).toBeGreaterThanOrEqual(before);
      expect((await as(own, 'GET', '/billing/summary')).body).toMatchObject({
        cycle: 2,
        opened_at: statement.closedAt,
        total_requests: 0,
        total_cost: 0,
      });
      expect((await as(foreign, 'GET', '/billing/summary')).body).toMatchObject({ cycle: 1 });
    });

    it('are listed page by page, oldest first, and shown as they were issued', async () => {
      const issued: Statement[] = [];
      for (let i = 1; i <= 5; i++) {
        await traffic(stage.store, 'acme', { keyId: own.id, count: i });
        issued.push(await reset());
        await reset(foreign);
      }
      const seen: unknown[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const { body } = await as(own, 'GET', `/billing/statements?limit=2${cursor && `&cursor=${cursor}`}`);
        const page = body as { statements: unknown[]; next_cursor: string | null };
        seen.push(...page.statements);
        cursor = page.next_cursor;
      }
      expect(seen).toEqual(issued.map(({ plans: _, lines: _lines, fees: _fees, ...head }) => head));
      for (const statement of issued)
        expect((await as(own, 'GET', `/billing/statements/${statement.id}`)).body).toEqual(statement);
    });

    it('come as CSV for whoever asks for it, formulas made harmless', async () => {
      const plan = { id: 'mixed', name: 'Mixed', currency: 'EUR', model: 'included', fee: '5', includedRequests: 0, overagePrice: '0.1' }; // prettier-ignore
      await stage.call('POST', '/admin/plans', plan);
      await stage.call('PATCH', '/admin/tenants/acme/billing', { planId: 'mixed' });
      await use();
      const { id } = await reset();
      const golden = [
        'statementId,tenantId,cycle,currency,item,keyId,keyName,serviceId,planId,requests,unitPrice,amount',
        `${id},acme,1,EUR,requests,${own.id},own,,,1500,0.001,1.5`,
        `${id},acme,1,EUR,requests,${consumer.id},"'=consumer, ""inc""",${serviceId},,3,0.05,0.15`,
        `${id},acme,1,EUR,fee,,,,mixed,,,5`,
        `${id},acme,1,EUR,total,,,,,,,6.65`,
        '',
      ].join('\r\n');
      const path = `/billing/statements/${id}`;
      const byAccept = await stage.call('GET', `${path}?tenant_id=acme`, undefined, { Accept: 'text/csv' });
      const byFormat = await as(own, 'GET', `${path}?format=csv`);
      const forOwner = await stage.call('GET', `/admin/tenants/acme${path}?format=csv`);
      for (const { status, text, headers } of [byAccept, byFormat, forOwner]) {
        expect({ status, text }).toEqual({ status: 200, text: golden });
        expect(headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
        expect(headers.get('content-disposition')).toBe(`attachment; filename="statement-${id}.csv"`);
        expect(headers.get('vary')).toMatch(/accept/i);
      }
      for (const accept of ['*/*', 'application/json', 'text/html', 'text/csv;q=0.1, application/json']) {
        const { headers } = await stage.call('GET', `${path}?tenant_id=acme`, undefined, { Accept: accept });
        expect([accept, headers.get('content-type')]).toEqual([accept, 'application/json; charset=utf-8']);
      }
      const overruled = await stage.call('GET', `${path}?tenant_id=acme&format=json`, undefined, {
        Accept: 'text/csv',
      });
      expect(overruled.body).toMatchObject({ id });
    });

    it('can be neither changed nor removed', async () => {
      const { id } = await reset();
      const text = await stage.store.documents.get(keys.statement('acme', id));
      for (const path of [`/billing/statements/${id}`, `/admin/tenants/acme/billing/statements/${id}`]) {
        for (const method of ['PUT', 'PATCH', 'DELETE', 'POST'])
          expect((await stage.call(method, path, {})).status).toBe(405);
      }
      expect(await stage.store.documents.get(keys.statement('acme', id))).toBe(text);
    });

    it('outlive their tenant for the owner, and are no business of whoever gets its id next', async () => {
      await use();
      const { id } = await reset();
      expect((await stage.call('DELETE', '/admin/tenants/acme')).status).toBe(204);
      const shown = (): Promise<Answer> => stage.call('GET', `/admin/tenants/acme/billing/statements/${id}`);
      const listed = (): Promise<Answer> => stage.call('GET', '/admin/tenants/acme/billing/statements');
      expect((await shown()).body).toMatchObject({ id, total: '1.65' });
      expect((await listed()).body).toMatchObject({ statements: [{ id }], nextCursor: null });
      expect(refusal(await stage.call('GET', '/billing/statements?tenant_id=acme')).code).toBe(
        'tenant_not_found',
      );

      // What the removal of a tenant does to its ledger and its terms.
      await stage.store.documents.delete(keys.tenantBilling('acme'), 'any');
      await stage.store.ledgers.drop('acme');
      await makeTenant(stage, 'acme');
      const successor = await makeKey(stage, 'acme', { name: 'successor' });
      expect((await as(successor, 'GET', '/billing/statements')).body).toEqual({
        statements: [],
        next_cursor: null,
      });
      expect(refusal(await as(successor, 'GET', `/billing/statements/${id}`)).code).toBe(
        'statement_not_found',
      );
      await traffic(stage.store, 'acme', { keyId: successor.id, count: 2 });
      const first = await reset(successor);
      expect(first).toMatchObject({ cycle: 1, total: '0.002' });
      expect(first.id).not.toBe(id);
      expect((await as(successor, 'GET', '/billing/statements')).body).toMatchObject({
        statements: [{ id: first.id }],
      });
      expect((await listed()).body).toMatchObject({ statements: [{ id }, { id: first.id }] });
      expect((await shown()).body).toMatchObject({ id, total: '1.65' });
    });
  });

  describe('access', () => {
    let statementId: string;
    beforeEach(async () => void (statementId = (await reset()).id));

    const pathOf = (path: string): string =>
      path.replace('{statement}', statementId).replace('{key}', consumer.id);

    it.each(OPERATIONS)(
      'lets the tenant and the owner call $method $path',
      async ({ method, path, body }) => {
        expect((await as(own, method, pathOf(path), body)).status).toBe(200);
        const asOwner = await stage.call(method, `${pathOf(path)}?tenant_id=acme`, body);
        expect(asOwner.status).toBe(200);
      },
    );

    it.each(OPERATIONS)(
      'refuses $method $path without a key, with a wrong one and to consumers',
      async (operation) => {
        const { method, path, body } = operation;
        const before = await stage.store.ledgers.openCycle('acme');
        const none = await callAs(stage, undefined)(method, pathOf(path), body);
        expect(refusal(none)).toMatchObject({ status: 401, code: 'missing_api_key' });
        const wrong = await callAs(stage, 'gh_live_wrong')(method, pathOf(path), body);
        expect(refusal(wrong)).toMatchObject({ status: 401, code: 'invalid_api_key' });
        const refused = await as(consumer, method, pathOf(path), body);
        expect(refusal(refused)).toMatchObject({ status: 403, code: 'key_not_allowed' });
        expect(await stage.store.ledgers.openCycle('acme')).toBe(before);
      },
    );

    it('lets a key with restrictions of its own look, and change neither prices nor cycles', async () => {
      const reader = await makeKey(stage, 'acme', { name: 'reader', monthlyQuota: 1000 });
      const before = await moneyOf(stage, 'acme');
      for (const { method, path, body } of OPERATIONS) {
        const answer = await as(reader, method, pathOf(path), body);
        if (method === 'GET') expect({ path, status: answer.status }).toEqual({ path, status: 200 });
        else expect(refusal(answer)).toMatchObject({ status: 403, code: 'key_not_allowed' });
      }
      expect(await moneyOf(stage, 'acme')).toEqual(before);
    });

    it.each(OPERATIONS)('answers 404 to $method $path for what another tenant has', async (operation) => {
      const { method, path, body } = operation;
      const nobody = await stage.call(method, `${pathOf(path)}?tenant_id=nobody`, body);
      expect(refusal(nobody)).toMatchObject({ status: 404, code: 'tenant_not_found' });
      if (!path.includes('{')) return;
      const code = path.includes('{key}') ? 'api_key_not_found' : 'statement_not_found';
      expect(refusal(await as(foreign, method, pathOf(path), body))).toMatchObject({ status: 404, code });
      for (const id of ['nope', '..%2Fx', `${statementId}0`, encodeURIComponent('ü'.repeat(100))]) {
        const unknown = path.replace(/\{\w+\}/, id);
        expect(refusal(await as(own, method, unknown, body))).toMatchObject({ status: 404, code });
      }
    });

    it('writes down who closed a cycle and who set a price', async () => {
      await as(own, 'PUT', `/api-keys/${own.id}/pricing`, { price_per_request: 1 });
      const seen = stage.lines().filter(({ category }) => category === 'admin');
      for (const action of ['billing_cycle.close', 'api_key.price'])
        expect(seen).toContainEqual(
          expect.objectContaining({ action, actor: `key:${own.id}`, tenantId: 'acme' }),
        );
    });
  });
});
