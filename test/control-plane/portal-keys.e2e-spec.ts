import { hashApiKey } from '#libs/tenants';
import { callAs, furnish, type Furnished, type PortalKey } from './portal-calls';
import { describeStores, refusal, startStage, type Answer, type Stage } from './stage';

const TERMS = {
  rate_limit_requests: 7,
  rate_limit_window_seconds: 30,
  price_per_request: 0.25,
  expires_at: '2099-01-31T00:00:00.000Z',
  monthly_quota: 100,
  allowed_routes: ['/v1'],
  allowed_methods: ['GET'],
  allowed_ips: ['10.0.0.0/8'],
  labels: { customer: '42' },
};

describeStores('the portal', (start) => {
  let stage: Stage;
  let acme: Furnished;
  let other: Furnished;
  beforeAll(async () => {
    stage = await start();
    acme = await furnish(stage, 'acme');
    other = await furnish(stage, 'other');
  });
  afterAll(() => stage.close());

  const mine = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
    callAs(stage, acme.manager.key)(method, path, body, headers);
  const made = async (fields: object = {}): Promise<{ id: string; api_key: string }> => {
    const answer = await mine('POST', '/api-keys', { name: 'customer', ...fields });
    expect(answer.status).toBe(201);
    return answer.body as { id: string; api_key: string };
  };

  it('makes a key with the documented names, and shows it once', async () => {
    const service_id = Number(acme.serviceId);
    const answer = await mine('POST', '/api-keys', { name: 'customer', service_id, ...TERMS });
    const { api_key: key, ...view } = answer.body as Record<string, unknown>;
    expect(answer).toMatchObject({ status: 201, body: { ...TERMS, service_id, active: true } });
    expect((await mine('GET', `/api-keys/${String(view.id)}`)).body).toEqual(view);
    const listed = await mine('GET', `/api-keys?service_id=${service_id}`);
    expect((listed.body as { api_keys: object[] }).api_keys).toContainEqual(view);
    expect(listed.text).not.toContain(key);
  });

  it('completes half a limit, by the documented one or by the stored one', async () => {
    const { id } = await made({ rate_limit_requests: 7 });
    const change = async (body: object): Promise<unknown> => {
      const { rate_limit_requests: requests, rate_limit_window_seconds: seconds } = (
        await mine('PATCH', `/api-keys/${id}`, body)
      ).body as Record<string, unknown>;
      return [requests, seconds];
    };
    expect(await change({})).toEqual([7, 60]);
    expect(await change({ rate_limit_window_seconds: 5 })).toEqual([7, 5]);
    expect(await change({ rate_limit_requests: 9 })).toEqual([9, 5]);
    expect(await change({ rate_limit_requests: null })).toEqual([null, null]);
  });

  it.each([
    [{ name: '' }, 'name'],
    [{ rate_limit_requests: 0 }, 'rate_limit_requests'],
    [{ rate_limit_window_seconds: 0.5 }, 'rate_limit_window_seconds'],
    [{ price_per_request: -1 }, 'price_per_request'],
    [{ price_per_request: 'free' }, 'price_per_request'],
    [{ expires_at: 'tomorrow' }, 'expires_at'],
    [{ monthly_quota: 0 }, 'monthly_quota'],
    [{ allowed_routes: ['x'] }, 'allowed_routes.0'],
    [{ allowed_methods: ['get'] }, 'allowed_methods'],
    [{ allowed_ips: ['1.2.3'] }, 'allowed_ips.0'],
    [{ labels: [] }, 'labels'],
    [{ rateLimit: null }, 'rateLimit'],
    [{ tenant_id: 'other' }, 'tenant_id'],
  ])('refuses %j by its documented name, in a new key and in a change', async (fields, field) => {
    const { id } = await made();
    for (const [method, path] of [
      ['POST', '/api-keys'],
      ['PATCH', `/api-keys/${id}`],
    ] as const) {
      const answer = refusal(await mine(method, path, { name: 'x', ...fields }));
      expect(answer).toEqual({ status: 400, code: 'validation_failed', fields: [field] });
    }
  });

  it('changes, rotates and revokes', async () => {
    const { id } = await made();
    const version = (await mine('GET', `/api-keys/${id}`)).headers.get('etag') ?? '';
    const changed = await mine('PATCH', `/api-keys/${id}`, { enabled: false }, { 'If-Match': version });
    expect(changed).toMatchObject({ status: 200, body: { enabled: false, active: false } });
    const late = await mine('PATCH', `/api-keys/${id}`, { enabled: true }, { 'If-Match': version });
    expect(refusal(late).status).toBe(412);
    const rotated = await mine('POST', `/api-keys/${id}/rotate`, { grace_seconds: 60 });
    expect(rotated).toMatchObject({ status: 201, body: { replaces: id, enabled: false } });
    const bad = await mine('POST', `/api-keys/${id}/rotate`, { grace_seconds: -1 });
    expect(refusal(bad).fields).toEqual(['grace_seconds']);
    expect((await mine('DELETE', `/api-keys/${id}`)).status).toBe(204);
    expect(refusal(await mine('GET', `/api-keys/${id}`))).toMatchObject({ status: 404 });
    const waited = await mine('DELETE', `/api-keys/${(rotated.body as PortalKey).id}?wait=true`);
    expect(waited).toMatchObject({ status: 200, body: { revoked: true, missing: [] } });
  });

  it('changes and removes services', async () => {
    const { service_id: id } = (
      await mine('POST', '/register-api', { name: 'mine', target_url: 'http://a.test' })
    ).body as { service_id: number };
    const path = `/services/${id}`;
    expect((await mine('GET', '/services')).body).toMatchObject({
      services: [{ id: Number(acme.serviceId) }, { id, gateway_url: `/proxy/${id}` }],
      next_cursor: null,
    });
    const changed = await mine('PATCH', path, { target_url: 'http://b.test' });
    expect(changed).toMatchObject({ status: 200, body: { name: 'mine', target_url: 'http://b.test' } });
    expect((await mine('GET', path)).body).toEqual(changed.body);
    expect(refusal(await mine('PATCH', path, { target_url: 'b' })).fields).toEqual(['target_url']);
    expect(refusal(await mine('PATCH', path, { name: 'x' }, { 'If-Match': '"old"' })).status).toBe(412);
    expect((await mine('DELETE', path)).status).toBe(204);
    expect(refusal(await mine('GET', path))).toMatchObject({ status: 404, code: 'service_not_found' });
  });

  it('finds nothing of another tenant', async () => {
    const { id } = other.consumer;
    const hash = hashApiKey(other.manager.key);
    const attempts: Array<[method: string, path: string, body?: object]> = [
      ...[id, hash].flatMap((key): typeof attempts => [
        ['GET', `/api-keys/${key}`],
        ['PATCH', `/api-keys/${key}`, { enabled: false }],
        ['POST', `/api-keys/${key}/rotate`, {}],
        ['DELETE', `/api-keys/${key}`],
        ['GET', `/api-keys/${key}?tenant_id=other`],
      ]),
      ['POST', '/api-keys', { name: 'x', service_id: Number(other.serviceId) }],
      ['GET', `/services/${other.serviceId}`],
      ['PATCH', `/services/${other.serviceId}`, { name: 'x' }],
      ['DELETE', `/services/${other.serviceId}`],
      ['GET', `/services/${other.serviceId}?tenant_id=other`],
    ];
    for (const [method, path, body] of attempts) {
      expect([method, path, refusal(await mine(method, path, body)).status]).toEqual([method, path, 404]);
    }
    expect(JSON.stringify((await mine('GET', '/api-keys?tenant_id=other')).body)).not.toContain(id);
    const untouched = (await callAs(stage, other.consumer.key)('GET', '/me/api-key')).body;
    expect(untouched).toMatchObject({ id, name: 'made', active: true });
  });

  it('tells everybody who they are', async () => {
    const me = async (key: string): Promise<Answer> => callAs(stage, key)('GET', '/me');
    expect((await me(other.manager.key)).body).toEqual({
      tenant_id: 'other',
      name: 'Tenant other',
      services: 1,
      api_keys: 2,
      role: 'tenant',
    });
    expect((await me(other.consumer.key)).body).toMatchObject({ services: 1, api_keys: 1, role: 'consumer' });
    const owner = await stage.call('GET', '/me?tenant_id=other');
    expect(owner.body).toMatchObject({ tenant_id: 'other', api_keys: 2, role: 'owner' });
    expect(refusal(await stage.call('GET', '/me?tenant_id=nobody'))).toMatchObject({ status: 404 });
    expect(refusal(await stage.call('GET', '/me/api-key?tenant_id=other'))).toMatchObject({
      status: 404,
      code: 'api_key_not_found',
    });
    await stage.foreignSet(`tenant:byApiKey:${hashApiKey('by hand')}`, 'acme');
    const foreign = (await callAs(stage, 'by hand')('GET', '/me/api-key')).body as { id: string };
    expect(foreign).toEqual({ id: expect.stringMatching(/^sha256-/) as string });
  });
});

/** Who holds a restricted key must not come to hold one without the restriction. */
describe('a key with a restriction of its own', () => {
  let stage: Stage;
  let acme: Furnished;
  beforeAll(async () => {
    stage = await startStage();
    acme = await furnish(stage, 'acme');
  });
  afterAll(() => stage.close());

  const attempts = (self: string): Array<[method: string, path: string, body?: object]> => [
    ['POST', '/api-keys', { name: 'without' }],
    ['PATCH', `/api-keys/${self}`, { expires_at: null, monthly_quota: null, allowed_ips: null }],
    ['PATCH', `/api-keys/${self}`, { rate_limit_requests: 1_000_000 }],
    ['PATCH', `/api-keys/${acme.manager.id}`, { enabled: false }],
    ['POST', `/api-keys/${acme.manager.id}/rotate`, { grace_seconds: 60 }],
    ['POST', `/api-keys/${self}/rotate`, {}],
    ['DELETE', `/api-keys/${acme.manager.id}`],
    ['POST', '/register-api', { name: 'x', target_url: 'http://x.test' }],
    ['PATCH', `/services/${acme.serviceId}`, { target_url: 'http://evil.test' }],
    ['DELETE', `/services/${acme.serviceId}`],
  ];

  it.each([
    [{ expiresAt: '2099-01-01T00:00:00Z' }],
    [{ monthlyQuota: 5 }],
    [{ rateLimit: { windowSeconds: 60, maxRequests: 5 } }],
    [{ allowedIps: ['127.0.0.1', '::1'] }],
    [{ allowedRoutes: ['/v1'] }],
    [{ allowedMethods: ['GET', 'POST', 'PATCH', 'DELETE'] }],
  ])('may read and change nothing: %j', async (restriction) => {
    const { id, key } = await acme.keyWith(restriction);
    const before = (await stage.call('GET', `${acme.admin}/api-keys`)).text;
    for (const path of ['/services', `/services/${acme.serviceId}`, '/api-keys', `/api-keys/${id}`]) {
      expect((await callAs(stage, key)('GET', path)).status).toBe(200);
    }
    expect((await callAs(stage, key)('GET', '/me')).body).toMatchObject({ role: 'reader' });
    for (const [method, path, body] of attempts(id)) {
      const answer = refusal(await callAs(stage, key)(method, path, body));
      expect([method, path, answer.status, answer.code]).toEqual([method, path, 403, 'key_not_allowed']);
    }
    expect((await stage.call('GET', `${acme.admin}/api-keys`)).text).toBe(before);
  });

  it('is also one that has been replaced and still works', async () => {
    const { id, key } = await acme.keyWith({});
    await stage.call('POST', `${acme.admin}/api-keys/${id}/rotate`, { graceSeconds: 600 });
    expect((await callAs(stage, key)('GET', '/api-keys')).status).toBe(200);
    const answer = refusal(await callAs(stage, key)('POST', '/api-keys', { name: 'lasting' }));
    expect(answer).toMatchObject({ status: 403, code: 'key_not_allowed' });
  });

  it('of one service sees itself only', async () => {
    const { id, key } = acme.consumer;
    expect((await callAs(stage, key)('GET', '/me/api-key')).body).toMatchObject({ id });
    const reads = ['/services', `/services/${acme.serviceId}`, '/api-keys', `/api-keys/${id}`];
    for (const [method, path, body] of [
      ...reads.map((read): [string, string] => ['GET', read]),
      ...attempts(id),
    ] as Array<[string, string, object?]>) {
      const answer = refusal(await callAs(stage, key)(method, path, body));
      expect([method, path, answer.status, answer.code]).toEqual([method, path, 403, 'key_not_allowed']);
    }
  });

  it('that is disabled, expired or for other addresses does not even read', async () => {
    const disabled = await acme.keyWith({ enabled: false });
    const elsewhere = await acme.keyWith({ allowedIps: ['203.0.113.7'] });
    const codeOf = async ({ key }: PortalKey): Promise<unknown> =>
      refusal(await callAs(stage, key)('GET', '/me')).code;
    expect(await codeOf(disabled)).toBe('key_disabled');
    expect(await codeOf(elsewhere)).toBe('address_not_allowed');
  });
});
