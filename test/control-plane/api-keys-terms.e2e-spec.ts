import { describeStores, refusal, tenantDocument, type Answer, type Stage } from './stage';

const ALL_FIELDS = {
  name: 'everything',
  mode: 'test',
  labels: { team: 'payments' },
  expiresAt: '2099-01-31T00:00:00.000Z',
  enabled: false,
  rateLimit: { windowSeconds: 60, maxRequests: 5 },
  pricePerRequest: '0.002',
  allowedRoutes: ['/v1/users'],
  allowedMethods: ['GET', 'POST'],
  allowedIps: ['203.0.113.0/24', '2001:db8::1'],
  monthlyQuota: 1000,
};

const BAD_FIELDS: Array<[fields: Record<string, unknown>, ...problems: string[]]> = [
  [{ name: undefined }, 'name'],
  [{ mode: 'prod' }, 'mode'],
  [{ labels: { a: 7 } }, 'labels.a'],
  [{ expiresAt: '2001-01-01T00:00:00Z' }, 'expiresAt'],
  [{ expiresAt: '2099-02-30T00:00:00Z' }, 'expiresAt'],
  [{ enabled: 'yes' }, 'enabled'],
  [{ rateLimit: { windowSeconds: 0, maxRequests: 5 } }, 'rateLimit.windowSeconds'],
  [{ rateLimit: { windowSeconds: 1, maxRequests: 5, burst: 7 } }, 'rateLimit.burst'],
  [{ pricePerRequest: 0.1 }, 'pricePerRequest'],
  [{ pricePerRequest: '-1' }, 'pricePerRequest'],
  [{ allowedRoutes: [] }, 'allowedRoutes'],
  [{ allowedRoutes: ['/a', '/b/*/c'] }, 'allowedRoutes.1'],
  [{ allowedMethods: ['get'] }, 'allowedMethods'],
  [{ allowedIps: ['10.0.0.0/33'] }, 'allowedIps.0'],
  [{ monthlyQuota: 0 }, 'monthlyQuota'],
  [{ serviceId: 1 }, 'serviceId'],
  [{ tenantId: 'other' }, 'tenantId'],
  [{ monthlyQuota: -1, pricePerRequest: 'x' }, 'monthlyQuota', 'pricePerRequest'],
];

describeStores('the terms of API keys', (start) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start();
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
  });
  afterAll(() => stage.close());

  const KEYS = '/admin/tenants/acme/api-keys';
  const create = async (fields: object = {}, tenant = 'acme'): Promise<{ id: string; key: string }> => {
    const path = `/admin/tenants/${tenant}/api-keys`;
    const answer = await stage.call('POST', path, { name: 'k', ...fields });
    expect(answer.status).toBe(201);
    return answer.body as { id: string; key: string };
  };
  const patch = (id: string, body: unknown, headers?: Record<string, string>): Promise<Answer> =>
    stage.call('PATCH', `${KEYS}/${id}`, body, headers);

  it('takes all of them, and shows them again', async () => {
    const answer = await stage.call('POST', KEYS, ALL_FIELDS);
    const { mode: _, ...shown } = ALL_FIELDS;
    expect(answer).toMatchObject({ status: 201, body: { ...shown, active: false } });
    const { id, key, prefix } = answer.body as { id: string; key: string; prefix: string };
    expect(key).toMatch(/^gh_test_/);
    const found = await stage.call('GET', `${KEYS}/${id}`);
    expect(found).toMatchObject({
      status: 200,
      body: { id, prefix, tenantId: 'acme', ...shown, active: false },
    });
    expect(found.text).not.toContain(key);
    const { headers } = found;
    expect(
      (await stage.call('GET', `${KEYS}/${id}`, undefined, { 'If-None-Match': headers.get('etag') ?? '' }))
        .status,
    ).toBe(304);
  });

  it.each(BAD_FIELDS)('refuses a new key with %j', async (fields, ...problems) => {
    const answer = refusal(await stage.call('POST', KEYS, { name: 'k', ...fields }));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.fields.sort()).toEqual(problems);
  });

  it.each([
    [{ serviceId: '1' }, 'serviceId'],
    [{ mode: 'live' }, 'mode'],
    [{ name: null }, 'name'],
    [{ enabled: null }, 'enabled'],
    [{ rateLimit: { windowSeconds: 60 } }, 'rateLimit.maxRequests'],
    [{ createdAt: '2001-01-01T00:00:00Z' }, 'createdAt'],
    [{ validUntil: null }, 'validUntil'],
    [{ replacedBy: null }, 'replacedBy'],
  ])('refuses the change %j', async (change, field) => {
    const { id } = await create();
    const answer = refusal(await patch(id, change));
    expect(answer).toEqual({ status: 400, code: 'validation_failed', fields: [field] });
  });

  it('merges a change, and removes what is null', async () => {
    const { id } = await create({ monthlyQuota: 5, labels: { a: 'b' }, allowedMethods: ['GET'] });
    const answer = await patch(id, { monthlyQuota: null, labels: { c: 'd' }, enabled: false });
    expect(answer).toMatchObject({
      status: 200,
      body: { name: 'k', labels: { c: 'd' }, allowedMethods: ['GET'], enabled: false, active: false },
    });
    expect(answer.body).not.toHaveProperty('monthlyQuota');
    expect((await stage.call('GET', `${KEYS}/${id}`)).body).toEqual(answer.body);
    expect((await patch(id, { enabled: true })).body).toMatchObject({ active: true });
  });

  it('changes the version that was meant, and no other', async () => {
    const { id } = await create();
    const version = (await stage.call('GET', `${KEYS}/${id}`)).headers.get('etag') ?? '';
    const changed = await patch(id, { name: 'second' }, { 'If-Match': version });
    expect(changed.status).toBe(200);
    expect(changed.headers.get('etag')).not.toBe(version);
    const late = refusal(await patch(id, { name: 'third' }, { 'If-Match': version }));
    expect(late).toMatchObject({ status: 412, code: 'precondition_failed' });
    expect((await stage.call('GET', `${KEYS}/${id}`)).body).toMatchObject({ name: 'second' });
  });

  it('rotates: the new key has the terms of the old one, which ends after the time of grace', async () => {
    const old = await create({ monthlyQuota: 7, allowedRoutes: ['/v1'] });
    const before = Date.now();
    const made = await stage.call('POST', `${KEYS}/${old.id}/rotate`, { graceSeconds: 60 });
    expect(made).toMatchObject({
      status: 201,
      body: { name: 'k', monthlyQuota: 7, allowedRoutes: ['/v1'], replaces: old.id, active: true },
    });
    const next = made.body as { id: string; key: string };
    expect(next.key).not.toBe(old.key);
    const ended = (await stage.call('GET', `${KEYS}/${old.id}`)).body as Record<string, string>;
    expect(ended).toMatchObject({ replacedBy: next.id, active: true });
    const grace = Date.parse(ended.validUntil ?? '') - before;
    expect(grace).toBeGreaterThanOrEqual(60_000);
    expect(grace).toBeLessThan(70_000);
    const again = await stage.call('POST', `${KEYS}/${old.id}/rotate`, { graceSeconds: 60 });
    expect(refusal(again)).toMatchObject({ status: 409, code: 'conflict' });
    const atOnce = await stage.call('POST', `${KEYS}/${next.id}/rotate`, { graceSeconds: 0 });
    expect(atOnce.status).toBe(201);
    expect((await stage.call('GET', `${KEYS}/${next.id}`)).body).toMatchObject({ active: false });
  });

  it.each([[{}], [{ graceSeconds: -1 }], [{ graceSeconds: 1e9 }], [{ graceSeconds: '60' }]])(
    'refuses the rotation %j',
    async (body) => {
      const { id } = await create();
      const answer = refusal(await stage.call('POST', `${KEYS}/${id}/rotate`, body));
      expect(answer).toEqual({ status: 400, code: 'validation_failed', fields: ['graceSeconds'] });
      expect((await stage.call('GET', `${KEYS}/${id}`)).body).not.toHaveProperty('replacedBy');
    },
  );

  it('says who has followed a change, if somebody waits', async () => {
    await stage.store.fleet.join();
    const { id } = await create();
    const followed = { confirmed: [stage.store.fleet.id], missing: [] };
    expect((await stage.call('PATCH', `${KEYS}/${id}?wait=true`, { enabled: false })).body).toMatchObject(
      followed,
    );
    const rotated = await stage.call('POST', `${KEYS}/${id}/rotate?wait=true`, { graceSeconds: 0 });
    expect(rotated).toMatchObject({ status: 201, body: { replaces: id, ...followed } });
    const gone = await stage.call('DELETE', `${KEYS}/${id}?wait=true`);
    expect(gone).toMatchObject({ status: 200, body: { revoked: true, ...followed } });
    expect((await stage.call('GET', `${KEYS}/${id}`)).status).toBe(404);
    const odd = await stage.call('DELETE', `${KEYS}/${id}?wait=maybe`);
    expect(refusal(odd)).toEqual({ status: 400, code: 'validation_failed', fields: ['wait'] });
  });

  it('makes keys of one service, with the documented limit, and lists them apart', async () => {
    const made = await stage.call('POST', '/admin/tenants/acme/services', {
      name: 's',
      targets: [{ url: 'http://s.test' }],
    });
    const serviceId = (made.body as { id: string }).id;
    const { id } = await create({ serviceId });
    await create();
    const listed = await stage.call('GET', `${KEYS}?serviceId=${serviceId}`);
    expect(listed.body).toMatchObject({
      apiKeys: [{ id, serviceId, rateLimit: { windowSeconds: 60, maxRequests: 10 } }],
      nextCursor: null,
    });
    for (const path of ['/admin/tenants/other/api-keys', KEYS]) {
      const unknown = path === KEYS ? '999' : serviceId;
      const answer = refusal(await stage.call('POST', path, { name: 'k', serviceId: unknown }));
      expect(answer).toMatchObject({ status: 404, code: 'service_not_found' });
    }
  });

  it.each([
    ['GET', '', undefined],
    ['PATCH', '', { name: 'x' }],
    ['POST', '/rotate', { graceSeconds: 0 }],
    ['DELETE', '', undefined],
  ])('knows no key of another tenant: %s %s', async (method, action, body) => {
    const theirs = await create({}, 'other');
    for (const [tenant, code] of [
      ['acme', 'api_key_not_found'],
      ['nobody', 'tenant_not_found'],
    ]) {
      const answer = await stage.call(
        method,
        `/admin/tenants/${tenant}/api-keys/${theirs.id}${action}`,
        body,
      );
      expect(refusal(answer)).toMatchObject({ status: 404, code });
    }
    const untouched = await stage.call('GET', `/admin/tenants/other/api-keys/${theirs.id}`);
    expect(untouched.body).toMatchObject({ name: 'k', active: true });
  });

  it('refuses everything without the token', async () => {
    const { id } = await create();
    for (const [method, path] of [
      ['POST', KEYS],
      ['GET', KEYS],
      ...['GET', 'PATCH', 'DELETE'].map((verb) => [verb, `${KEYS}/${id}`]),
      ['POST', `${KEYS}/${id}/rotate`],
    ] as Array<[string, string]>) {
      const answer = await stage.call(method, path, undefined, { 'X-Admin-Token': 'wrong' });
      expect(refusal(answer)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
    }
  });
});
