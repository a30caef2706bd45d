import { describeStores, refusal, tenantDocument, type Answer, type Stage } from './stage';

describeStores('admin tokens', (start) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start({ env: { ALLOW_PRIVATE_UPSTREAMS: 'true' } });
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
  });
  afterAll(() => stage.close());

  const make = async (fields: object): Promise<{ id: string; token: string }> => {
    const made = await stage.call('POST', '/admin/admin-tokens', { name: 'ci', role: 'viewer', ...fields });
    expect(made.status).toBe(201);
    return made.body as { id: string; token: string };
  };
  const as = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    stage.call(method, path, body, { 'X-Admin-Token': token });

  it('are shown once, kept as digests, and say what they are good for', async () => {
    const { id, token } = await make({ role: 'operator', name: 'deploy' });
    expect(token).toMatch(/^gh_admin_[\w-]{43}[0-9a-f]{6}$/);
    const shown = await stage.call('GET', `/admin/admin-tokens/${id}`);
    const fields = { id, name: 'deploy', role: 'operator', state: 'active', createdBy: 'owner' };
    expect(shown.body).toMatchObject({ ...fields, prefix: token.slice(0, 13) });
    const listed = await stage.call('GET', '/admin/admin-tokens');
    expect(shown.text + listed.text).not.toContain(token.slice(13));
    for await (const key of stage.store.documents.scan('gatehouse:admin-token:'))
      expect(key + ((await stage.store.documents.get(key)) ?? '')).not.toContain(token.slice(13));

    const who = await as(token, 'GET', '/admin/whoami');
    expect(who.body).toMatchObject({ actor: `admin:${id}`, name: 'deploy', role: 'operator' });
    const { operations } = who.body as { operations: string[] };
    expect(operations).toEqual(expect.arrayContaining(['Tenants.create', 'Audit.list']));
    expect(operations).not.toContain('AdminTokens.create');
    expect((await stage.call('GET', '/admin/whoami')).body).toMatchObject({ actor: 'owner', role: 'owner' });
  });

  it('act under their own name', async () => {
    const { id, token } = await make({ role: 'operator', name: 'alice' });
    expect((await as(token, 'POST', '/admin/tenants', tenantDocument('hers'))).status).toBe(201);
    const bearer = { 'X-Admin-Token': undefined as unknown as string, Authorization: `Bearer ${token}` };
    const { Authorization } = bearer;
    const response = await fetch(`${stage.url}/admin/tenants/hers`, { headers: { Authorization } });
    expect(response.status).toBe(200);
    const { body } = await stage.call('GET', '/admin/audit?action=tenant.create&limit=1');
    expect(body).toMatchObject({ entries: [{ actor: `admin:${id}`, actorName: 'alice', target: 'hers' }] });
    const seen = await stage.call('GET', `/admin/admin-tokens/${id}`);
    expect(Date.parse((seen.body as { lastUsedAt: string }).lastUsedAt)).toBeGreaterThan(Date.now() - 90_000);
  });

  it('are refused when they are mistyped, unknown, expired or taken back', async () => {
    const { id, token } = await make({});
    const short = await make({ expiresAt: new Date(Date.now() + 150).toISOString() });
    const flipped = token.slice(0, -1) + (token.endsWith('0') ? '1' : '0');
    for (const wrong of [flipped, `${token}x`, 'gh_admin_', token.toUpperCase()])
      expect(refusal(await as(wrong, 'GET', '/admin/tenants')).code).toBe('admin_unauthorized');
    expect((await as(token, 'GET', '/admin/tenants')).status).toBe(200);
    for (let i = 0; i < 2; i++) {
      const revoked = await stage.call('POST', `/admin/admin-tokens/${id}/revoke?wait=true`, {
        reason: 'left',
      });
      expect(revoked.body).toMatchObject({
        state: 'revoked',
        revoked: { by: 'owner', reason: 'left' },
        missing: [],
      });
    }
    expect(refusal(await as(token, 'GET', '/admin/tenants')).code).toBe('admin_unauthorized');
    const portal = await as(token, 'GET', '/services');
    expect(refusal(portal).code).toBe('admin_unauthorized');
    let last: Answer;
    do last = await as(short.token, 'GET', '/admin/whoami');
    while (last.status === 200);
    expect(refusal(last).code).toBe('admin_unauthorized');
    const { body } = await stage.call('GET', '/admin/admin-tokens?state=expired');
    expect((body as { adminTokens: object[] }).adminTokens).toMatchObject([
      { id: short.id, state: 'expired' },
    ]);
  });

  it('are replaced with a time of grace, once', async () => {
    const { id, token } = await make({ role: 'viewer' });
    const rotated = await stage.call('POST', `/admin/admin-tokens/${id}/rotate`, { graceSeconds: 600 });
    const { token: next } = rotated.body as { token: string };
    expect(rotated.body).toMatchObject({ role: 'viewer', replaces: id });
    for (const one of [token, next]) expect((await as(one, 'GET', '/admin/tenants')).status).toBe(200);
    const again = await stage.call('POST', `/admin/admin-tokens/${id}/rotate`, { graceSeconds: 0 });
    expect(refusal(again)).toMatchObject({ status: 409, code: 'conflict' });
    const at = await make({});
    await stage.call('POST', `/admin/admin-tokens/${at.id}/rotate`, { graceSeconds: 0 });
    expect(refusal(await as(at.token, 'GET', '/admin/tenants')).code).toBe('admin_unauthorized');
  });

  it('of a tenant end with it, and do not open the next one of its id', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('gone'));
    const { id, token } = await make({ role: 'tenant', tenantId: 'gone' });
    expect((await as(token, 'GET', '/admin/tenants/gone')).status).toBe(200);
    await stage.call('POST', '/admin/tenants/gone/suspend');
    expect(refusal(await as(token, 'GET', '/admin/tenants/gone')).code).toBe('tenant_suspended');
    await stage.call('DELETE', '/admin/tenants/gone');
    await stage.call('POST', '/admin/tenants', tenantDocument('gone'));
    expect(refusal(await as(token, 'GET', '/admin/tenants/gone')).code).toBe('admin_unauthorized');
    expect((await stage.call('GET', `/admin/admin-tokens/${id}`)).body).toMatchObject({ state: 'revoked' });
  });

  it.each<[object, string[]]>([
    [{ role: 'viewer' }, ['name']],
    [{ name: 'x', role: 'god' }, ['role']],
    [{ name: 'x', role: 'tenant' }, ['tenantId']],
    [{ name: 'x', role: 'viewer', tenantId: 'acme' }, ['tenantId']],
    [{ name: 'x', role: 'viewer', expiresAt: '2001-01-01T00:00:00Z' }, ['expiresAt']],
    [{ name: 'x', role: 'viewer', expiresAt: null }, ['expiresAt']],
    [{ name: 'x', role: 'viewer', token: 'mine' }, ['token']],
  ])('are not made of %j', async (fields, named) => {
    const before = (await stage.call('GET', '/admin/admin-tokens')).text;
    const answer = refusal(await stage.call('POST', '/admin/admin-tokens', fields));
    expect(answer).toEqual({ status: 400, code: 'validation_failed', fields: named });
    expect((await stage.call('GET', '/admin/admin-tokens')).text).toBe(before);
  });

  it('that nobody knows are not found', async () => {
    for (const [method, path, body] of [
      ['GET', 'x', undefined],
      ['GET', '%20', undefined],
      ['POST', 'x/rotate', { graceSeconds: 0 }],
      ['POST', 'x/revoke', {}],
    ] as const)
      expect(refusal(await stage.call(method, `/admin/admin-tokens/${path}`, body))).toMatchObject({
        status: 404,
        code: 'admin_token_not_found',
      });
    const nobodys = await stage.call('POST', '/admin/admin-tokens', {
      name: 'x',
      role: 'tenant',
      tenantId: 'nobody',
    });
    expect(refusal(nobodys)).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });
});
