import { keys } from '#libs/store';
import { describeStores, refusal, tenantDocument, type Answer, type Stage } from './stage';

const SERVICE = { name: 'Weather', targets: [{ url: 'http://weather.test/v1' }] };

const BAD_FIELDS: Array<[fields: Record<string, unknown>, ...problems: string[]]> = [
  [{ name: undefined }, 'name'],
  [{ name: 'x'.repeat(201) }, 'name'],
  [{ targets: undefined }, 'targets'],
  [{ targets: [] }, 'targets'],
  [{ targets: ['http://a.test'] }, 'targets.0'],
  [{ targets: [{}] }, 'targets.0.url'],
  [{ targets: [{ url: 'ftp://a.test' }] }, 'targets.0.url'],
  [{ targets: [{ url: 'http://u:p@a.test' }] }, 'targets.0.url'],
  [{ targets: [{ url: 'http://a.test?x=1' }] }, 'targets.0.url'],
  [{ targets: [{ url: 'http://169.254.169.254/latest' }] }, 'targets.0.url'],
  [{ targets: [{ url: 'http://a.test' }, { url: 'http://b.test', weight: 0 }] }, 'targets.1.weight'],
  [{ targets: [{ url: 'http://a.test', zone: 'x' }] }, 'targets.0.zone'],
  [{ rateLimit: { windowSeconds: 1, maxRequests: 0 } }, 'rateLimit.maxRequests'],
  [{ timeouts: { connectMs: -1 } }, 'timeouts.connectMs'],
  [{ retries: { attempts: '3' } }, 'retries.attempts'],
  [{ retries: { exhaustedStatus: 502 } }, 'retries.exhaustedStatus'],
  [{ retries: { forever: true } }, 'retries.forever'],
  [{ auth: { jwt: true } }, 'auth.jwt'],
  [{ tenantId: 'other' }, 'tenantId'],
  [{ id: '7' }, 'id'],
];

describeStores('services', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start();
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
  });
  afterEach(() => stage.close());

  const SERVICES = '/admin/tenants/acme/services';
  const create = async (more: object = {}, tenant = 'acme'): Promise<Answer> => {
    const answer = await stage.call('POST', `/admin/tenants/${tenant}/services`, { ...SERVICE, ...more });
    expect(answer.status).toBe(201);
    return answer;
  };

  it('registers one under the next number, whoever has the ones before', async () => {
    expect((await create({}, 'other')).body).toMatchObject({ id: '1', tenantId: 'other' });
    const { body, headers } = await create({ rateLimit: { windowSeconds: 1, maxRequests: 5 } });
    expect(headers.get('location')).toBe(`${SERVICES}/2`);
    expect(body).toEqual({
      ...SERVICE,
      id: '2',
      tenantId: 'acme',
      createdAt: expect.any(String) as string,
      rateLimit: { windowSeconds: 1, maxRequests: 5 },
      auth: { jwt: false },
    });
    const found = await stage.call('GET', `${SERVICES}/2`);
    expect(found).toMatchObject({ status: 200, body: body as object });
    expect(found.headers.get('etag')).toBe(headers.get('etag'));
  });

  it('refuses what is none, and stores nothing', async () => {
    for (const [fields, ...problems] of BAD_FIELDS) {
      const answer = refusal(await stage.call('POST', SERVICES, { ...SERVICE, ...fields }));
      expect([fields, answer]).toEqual([
        fields,
        { status: 400, code: 'validation_failed', fields: problems },
      ]);
    }
    expect((await stage.call('GET', SERVICES)).body).toEqual({ services: [], nextCursor: null, total: 0 });
  });

  it('lists those of one tenant by number, page by page', async () => {
    for (let i = 0; i < 11; i++) {
      await create({ name: `s${i}` });
      await create({}, 'other');
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await stage.call('GET', `${SERVICES}?limit=3${cursor && `&cursor=${cursor}`}`);
      const { services, nextCursor } = page.body as {
        services: Array<{ id: string }>;
        nextCursor: string | null;
      };
      seen.push(...services.map(({ id }) => id));
      cursor = nextCursor;
    }
    expect(seen).toEqual(Array.from({ length: 11 }, (_, i) => String(2 * i + 1)));
  });

  it('changes parts, and only the version that was meant', async () => {
    const { headers } = await create({ timeouts: { connectMs: 5, totalMs: 9 } });
    const version = { 'If-Match': headers.get('etag') ?? '' };
    const changed = await stage.call(
      'PATCH',
      `${SERVICES}/1`,
      {
        targets: [{ url: 'http://a.test', weight: 3 }, { url: 'http://b.test' }],
        timeouts: { connectMs: null },
      },
      version,
    );
    expect(changed).toMatchObject({
      status: 200,
      body: { name: 'Weather', targets: [{ weight: 3 }, { url: 'http://b.test' }], timeouts: { totalMs: 9 } },
    });
    for (const [method, body] of [
      ['PATCH', { name: 'late' }],
      ['DELETE', undefined],
    ] as const) {
      const late = await stage.call(method, `${SERVICES}/1`, body, version);
      expect(refusal(late)).toMatchObject({ status: 412, code: 'precondition_failed' });
    }
    const bad = await stage.call('PATCH', `${SERVICES}/1`, { name: null, targets: [{ url: 'x' }] });
    expect(refusal(bad)).toEqual({
      status: 400,
      code: 'validation_failed',
      fields: ['name', 'targets.0.url'],
    });
    expect((await stage.call('GET', `${SERVICES}/1`)).body).toEqual(changed.body);
  });

  it('has a retry policy that can be changed in parts and taken away', async () => {
    const retries = { attempts: 3, backoffMs: 1000, maxBackoffMs: 4000, jitter: false, exhaustedStatus: 503 };
    expect((await create({ retries })).body).toMatchObject({ retries });
    const parts = { retries: { jitter: null, attempts: 1, statuses: [503] } };
    const changed = await stage.call('PATCH', `${SERVICES}/1`, parts);
    const { jitter: _, ...rest } = retries;
    expect((changed.body as { retries: object }).retries).toEqual({ ...rest, attempts: 1, statuses: [503] });
    const bad = await stage.call('PATCH', `${SERVICES}/1`, { retries: { maxBackoffMs: 1 } });
    expect(refusal(bad)).toMatchObject({ status: 400, fields: ['retries.maxBackoffMs'] });
    expect((await stage.call('PATCH', `${SERVICES}/1`, { retries: null })).body).not.toHaveProperty(
      'retries',
    );

    const tenant = '/admin/tenants/acme';
    expect((await stage.call('PATCH', tenant, { retries })).body).toMatchObject({ retries });
    expect((await stage.call('PATCH', tenant, { retries: null })).body).not.toHaveProperty('retries');
  });

  it('goes with the keys that open nothing else, and its number is never given out again', async () => {
    await create();
    const key = await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k', serviceId: '1' });
    const other = await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'tenant' });
    expect(await stage.call('DELETE', `${SERVICES}/1`)).toMatchObject({ status: 204, text: '' });
    expect(await stage.store.documents.get(keys.service('1'))).toBeUndefined();
    const id = (answer: Answer): string => (answer.body as { id: string }).id;
    expect((await stage.call('GET', `/admin/tenants/acme/api-keys/${id(key)}`)).status).toBe(404);
    expect((await stage.call('GET', `/admin/tenants/acme/api-keys/${id(other)}`)).status).toBe(200);
    expect((await create()).body).toMatchObject({ id: '2' });
  });

  it('goes with its tenant', async () => {
    await create();
    await stage.call('DELETE', '/admin/tenants/acme');
    expect(await stage.store.documents.get(keys.service('1'))).toBeUndefined();
    expect(refusal(await stage.call('GET', SERVICES))).toMatchObject({
      status: 404,
      code: 'tenant_not_found',
    });
  });

  it('is found by its own tenant only', async () => {
    await create();
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { name: 'theirs' }],
      ['DELETE', undefined],
    ] as const) {
      for (const [path, code] of [
        ['/admin/tenants/other/services/1', 'service_not_found'],
        ['/admin/tenants/nobody/services/1', 'tenant_not_found'],
        [`${SERVICES}/2`, 'service_not_found'],
        [`${SERVICES}/01`, 'service_not_found'],
        [`${SERVICES}/byApiKey:x`, 'service_not_found'],
      ] as const) {
        expect(refusal(await stage.call(method, path, body))).toMatchObject({ status: 404, code });
      }
      const stranger = await stage.call(method, `${SERVICES}/1`, body, { 'X-Admin-Token': 'wrong' });
      expect(refusal(stranger)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
    }
    expect((await stage.call('GET', `${SERVICES}/1`)).body).toMatchObject({ name: 'Weather' });
    expect(refusal(await stage.call('POST', '/admin/tenants/nobody/services', SERVICE))).toMatchObject({
      status: 404,
    });
  });
});
