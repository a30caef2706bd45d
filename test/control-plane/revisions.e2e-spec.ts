import { keys } from '#libs/store';
import { describeStores, refusal, tenantDocument, type Answer, type Stage } from './stage';

const SECRET = 'a-shared-secret-of-more-than-32-bytes-0123456789';

describeStores('revisions', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start({ env: { ALLOW_PRIVATE_UPSTREAMS: 'true' } });
    expect((await stage.call('POST', '/admin/tenants', tenantDocument('acme'))).status).toBe(201);
  });
  afterEach(() => stage.close());

  const head = async (): Promise<number> => (await stage.call('GET', '/admin/revisions')).body.head as number;
  const change = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const answer = await stage.call(method, path, body);
    expect([method, path, answer.status < 300 ? 'done' : answer.text]).toEqual([method, path, 'done']);
    return answer;
  };
  const tenant = async (): Promise<unknown> =>
    (await stage.call('GET', '/admin/tenants/acme')).body as unknown;
  const goBack = (to: number, body: object = {}, headers = {}): Promise<Answer> =>
    stage.call('POST', `/admin/revisions/${to}/rollback`, body, headers);

  it('are there when the answer is, number every change, and say what it was', async () => {
    await change('PATCH', '/admin/tenants/acme', {
      name: 'Other',
      rateLimit: { windowSeconds: 1, maxRequests: 5 },
    });
    await change('POST', '/admin/tenants/acme/suspend');
    await stage.call('PATCH', '/admin/tenants/acme', { name: 7 });
    const listed = await stage.call('GET', '/admin/revisions');
    expect(listed.headers.get('etag')).toBe('"3"');
    expect(listed.body).toMatchObject({
      head: 3,
      nextCursor: null,
      revisions: [
        { number: 3, action: 'tenant.suspend', actor: 'owner', tenantIds: ['acme'] },
        { number: 2, action: 'tenant.update', objects: [{ kind: 'tenant', id: 'acme', change: 'updated' }] },
        { number: 1, action: 'tenant.create', objects: [{ kind: 'tenant', id: 'acme', change: 'created' }] },
      ],
    });
    const { body } = await stage.call('GET', '/admin/revisions/2');
    expect(body).toMatchObject({ changes: [{ before: { name: 'Tenant acme' }, after: { name: 'Other' } }] });
    expect(body.changes[0].patch).toEqual([
      { path: '/name', before: 'Tenant acme', after: 'Other' },
      { path: '/rateLimit', after: { windowSeconds: 1, maxRequests: 5 } },
    ]);
    const audit = await stage.call('GET', '/admin/audit?action=tenant.update&limit=1');
    expect(audit.body).toMatchObject({
      entries: [{ revision: 2, changes: [{ kind: 'tenant', id: 'acme' }] }],
    });
    const diff = await stage.call('GET', '/admin/revisions/3/diff?against=1');
    expect(diff.body).toMatchObject({ from: 1, to: 3, changes: [{ patch: expect.any(Array) as unknown }] });
    expect(diff.body.changes[0].patch).toHaveLength(3);
    const back = await stage.call('GET', '/admin/revisions/1/diff?against=3');
    expect(back.body.changes[0]).toMatchObject({
      before: { suspended: true },
      after: { name: 'Tenant acme' },
    });
    const paged = await stage.call('GET', '/admin/revisions?limit=2');
    const rest = await stage.call('GET', `/admin/revisions?cursor=${paged.body.nextCursor as string}`);
    expect(rest.body).toMatchObject({ revisions: [{ number: 1 }], nextCursor: null });
    expect((await stage.call('GET', '/admin/revisions?tenant=nobody')).body).toMatchObject({ revisions: [] });
  });

  it('show no secret, and bring it back all the same', async () => {
    const idp = { issuer: 'https://idp.example', audience: 'a', algorithms: ['HS256'], secrets: [SECRET] };
    await change('PATCH', '/admin/tenants/acme', { idp });
    await change('PATCH', '/admin/tenants/acme', { idp: { ...idp, secrets: [SECRET.toUpperCase()] } });
    const stored = await stage.store.documents.get(keys.tenant('acme'));
    for (const path of ['/admin/revisions/3', '/admin/revisions/3/diff?against=1', '/admin/audit']) {
      const { text } = await stage.call('GET', path);
      expect([path, text.includes('(secret)')]).toEqual([path, true]);
      expect(text.toLowerCase()).not.toContain(SECRET);
    }
    expect((await goBack(2)).status).toBe(200);
    expect(await stage.store.documents.get(keys.tenant('acme'))).toBe(
      stored?.replace(SECRET.toUpperCase(), SECRET),
    );
  });

  it('bring back the whole configuration, as a revision that can be taken back as well', async () => {
    const service = { name: 's', targets: [{ url: 'http://127.0.0.1:9' }] };
    const { id } = (await change('POST', '/admin/tenants/acme/services', service)).body as { id: string };
    const route = { name: 'r', path: '/acme', backends: [{ service: id }] };
    await change('PUT', '/admin/tenants/acme/publication', { routes: [route] });
    await change('POST', '/admin/plans', { id: 'gold', name: 'Gold', currency: 'USD', model: 'per_request' });
    await change('PATCH', '/admin/tenants/acme/billing', { pricePerRequest: '0.5', spendCap: '10' });
    const good = await head();
    const before = { tenant: await tenant(), all: await state(id) };
    await change('PATCH', '/admin/tenants/acme', { name: 'Broken', allowedRoutes: [] });
    await change('PUT', '/admin/tenants/acme/publication', { routes: [{ ...route, path: '/elsewhere' }] });
    await change('PATCH', `/admin/tenants/acme/services/${id}`, { name: 'broken' });
    await change('PATCH', '/admin/tenants/acme/billing', { pricePerRequest: '7', spendCap: null });
    await change('DELETE', '/admin/tenants/acme/publication');
    await change('DELETE', `/admin/tenants/acme/services/${id}`);
    await change('DELETE', '/admin/plans/gold');
    await change('PUT', '/admin/maintenance', { message: 'oops' });
    const bad = await head();
    expect(bad).toBe(good + 8);

    const dry = await goBack(good, { dryRun: true });
    expect(dry.body).toMatchObject({ dryRun: true, to: good, skipped: [] });
    expect([await head(), (dry.body.changes as unknown[]).length]).toEqual([bad, 6]);
    const done = await goBack(good, {}, { 'If-Match': `"${bad}"` });
    expect(done.body).toMatchObject({
      dryRun: false,
      revision: bad + 1,
      changes: dry.body.changes as unknown,
    });
    expect({ tenant: await tenant(), all: await state(id) }).toEqual(before);
    expect((await goBack(bad, {}, { 'If-Match': `"${bad}"` })).status).toBe(412);
    expect((await goBack(bad)).body).toMatchObject({ revision: bad + 2 });
    expect(await tenant()).toMatchObject({ name: 'Broken' });
    expect((await stage.call('GET', '/admin/maintenance')).body).toMatchObject({ message: 'oops' });
    expect((await stage.call('GET', '/admin/audit/verify')).body).toMatchObject({ ok: true });
  });

  const state = async (service: string): Promise<unknown[]> => {
    const paths = [`services/${service}`, 'publication', 'billing'].map(
      (one) => `/admin/tenants/acme/${one}`,
    );
    const answers = await Promise.all([...paths, '/admin/plans/gold'].map((path) => stage.call('GET', path)));
    return [
      ...answers.map(({ body }) => body as unknown),
      (await stage.call('GET', '/admin/maintenance')).status,
    ];
  };

  it('bring back one object alone', async () => {
    await change('POST', '/admin/tenants', tenantDocument('other'));
    for (const id of ['acme', 'other']) await change('PATCH', `/admin/tenants/${id}`, { name: 'New' });
    const done = await goBack(2, { object: { kind: 'tenant', id: 'acme' } });
    expect(done.body).toMatchObject({ revision: 5, changes: [{ id: 'acme' }] });
    expect(await tenant()).toMatchObject({ name: 'Tenant acme' });
    expect((await stage.call('GET', '/admin/tenants/other')).body).toMatchObject({ name: 'New' });
    expect((await goBack(2, { object: { kind: 'tenant', id: 'nobody' } })).body).toMatchObject({
      changes: [],
    });
  });

  it('bring back a tenant that was deleted, without its keys and without opening it to old ones', async () => {
    const made = await change('POST', '/admin/tenants/acme/api-keys', { name: 'k' });
    const service = { name: 's', targets: [{ url: 'http://127.0.0.1:9' }] };
    await change('POST', '/admin/tenants/acme/services', service);
    const before = await head();
    await change('DELETE', '/admin/tenants/acme');
    const done = await goBack(before);
    expect(done.body).toMatchObject({
      skipped: [{ kind: 'api_key', reason: expect.stringContaining('revoked') as string }],
    });
    expect(await tenant()).toMatchObject({ id: 'acme' });
    expect((await stage.call('GET', '/admin/tenants/acme/services')).body).toMatchObject({
      services: [{ name: 's' }],
    });
    const { key } = made.body as { key: string };
    const me = await stage.call('GET', '/me', undefined, {
      'X-Admin-Token': undefined as unknown as string,
      'X-API-Key': key,
    });
    expect([me.status, (await stage.call('GET', '/admin/tenants/acme/api-keys')).body]).toMatchObject([
      401,
      { apiKeys: [] },
    ]);
  });

  it('never give a key back that was revoked, disabled, replaced or has ended, nor a token', async () => {
    const keysMade: Array<{ id: string; key: string }> = [];
    for (const name of ['revoked', 'disabled', 'rotated', 'good'])
      keysMade.push(
        (await change('POST', '/admin/tenants/acme/api-keys', { name })).body as { id: string; key: string },
      );
    const token = (await change('POST', '/admin/admin-tokens', { name: 't', role: 'viewer' })).body as {
      id: string;
      token: string;
    };
    const before = await head();
    const [revoked, disabled, rotated, good] = keysMade.map(({ id }) => `/admin/tenants/acme/api-keys/${id}`);
    await change('PATCH', good!, { monthlyQuota: 5, expiresAt: '2999-01-01T00:00:00Z' });
    await change('DELETE', revoked!);
    await change('PATCH', disabled!, { enabled: false, name: 'off' });
    await change('POST', `${rotated!}/rotate`, { graceSeconds: 0 });
    await change('POST', `/admin/admin-tokens/${token.id}/revoke`, {});
    const done = await goBack(before);
    expect((done.body.skipped as Array<{ reason: string }>).map(({ reason }) => reason).sort()).toEqual([
      'has ended or been replaced',
      'is disabled, and stays so',
      'was made since, and stays',
      'was revoked, which is for good',
    ]);
    for (const { key } of keysMade.slice(0, 3)) {
      const me = await fetch(`${stage.url}/me`, { headers: { 'X-API-Key': key } });
      expect(me.status).toBe(401);
    }
    const { body } = await stage.call('GET', good!);
    expect(body).toMatchObject({ active: true, expiresAt: '2999-01-01T00:00:00.000Z' });
    expect(body).not.toHaveProperty('monthlyQuota');
    const asToken = await stage.call('GET', '/admin/tenants', undefined, { 'X-Admin-Token': token.token });
    expect(asToken.status).toBe(401);
  });

  it('do not write over what another program has changed, unless they are told to', async () => {
    await change('PATCH', '/admin/tenants/acme', { name: 'Second' });
    const foreign = JSON.stringify(tenantDocument('acme', { name: 'By hand' }));
    await stage.foreignSet(keys.tenant('acme'), foreign);
    const answer = refusal(await goBack(1));
    expect(answer).toMatchObject({ status: 409, code: 'conflict' });
    expect(await stage.store.documents.get(keys.tenant('acme'))).toBe(foreign);
    expect((await goBack(1, { force: true })).status).toBe(200);
    expect(await tenant()).toMatchObject({ name: 'Tenant acme' });
  });

  it('that are not there, or not asked for rightly, are refused', async () => {
    for (const [method, path, body, status] of [
      ['GET', '0', undefined, 404],
      ['GET', '99', undefined, 404],
      ['GET', 'x', undefined, 404],
      ['GET', '1/diff?against=99', undefined, 404],
      ['GET', '1/diff?against=-1', undefined, 400],
      ['GET', '1/diff?against=x', undefined, 400],
      ['POST', '99/rollback', {}, 404],
      ['POST', '1/rollback', { object: { kind: 'god', id: 'x' } }, 400],
      ['POST', '1/rollback', { object: 'acme' }, 400],
      ['POST', '1/rollback', { all: true }, 400],
    ] as const) {
      const answer = refusal(await stage.call(method, `/admin/revisions/${path}`, body));
      const code = status === 404 ? 'revision_not_found' : 'validation_failed';
      expect({ path, ...answer }).toMatchObject({ path, status, code });
    }
    expect(await head()).toBe(1);
  });
});

describeStores('the history', (start) => {
  it('is bounded, and nothing behind its end can be brought back', async () => {
    const stage = await start({ env: { REVISIONS_MAX_ENTRIES: '10', ALLOW_PRIVATE_UPSTREAMS: 'true' } });
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    for (let i = 0; i < 15; i++) await stage.call('PATCH', '/admin/tenants/acme', { name: `n${i}` });
    const { body } = await stage.call('GET', '/admin/revisions');
    expect([body.head, (body.revisions as unknown[]).length]).toEqual([16, 10]);
    expect((await stage.call('GET', '/admin/revisions/6')).status).toBe(404);
    expect((await stage.call('POST', '/admin/revisions/5/rollback', {})).status).toBe(404);
    expect((await stage.call('POST', '/admin/revisions/6/rollback', {})).status).toBe(200);
    expect((await stage.call('GET', '/admin/tenants/acme')).body).toMatchObject({ name: 'n4' });
    expect((await stage.call('GET', '/admin/audit/verify')).body).toMatchObject({ ok: true });
    await stage.close();
  });
});
