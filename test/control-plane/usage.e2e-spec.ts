import { makeKey, makeService, makeTenant, traffic, type MadeKey, type Requests } from './billed-tenant';
import { callAs } from './portal-calls';
import { describeStores, refusal, type Answer, type Stage } from './stage';

const DAY = '2026-03-10';
const NEXT = '2026-03-11';
const RANGE = `from=${DAY}&to=2026-03-12`;

describeStores('usage', (start) => {
  let stage: Stage;
  let services: [string, string];
  /** Of the tenant, of consumers of its first and second service, and of another tenant. */
  let own: MadeKey;
  let consumer: MadeKey;
  let second: MadeKey;
  let foreign: MadeKey;
  beforeEach(async () => {
    stage = await start();
    for (const id of ['acme', 'other']) await makeTenant(stage, id);
    services = [await makeService(stage, 'acme', 'first'), await makeService(stage, 'acme', 'second')];
    own = await makeKey(stage, 'acme', { name: 'own' });
    consumer = await makeKey(stage, 'acme', { name: 'consumer', serviceId: services[0] });
    second = await makeKey(stage, 'acme', { name: 'second', serviceId: services[1] });
    foreign = await makeKey(stage, 'other', { name: 'foreign' });
  });
  afterEach(() => stage.close());

  const as = (key: MadeKey, path: string): Promise<Answer> => callAs(stage, key.apiKey)('GET', path);
  const use = (...all: Requests[]): Promise<void> => traffic(stage.store, 'acme', ...all);
  const usual = (): Promise<void> => {
    const [first, other] = services;
    return use(
      { keyId: own.id, serviceId: first, count: 5, at: `${DAY}T00:59:59Z` },
      { keyId: own.id, serviceId: first, count: 7, status: 301, at: `${DAY}T01:00:00Z` },
      { keyId: own.id, serviceId: first, count: 100, status: 404, at: `${DAY}T01:00:00Z` },
      { keyId: consumer.id, serviceId: first, count: 3, at: `${DAY}T23:00:00Z` },
      { keyId: consumer.id, serviceId: first, count: 1, status: 502, at: `${NEXT}T00:00:00Z` },
      { keyId: consumer.id, serviceId: first, count: 2, at: `${NEXT}T00:00:00Z` },
      { keyId: second.id, serviceId: other, count: 11, at: `${NEXT}T12:00:00Z` },
      { keyId: own.id, route: '/v1|x', count: 20, at: `${NEXT}T12:00:00Z` },
    );
  };
  /** Rows without what they are told apart by. */
  const rowsOf = ({ body }: Answer): unknown => (body as { rows: unknown }).rows;

  describe('of a service', () => {
    it('is what succeeded, in all and by key, as documented, without showing a key', async () => {
      await usual();
      await use({ keyId: 'sha256-0123456789ab', serviceId: services[0] });
      const { status, body, text } = await as(own, `/usage/${services[0]}`);
      expect({ status, body }).toEqual({
        status: 200,
        body: {
          service_id: Number(services[0]),
          total_requests: 18,
          by_api_key: [
            { api_key_id: own.id, name: 'own', prefix: own.apiKey.slice(0, 12), requests: 12 },
            { api_key_id: consumer.id, name: 'consumer', prefix: consumer.apiKey.slice(0, 12), requests: 5 },
            { api_key_id: 'sha256-0123456789ab', name: null, prefix: null, requests: 1 },
          ],
        },
      });
      for (const { apiKey } of [own, consumer]) expect(text).not.toContain(apiKey);
      const asOwner = await stage.call('GET', `/usage/${services[0]}?tenant_id=acme`);
      expect(asOwner.body).toEqual(body);
    });

    it('is nothing before the first request', async () => {
      expect((await as(own, `/usage/${services[0]}`)).body).toEqual({
        service_id: Number(services[0]),
        total_requests: 0,
        by_api_key: [],
      });
      expect((await as(own, `/usage/${services[0]}?group_by=key`)).body).toMatchObject({
        total_requests: 0,
        rows: [],
      });
    });

    it('shows consumers the total and their own requests only, of their own service only', async () => {
      await usual();
      const mine = {
        api_key_id: consumer.id,
        name: 'consumer',
        prefix: consumer.apiKey.slice(0, 12),
        requests: 5,
      };
      const all = await as(consumer, `/usage/${services[0]}`);
      expect(all.body).toEqual({ service_id: Number(services[0]), total_requests: 17, by_api_key: [mine] });
      const ranged = await as(consumer, `/usage/${services[0]}?${RANGE}&group_by=key,status`);
      expect(ranged.body).toEqual({
        service_id: Number(services[0]),
        total_requests: 17,
        from: `${DAY}T00:00:00.000Z`,
        to: '2026-03-12T00:00:00.000Z',
        rows: [
          { api_key_id: consumer.id, status: '2xx', requests: 5, bytes_in: 50, bytes_out: 500, billed: 5 },
          { api_key_id: consumer.id, status: '5xx', requests: 1, bytes_in: 10, bytes_out: 100, billed: 0 },
        ],
      });
      for (const path of [`/usage/${services[1]}`, `/usage/${services[1]}?group_by=key`])
        expect(refusal(await as(consumer, path))).toMatchObject({ status: 404, code: 'service_not_found' });
      expect(refusal(await as(consumer, '/usage'))).toMatchObject({ status: 403, code: 'key_not_allowed' });
    });

    it.each(['', '?group_by=day'])(
      'answers 404 for services of others and such as there are not (%s)',
      async (query) => {
        for (const id of [
          '99',
          '0',
          '01',
          'x',
          '1%2F2',
          `${services[0]}%00`,
          encodeURIComponent('ü'.repeat(99)),
        ])
          expect(refusal(await as(own, `/usage/${id}${query}`))).toMatchObject({
            status: 404,
            code: 'service_not_found',
          });
        const answer = await as(foreign, `/usage/${services[0]}${query}`);
        expect(refusal(answer)).toMatchObject({ status: 404, code: 'service_not_found' });
        const tenant = query === '' ? '?tenant_id=other' : `${query}&tenant_id=other`;
        const asOwner = await stage.call('GET', `/usage/${services[0]}${tenant}`);
        expect(refusal(asOwner)).toMatchObject({ status: 404, code: 'service_not_found' });
      },
    );
  });

  describe('of a range', () => {
    beforeEach(usual);
    const row = (requests: number, billed: number, group: object): object => ({
      ...group,
      requests,
      bytes_in: 10 * requests,
      bytes_out: 100 * requests,
      billed,
    });

    it.each([
      ['', [[115, 15, { day: DAY }], [3, 2, { day: NEXT }]]],
      ['&group_by=day', [[115, 15, { day: DAY }], [3, 2, { day: NEXT }]]],
      ['&group_by=hour', [
        [5, 5, { hour: `${DAY}T00:00:00Z` }], [107, 7, { hour: `${DAY}T01:00:00Z` }],
        [3, 3, { hour: `${DAY}T23:00:00Z` }], [3, 2, { hour: `${NEXT}T00:00:00Z` }],
      ]],
      ['&group_by=status', [[10, 10, { status: '2xx' }], [7, 7, { status: '3xx' }], [100, 0, { status: '4xx' }], [1, 0, { status: '5xx' }]]],
      ['&group_by=route', [[118, 17, { route: '' }]]],
    ] as Array<[string, Array<[number, number, object]>]>)('adds up a service by what is asked for: %s', async (groups, rows) => {
      const { body } = await as(own, `/usage/${services[0]}?${RANGE}${groups}`);
      expect(body).toMatchObject({ total_requests: 17, rows: rows.map(([n, billed, group]) => row(n, billed, group)) });
    }); // prettier-ignore

    it('tells apart by several things, in the order in which they are named', async () => {
      const { body } = await as(own, `/usage/${services[0]}?${RANGE}&group_by=key,day`);
      expect((body as { rows: unknown[] }).rows).toEqual([
        row(112, 12, { api_key_id: own.id, day: DAY }),
        row(3, 3, { api_key_id: consumer.id, day: DAY }),
        row(3, 2, { api_key_id: consumer.id, day: NEXT }),
      ]);
    });

    it.each([
      [`from=${DAY}&to=${NEXT}`, 15, 115],
      [`from=${DAY}T01:00:00Z&to=${DAY}T02:00:00Z`, 7, 107],
      [`from=${DAY}T01:59:59Z&to=${DAY}T01:59:59.5Z`, 7, 107],
      [`from=${DAY}T00:30:00Z&to=${DAY}T01:00:00Z`, 5, 5],
      [`from=${DAY}T03:00:00%2B02:00&to=${DAY}T04:00:00%2B02:00`, 7, 107],
      [`from=${NEXT}&to=2026-12-31`, 2, 3],
      [`to=${NEXT}`, 15, 115],
      ['from=2026-03-12&to=2026-04-01', 0, 0],
    ])('counts the hours of %s', async (range, total, requests) => {
      const { body } = await as(own, `/usage/${services[0]}?${range}&group_by=route`);
      expect(body).toMatchObject({ total_requests: total, rows: requests > 0 ? [{ requests }] : [] });
    });

    it('covers all services and the tenant’s own routes', async () => {
      const all = await as(own, `/usage?${RANGE}&group_by=service`);
      expect(all.body).toEqual({
        tenant_id: 'acme',
        total_requests: 48,
        from: `${DAY}T00:00:00.000Z`,
        to: '2026-03-12T00:00:00.000Z',
        rows: [
          row(20, 20, { service_id: null }),
          row(118, 17, { service_id: Number(services[0]) }),
          row(11, 11, { service_id: Number(services[1]) }),
        ],
      });
      expect(rowsOf(await as(own, `/usage?${RANGE}&group_by=route`))).toEqual([
        row(129, 28, { route: '' }),
        row(20, 20, { route: '/v1|x' }),
      ]);
      const owner = await stage.call('GET', `/admin/tenants/acme/usage?${RANGE}&groupBy=service,key`);
      expect(owner.body).toMatchObject({
        tenantId: 'acme',
        counters: { requests: 149 },
        totalRequests: 48,
        rows: [
          { serviceId: null, keyId: own.id, requests: 20, bytesIn: 200, bytesOut: 2000, billed: 20 },
          { serviceId: services[0], keyId: own.id, requests: 112 },
          { serviceId: services[0], keyId: consumer.id, requests: 6 },
          { serviceId: services[1], keyId: second.id, requests: 11 },
        ],
      });
    });

    it('is refused where it would make too many rows', async () => {
      for (let i = 0; i < 10_001; i += 1000) {
        const routes = Array.from({ length: Math.min(1000, 10_001 - i) }, (_, n) => `/${i + n}`);
        await use(...routes.map((route) => ({ keyId: own.id, route, at: `${DAY}T12:00:00Z` })));
      }
      const answer = await as(own, `/usage?${RANGE}&group_by=route`);
      expect(refusal(answer)).toEqual({ status: 400, code: 'validation_failed', fields: ['from'] });
      expect(rowsOf(await as(own, `/usage?${RANGE}&group_by=day`))).toMatchObject([
        { day: DAY, requests: 10_116 },
        {},
      ]);
    });
  });

  it('over all services is what succeeded, service by service', async () => {
    await usual();
    expect((await as(own, '/usage')).body).toEqual({
      tenant_id: 'acme',
      total_requests: 28,
      by_service: [
        { service_id: Number(services[0]), requests: 17 },
        { service_id: Number(services[1]), requests: 11 },
      ],
    });
    expect((await as(foreign, '/usage')).body).toEqual({
      tenant_id: 'other',
      total_requests: 0,
      by_service: [],
    });
  });

  it('of a tenant is shown to the owner in the documented form', async () => {
    const shown = async (): Promise<unknown> => (await stage.call('GET', '/admin/tenants/acme/usage')).body;
    expect(await shown()).toEqual({ tenantId: 'acme', counters: { requests: 0 } });
    await usual();
    expect(await shown()).toEqual({ tenantId: 'acme', counters: { requests: 149 } });
  });

  it('of many services is read only as far back as that is bearable', async () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ keyId: own.id, serviceId: String(1000 + i) }));
    await use(...many);
    const answer = await as(own, '/usage?from=2026-01-01&to=2026-12-31');
    expect(refusal(answer)).toEqual({ status: 400, code: 'validation_failed', fields: ['from'] });
    expect((await as(own, '/usage?from=2026-10-01&to=2026-12-31')).status).toBe(200);
  });

  describe('access', () => {
    it.each(['/usage', '/usage/1'])('refuses GET %s without a key and with a wrong one', async (path) => {
      expect(refusal(await callAs(stage, undefined)('GET', path))).toMatchObject({
        status: 401,
        code: 'missing_api_key',
      });
      expect(refusal(await callAs(stage, 'gh_live_x')('GET', path))).toMatchObject({
        status: 401,
        code: 'invalid_api_key',
      });
      const wrong = await stage.call('GET', path, undefined, {
        'X-Admin-Token': 'x',
        'X-API-Key': own.apiKey,
      });
      expect(refusal(wrong)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
    });

    it('is the owner’s alone under /admin, and of tenants that there are', async () => {
      const asTenant = await stage.call('GET', '/admin/tenants/acme/usage', undefined, {
        'X-Admin-Token': '',
        'X-API-Key': own.apiKey,
      });
      expect(refusal(asTenant)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
      for (const path of [
        '/admin/tenants/nobody/usage',
        '/usage?tenant_id=nobody',
        '/usage/1?tenant_id=nobody',
      ])
        expect(refusal(await stage.call('GET', path))).toMatchObject({
          status: 404,
          code: 'tenant_not_found',
        });
    });
  });
});
