import { callAs, furnish } from './portal-calls';
import { describeStores, refusal, startStage, tenantDocument, type Answer, type Stage } from './stage';

const API = { name: 'Example API', target_url: 'http://example.test/get' };

describeStores('open registration', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start({ env: { OPEN_REGISTRATION: 'true' } });
  });
  afterEach(() => stage.close());

  const anonymous = (method: string, path: string, body?: unknown): Promise<Answer> =>
    callAs(stage, undefined)(method, path, body);
  const register = (body: unknown = API): Promise<Answer> => anonymous('POST', '/register-api', body);

  it('makes the tenant, a service and a key of it', async () => {
    const answer = await register();
    expect(answer).toMatchObject({ status: 201, body: { service_id: 1, gateway_url: '/proxy/1' } });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const { api_key: key, api_key_id: id } = answer.body as Record<string, string>;
    expect((await stage.call('GET', '/admin/tenants/default')).body).toMatchObject({
      name: 'Default',
      allowedRoutes: [],
    });
    expect((await stage.call('GET', '/admin/tenants/default/services/1')).body).toMatchObject({
      name: API.name,
      targets: [{ url: API.target_url }],
    });
    expect((await callAs(stage, key)('GET', '/me/api-key')).body).toMatchObject({
      id,
      service_id: 1,
      rate_limit_requests: 10,
      rate_limit_window_seconds: 60,
      price_per_request: 0.001,
    });
    expect(JSON.stringify(stage.lines())).not.toContain(key);
  });

  it('makes one tenant for 20 who come first at the same time, and nobody loses a service', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => register()));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    const ids = answers.map(({ body }) => (body as { service_id: number }).service_id);
    const listed = (await stage.call('GET', '/services')).body as { services: Array<{ id: number }> };
    expect(listed.services.map(({ id }) => id)).toEqual(ids.sort((a, b) => a - b));
    expect(new Set(ids).size).toBe(20);
    expect((await stage.call('GET', '/admin/tenants')).body).toMatchObject({ tenants: [{ id: 'default' }] });
  });

  it('shows the tenant’s key to one of 20 who ask first at the same time', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => anonymous('GET', '/me/api-key')));
    const shown = answers.filter(({ status }) => status === 200);
    expect(shown).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status !== 200) expect(refusal(answer)).toMatchObject({ status: 409, code: 'conflict' });
    }
    const { api_key: key, id } = shown[0]?.body as Record<string, string>;
    expect((await stage.call('GET', '/api-keys')).body).toMatchObject({
      api_keys: [{ id, service_id: null, rate_limit_requests: 10 }],
    });
    expect((await callAs(stage, key)('GET', '/me')).body).toEqual({
      tenant_id: 'default',
      name: 'Default',
      services: 0,
      api_keys: 1,
      role: 'reader',
    });
  });

  it('does not spend the only look at the key on a HEAD', async () => {
    expect((await anonymous('HEAD', '/me/api-key')).status).toBe(405);
    expect((await anonymous('GET', '/me/api-key')).body).toHaveProperty('api_key');
  });

  it('shows no second key when the first is revoked, but one when the tenant is made anew', async () => {
    const { id } = (await anonymous('GET', '/me/api-key')).body as { id: string };
    await stage.call('DELETE', `/api-keys/${id}`);
    expect((await anonymous('GET', '/me/api-key')).status).toBe(409);
    await stage.call('DELETE', '/admin/tenants/default');
    expect((await anonymous('GET', '/me/api-key')).status).toBe(200);
    expect((await anonymous('GET', '/me/api-key')).status).toBe(409);
  });

  it('gives nobody a key to a tenant that the owner has set up', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('default'));
    expect(refusal(await anonymous('GET', '/me/api-key'))).toMatchObject({ status: 409, code: 'conflict' });
    expect((await stage.call('GET', '/api-keys')).body).toMatchObject({ api_keys: [] });
    await stage.call('POST', '/admin/tenants/default/suspend');
    expect(refusal(await register())).toMatchObject({ status: 403, code: 'tenant_suspended' });
  });

  it.each([
    ['GET', '/me'],
    ['GET', '/services'],
    ['GET', '/services/1'],
    ['PATCH', '/services/1'],
    ['DELETE', '/services/1'],
    ['GET', '/api-keys'],
    ['POST', '/api-keys'],
  ])('opens nothing else: %s %s', async (method, path) => {
    await register();
    expect(refusal(await anonymous(method, path))).toMatchObject({ status: 401, code: 'missing_api_key' });
  });

  it('is not for those who come with a wrong credential', async () => {
    const wrong: Array<Record<string, string>> = [
      { 'X-API-Key': 'wrong' },
      { 'X-API-Key': '' },
      { 'X-Admin-Token': 'wrong' },
      { 'X-Admin-Token': '' },
    ];
    for (const headers of wrong) {
      for (const [method, path, body] of [
        ['POST', '/register-api', API],
        ['GET', '/me/api-key', undefined],
      ] as const) {
        const answer = await callAs(stage, undefined)(method, path, body, headers);
        expect([headers, refusal(answer).status]).toEqual([headers, 401]);
      }
    }
    expect((await stage.call('GET', '/admin/tenants')).body).toMatchObject({ tenants: [] });
  });

  it.each([
    [{}, ['name', 'target_url']],
    [{ ...API, target_url: undefined }, ['target_url']],
    [{ ...API, target_url: 'ftp://x.test' }, ['target_url']],
    [{ ...API, target_url: 'http://169.254.169.254/' }, ['target_url']],
    [{ ...API, target_url: 7 }, ['target_url']],
    [{ ...API, targets: [{ url: 'http://a.test' }] }, ['targets']],
    [{ name: 'x', targets: [{ url: 'http://a.test' }, { url: '' }] }, ['targets.1.url']],
    [{ ...API, tenant_id: 'acme' }, ['tenant_id']],
  ])('refuses %j and names what is wrong with it', async (body, fields) => {
    const answer = refusal(await register(body));
    expect({ ...answer, fields: answer.fields.sort() }).toEqual({
      status: 400,
      code: 'validation_failed',
      fields,
    });
  });

  it('does not read more than a registration can be', async () => {
    const fields = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`field-${i}`, 1]));
    expect(refusal(await register({ ...API, ...fields }))).toMatchObject({
      status: 413,
      code: 'body_too_large',
    });
    const owners = await stage.call('POST', '/register-api', { ...API, name: 'x'.repeat(100_000) });
    expect(refusal(owners)).toEqual({ status: 400, code: 'validation_failed', fields: ['name'] });
  });

  it('takes several targets with weights', async () => {
    const targets = [{ url: 'http://a.test', weight: 3 }, { url: 'http://b.test' }];
    expect((await register({ name: 'two', targets })).status).toBe(201);
    expect((await stage.call('GET', '/services/1')).body).toMatchObject({
      target_url: 'http://a.test',
      targets: [targets[0], { url: 'http://b.test', weight: 1 }],
    });
  });
});

describe('registration with a credential', () => {
  let stage: Stage;
  beforeAll(async () => void (stage = await startStage()));
  afterAll(() => stage.close());

  it('is for the tenant of the key, or the one that the owner names', async () => {
    const acme = await furnish(stage, 'acme');
    const mine = await callAs(stage, acme.manager.key)('POST', '/register-api', API);
    expect(mine.status).toBe(201);
    const owners = await stage.call('POST', '/register-api?tenant_id=acme', API);
    expect(owners.status).toBe(201);
    for (const { body } of [mine, owners]) {
      const { service_id: id } = body as { service_id: number };
      expect((await stage.call('GET', `${acme.admin}/services/${id}`)).status).toBe(200);
    }
    const elsewhere = await callAs(stage, acme.manager.key)('POST', '/register-api?tenant_id=other', API);
    expect(elsewhere.status).toBe(201);
    expect((await stage.call('GET', `${acme.admin}/services`)).body).toMatchObject({
      services: { length: 4 },
    });
    const consumer = await callAs(stage, acme.consumer.key)('POST', '/register-api', API);
    expect(refusal(consumer)).toMatchObject({ status: 403, code: 'key_not_allowed' });
  });

  it('says that there is no such tenant', async () => {
    const unknown = await stage.call('POST', '/register-api?tenant_id=nobody', API);
    expect(refusal(unknown)).toMatchObject({ status: 404, code: 'tenant_not_found' });
    const none = await stage.call('POST', '/register-api?tenant_id=a:b', API);
    expect(refusal(none)).toEqual({ status: 400, code: 'validation_failed', fields: ['tenant_id'] });
  });

  it('is the only one while OPEN_REGISTRATION is not set', async () => {
    for (const [method, path] of [
      ['POST', '/register-api'],
      ['GET', '/me/api-key'],
    ] as const) {
      const answer = await callAs(stage, undefined)(method, path, method === 'POST' ? API : undefined);
      expect(refusal(answer)).toMatchObject({ status: 401, code: 'missing_api_key' });
    }
    expect((await stage.call('GET', '/admin/tenants/default')).status).toBe(404);
  });
});
