import { keys } from '#libs/store';
import { describeStores, refusal, tenantDocument, type Answer, type Stage } from './stage';

const PUBLICATION = '/admin/tenants/acme/publication';

describeStores('publications', (start) => {
  let stage: Stage;
  let services: Record<string, string>;
  beforeEach(async () => {
    stage = await start();
    services = {};
    for (const id of ['acme', 'other']) {
      await stage.call('POST', '/admin/tenants', tenantDocument(id));
      const service = { name: id, targets: [{ url: 'http://a.test' }] };
      const made = await stage.call('POST', `/admin/tenants/${id}/services`, service);
      services[id] = (made.body as { id: string }).id;
    }
  });
  afterEach(() => stage.close());

  const route = (more: object = {}, tenant = 'acme'): object => ({
    name: 'a',
    path: '/a',
    backends: [{ service: services[tenant] }],
    ...more,
  });
  const put = (routes: unknown, headers = {}, tenant = 'acme'): Promise<Answer> =>
    stage.call('PUT', `/admin/tenants/${tenant}/publication`, { routes }, headers);

  it('are stored, shown, replaced and deleted, by version', async () => {
    expect(refusal(await stage.call('GET', PUBLICATION))).toMatchObject({
      status: 404,
      code: 'publication_not_found',
    });
    const full = route({
      hosts: ['a.test'],
      methods: ['GET'],
      headers: { 'X-A': '1' },
      stripPrefix: true,
      addPrefix: '/v1',
      requestHeaders: { 'X-B': '' },
      responseHeaders: { 'X-C': 'c' },
      auth: { jwt: false, apiKey: true },
      rateLimit: { windowSeconds: 1, maxRequests: 2 },
    });
    expect(refusal(await put([full], { 'If-Match': '"x"' }))).toMatchObject({ status: 412 });
    const first = await put([full]);
    expect(first).toMatchObject({ status: 200, body: { tenantId: 'acme', routes: [full] } });
    const etag = first.headers.get('etag') ?? '';
    const shown = await stage.call('GET', PUBLICATION);
    expect(shown.body).toEqual(first.body);
    expect(shown.headers.get('etag')).toBe(etag);
    const second = await put([route()], { 'If-Match': etag });
    expect(second.body).toEqual({ tenantId: 'acme', routes: [route()] });
    expect(refusal(await put([], { 'If-Match': etag }))).toMatchObject({
      status: 412,
      code: 'precondition_failed',
    });
    const late = await stage.call('DELETE', PUBLICATION, undefined, { 'If-Match': etag });
    expect(refusal(late)).toMatchObject({ status: 412 });
    const gone = await stage.call('DELETE', PUBLICATION, undefined, {
      'If-Match': second.headers.get('etag') ?? '',
    });
    expect(gone).toMatchObject({ status: 204, text: '' });
    for (const method of ['GET', 'DELETE'])
      expect(refusal(await stage.call(method, PUBLICATION))).toMatchObject({ code: 'publication_not_found' });
  });

  it('that do not hold together are refused, and nothing is stored', async () => {
    const bad: Array<[routes: unknown, ...fields: string[]]> = [
      [undefined, 'routes'],
      [{}, 'routes'],
      [['x'], 'routes.0'],
      [[route({ path: '/admin' })], 'routes.0.path'],
      [[route(), route({ name: 'b' })], 'routes.1.path'],
      [[route({ nonsense: 1 })], 'routes.0.nonsense'],
      [[route({ requestHeaders: { 'X-API-Key': 'x' } })], 'routes.0.requestHeaders.X-API-Key'],
      [[route({ backends: [{ service: '99' }] })], 'routes.0.backends.0.service'],
      [[route({ backends: [{ service: services.other }] })], 'routes.0.backends.0.service'],
      [[route({ backends: [{ service: 'byApiKey' }] })], 'routes.0.backends.0.service'],
      [[route({ auth: { jwt: 1 } })], 'routes.0.auth.jwt'],
      // Nobody could sign one: the tenant has no identity provider, the gateway no key of its own.
      [[route({ auth: { jwt: true } })], 'routes.0.auth.jwt'],
      [[route({ auth: { jwt: false, issuers: ['i'] } })], 'routes.0.auth.issuers'],
    ];
    for (const [routes, ...fields] of bad) {
      const answer = refusal(await put(routes));
      expect([routes, answer]).toEqual([routes, { status: 400, code: 'validation_failed', fields }]);
    }
    expect(await stage.store.documents.get(keys.publication('acme'))).toBeUndefined();
  });

  it('may not take what another tenant publishes, and do not learn whose it is', async () => {
    expect((await put([route({ methods: ['GET'], hosts: ['a.test', 'b.test'] })])).status).toBe(200);
    const theirs = (more: object): object => route(more, 'other');
    for (const more of [
      { methods: ['GET'], hosts: ['b.test'] },
      { methods: ['PUT', 'HEAD'], hosts: ['a.test'], path: '/a/' },
    ]) {
      const refused = await put(
        [theirs({ name: 'fine', path: '/fine' }), theirs({ name: 'b', ...more })],
        {},
        'other',
      );
      expect(refusal(refused)).toEqual({ status: 409, code: 'conflict', fields: ['routes.1.path'] });
      expect(refused.text).toContain('another tenant');
      expect(refused.text).not.toContain('acme');
    }
    for (const more of [
      {},
      { methods: ['PUT'], hosts: ['a.test'] },
      { hosts: ['a.test'], methods: ['GET'], path: '/a/b' },
    ])
      expect([more, (await put([theirs(more)], {}, 'other')).status]).toEqual([more, 200]);
    // What a refused one had asked for is not taken by it.
    expect((await put([route({ path: '/fine' })])).status).toBe(200);
    // What is given up is free: by change, by deletion, and with its tenant.
    expect((await put([theirs({ hosts: ['b.test'], methods: ['GET'] })], {}, 'other')).status).toBe(200);
    expect(refusal(await put([route({ hosts: ['b.test'], methods: ['GET'] })])).status).toBe(409);
    expect((await stage.call('DELETE', '/admin/tenants/other/publication')).status).toBe(204);
    expect((await put([route({ hosts: ['b.test'], methods: ['GET'] })])).status).toBe(200);
    expect((await stage.call('DELETE', '/admin/tenants/acme')).status).toBe(204);
    expect(await stage.store.documents.get(keys.publication('acme'))).toBeUndefined();
    expect((await put([theirs({ hosts: ['b.test'], methods: ['GET'] })], {}, 'other')).status).toBe(200);
  });

  it('of two tenants at the same moment: one is refused', async () => {
    const answers = await Promise.all([put([route()]), put([route({}, 'other')], {}, 'other')]);
    const statuses = answers.map(({ status }) => status).sort();
    expect([[200, 409], [409, 409]]).toContainEqual(statuses); // prettier-ignore
    const stored = await Promise.all(
      ['acme', 'other'].map((id) => stage.store.documents.get(keys.publication(id))),
    );
    expect(stored.filter((text) => text !== undefined)).toHaveLength(statuses[0] === 200 ? 1 : 0);
  });

  it('are listed page by page, those that cannot be served with what is wrong', async () => {
    await put([route()]);
    await put([route({ path: '/b' }, 'other')], {}, 'other');
    await stage.foreignSet(keys.publication('other'), '{"routes":[{"path":"/admin"}]}');
    const first = await stage.call('GET', '/admin/publications?limit=1');
    expect(first.body).toMatchObject({ publications: [{ tenantId: 'acme', routes: [{ path: '/a' }] }] });
    const cursor = encodeURIComponent((first.body as { nextCursor: string }).nextCursor);
    const second = await stage.call('GET', `/admin/publications?limit=1&cursor=${cursor}`);
    expect(second.body).toMatchObject({
      publications: [
        {
          tenantId: 'other',
          problems: expect.arrayContaining([expect.objectContaining({ field: 'routes.0.path' })]),
        },
      ],
      nextCursor: null,
    });
    expect((await put([route({ path: '/b' }, 'other')], {}, 'other')).status).toBe(200);
    expect(refusal(await stage.call('GET', '/admin/publications?limit=0'))).toMatchObject({
      status: 400,
      fields: ['limit'],
    });
  });

  it('written by other programs are listed as well', async () => {
    const text = JSON.stringify({ routes: [route()] });
    await stage.foreignSet(keys.publication('acme'), text);
    const listed = async (): Promise<number> =>
      ((await stage.call('GET', '/admin/publications')).body as { publications: unknown[] }).publications
        .length;
    for (let deadline = Date.now() + 8000; (await listed()) === 0 && Date.now() < deadline;)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await listed()).toBe(1);
  });

  it('are for the owner, of tenants that there are', async () => {
    for (const [method, body] of [['GET'], ['PUT', { routes: [] }], ['DELETE']] as const) {
      expect(refusal(await stage.call(method, '/admin/tenants/nobody/publication', body))).toMatchObject({
        status: 404,
        code: 'tenant_not_found',
      });
      const stranger = await stage.call(method, PUBLICATION, body, { 'X-Admin-Token': 'wrong' });
      expect(refusal(stranger)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
    }
    const stranger = await stage.call('GET', '/admin/publications', undefined, { 'X-Admin-Token': 'wrong' });
    expect(refusal(stranger)).toMatchObject({ status: 401 });
  });

  it('are explained, with the host and headers of the request', async () => {
    await put([route({ hosts: ['a.test'], headers: { 'X-A': '1' }, stripPrefix: true, addPrefix: '/v1' })]);
    const ask = async (path: string, headers: object): Promise<Answer['body']> =>
      (await stage.call('POST', '/admin/explain', { method: 'GET', path, headers })).body;
    const found = async (): Promise<boolean> =>
      (await ask('/a/b?c', { Host: 'a.test', 'X-A': '1' })).outcome === 'forward';
    for (let deadline = Date.now() + 5000; !(await found()) && Date.now() < deadline;)
      await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await ask('/a/b?c', { Host: 'a.test', 'X-A': '1' })).toMatchObject({
      outcome: 'forward',
      tenantId: 'acme',
      route: '/a',
      serviceId: services.acme,
      upstreamUrl: 'http://a.test/v1/b?c',
    });
    expect(await ask('/a/b', { Host: 'a.test' })).toMatchObject({ outcome: 'refuse', status: 404 });
    expect(await ask('/a/b', { Host: 'b.test', 'X-A': '1' })).toMatchObject({
      outcome: 'refuse',
      status: 404,
    });
  });
});

describeStores('the health of a service', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start();
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    await stage.call('POST', '/admin/tenants', tenantDocument('other'));
    const targets = [{ url: 'http://a.test' }, { url: 'http://b.test' }];
    await stage.call('POST', '/admin/tenants/acme/services', { name: 's', targets });
  });
  afterEach(() => stage.close());

  it('is unknown to a control plane that serves nobody', async () => {
    const { status, body } = await stage.call('GET', '/admin/tenants/acme/services/1/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      watched: false,
      targets: [
        { url: 'http://a.test', healthy: true, trouble: null, checkedAt: null },
        { url: 'http://b.test' },
      ],
    });
  });

  it('is shown to the owner, of services that there are', async () => {
    for (const [path, code] of [
      ['acme/services/2', 'service_not_found'],
      ['other/services/1', 'service_not_found'],
      ['nobody/services/1', 'tenant_not_found'],
    ] as const)
      expect(refusal(await stage.call('GET', `/admin/tenants/${path}/health`))).toMatchObject({
        status: 404,
        code,
      });
    const stranger = await stage.call('GET', '/admin/tenants/acme/services/1/health', undefined, {
      'X-Admin-Token': 'x',
    });
    expect(refusal(stranger)).toMatchObject({ status: 401 });
  });

  it('is checked as the service says, which is checked itself', async () => {
    const path = '/admin/tenants/acme/services/1';
    const good = {
      balance: 'least-pending',
      healthCheck: { path: '/up?x=1', intervalSeconds: 5, expectStatus: '200-299', host: 'a.test:80' },
      passive: { failures: 1, ejectSeconds: 2 },
    };
    expect((await stage.call('PATCH', path, good)).body).toMatchObject(good);
    expect((await stage.call('PATCH', path, { passive: false, healthCheck: null })).body).toMatchObject({
      passive: false,
    });
    const bad: Array<[object, string]> = [
      [{ balance: 'random' }, 'balance'],
      [{ healthCheck: {} }, 'healthCheck.path'],
      [{ healthCheck: { path: 'up' } }, 'healthCheck.path'],
      [{ healthCheck: { path: '/a b' } }, 'healthCheck.path'],
      [{ healthCheck: { path: '/', intervalSeconds: 0 } }, 'healthCheck.intervalSeconds'],
      [{ healthCheck: { path: '/', expectStatus: '299-200' } }, 'healthCheck.expectStatus'],
      [{ healthCheck: { path: '/', expectStatus: 99 } }, 'healthCheck.expectStatus'],
      [{ healthCheck: { path: '/', host: 'a b' } }, 'healthCheck.host'],
      [{ passive: true }, 'passive'],
      [{ passive: { failures: 0 } }, 'passive.failures'],
      [{ passive: { after: 1 } }, 'passive.after'],
    ];
    for (const [fields, field] of bad)
      expect([fields, refusal(await stage.call('PATCH', path, fields))]).toEqual(
        [fields, { status: 400, code: 'validation_failed', fields: [field] }],
      ); // prettier-ignore
  });
});
