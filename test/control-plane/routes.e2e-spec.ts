import { describeStores, refusal, tenantDocument, type Stage } from './stage';

const IDP = { issuer: 'https://auth.acme.com', jwksUri: 'https://auth.acme.com/jwks', audience: 'api' };

describeStores('routes', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start();
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
  });
  afterEach(() => stage.close());

  const PATH = '/admin/tenants/acme/routes';
  const routes = async (): Promise<unknown> => (await stage.call('GET', PATH)).body as unknown;

  it('adds a route, with the version of the tenant', async () => {
    const added = await stage.call('POST', PATH, { path: '/v2', methods: ['GET'], auth: { jwt: false } });
    const expected = {
      allowedRoutes: [{ path: '/v1' }, { path: '/v2', methods: ['GET'], auth: { jwt: false } }],
    };
    expect(added).toMatchObject({ status: 201, body: expected });
    expect(await routes()).toEqual(expected);
    const shown = await stage.call('GET', '/admin/tenants/acme');
    expect(shown.headers.get('etag')).toBe(added.headers.get('etag'));
    expect(shown.body).toMatchObject(expected);
  });

  it.each([{ path: '/v1' }, { path: '/v1/' }, { path: '/v1/*' }, { path: '/v1/x/..' }])(
    'refuses %j, which is there already',
    async (route) => {
      expect(refusal(await stage.call('POST', PATH, route))).toMatchObject({
        status: 409,
        code: 'already_exists',
      });
      expect(await routes()).toEqual({ allowedRoutes: [{ path: '/v1' }] });
    },
  );

  it('takes one route per method of a path', async () => {
    expect((await stage.call('POST', PATH, { path: '/v1', methods: ['POST', 'PUT'] })).status).toBe(201);
    expect((await stage.call('POST', PATH, { path: '/v1', methods: ['GET'] })).status).toBe(201);
    expect((await stage.call('POST', PATH, { path: '/v1', methods: ['DELETE', 'PUT'] })).status).toBe(409);
  });

  it.each([
    [{}, ['path']],
    [{ path: 7 }, ['path']],
    [{ path: 'v3' }, ['path']],
    [{ path: '/v3/:id' }, ['path']],
    [{ path: '/v3/..%2f' }, ['path']],
    [{ path: '/v3', methods: [] }, ['methods']],
    [{ path: '/v3', methods: ['get'] }, ['methods']],
    [{ path: '/v3', methods: 'GET' }, ['methods']],
    [{ path: '/v3', auth: {} }, ['auth.jwt']],
    [{ path: '/v3', auth: { jwt: 'yes' } }, ['auth.jwt']],
    [{ path: '/v3', auth: { jwt: true } }, ['auth.jwt']],
    [{ path: '/v3', upstream: 'x' }, ['upstream']],
  ])('refuses to add %j and names the field', async (route, fields) => {
    const answer = refusal(await stage.call('POST', PATH, route));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(new Set(answer.fields)).toEqual(new Set(fields));
    expect(await routes()).toEqual({ allowedRoutes: [{ path: '/v1' }] });
  });

  it('replaces the list', async () => {
    const allowedRoutes = [{ path: '/a' }, { path: '/b', methods: ['PUT'] }];
    expect(await stage.call('PUT', PATH, { allowedRoutes })).toMatchObject({
      status: 200,
      body: { allowedRoutes },
    });
    expect(await routes()).toEqual({ allowedRoutes });
    expect((await stage.call('PUT', PATH, { allowedRoutes: [] })).status).toBe(200);
  });

  it.each([
    [{}, 'allowedRoutes'],
    [{ allowedRoutes: {} }, 'allowedRoutes'],
    [{ allowedRoutes: [{ path: '/a' }, { path: '/a/' }] }, 'allowedRoutes.1.path'],
    [{ allowedRoutes: [{ path: '/a' }, 7] }, 'allowedRoutes.1'],
    [{ routes: [] }, 'routes'],
  ])('refuses the list %j and names the field', async (body, field) => {
    const answer = refusal(await stage.call('PUT', PATH, body));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.fields).toContain(field);
    expect(await routes()).toEqual({ allowedRoutes: [{ path: '/v1' }] });
  });

  it('removes a path, or one method of it', async () => {
    const allowedRoutes = [{ path: '/a', methods: ['GET', 'PUT'] }, { path: '/a' }, { path: '/b' }];
    await stage.call('PUT', PATH, { allowedRoutes });
    expect(await stage.call('DELETE', `${PATH}?path=/a/&method=get`)).toMatchObject({
      status: 204,
      text: '',
    });
    expect(await routes()).toEqual({
      allowedRoutes: [{ path: '/a', methods: ['PUT'] }, { path: '/a' }, { path: '/b' }],
    });
    expect((await stage.call('DELETE', `${PATH}?path=/a&method=PUT`)).status).toBe(204);
    expect(await routes()).toEqual({ allowedRoutes: [{ path: '/a' }, { path: '/b' }] });
    expect((await stage.call('DELETE', `${PATH}?path=/a`)).status).toBe(204);
    expect(await routes()).toEqual({ allowedRoutes: [{ path: '/b' }] });
  });

  it.each([
    ['?path=/nope', 404, 'route_not_found'],
    ['?path=/v1&method=GET', 404, 'route_not_found'],
    ['?path=nonsense', 404, 'route_not_found'],
    ['', 400, 'validation_failed'],
    ['?path=/v1&path=/v2', 400, 'validation_failed'],
    ['?path=/v1&methods=GET', 400, 'validation_failed'],
  ])('refuses to remove %s', async (query, status, code) => {
    expect(refusal(await stage.call('DELETE', PATH + query))).toMatchObject({ status, code });
    expect(await routes()).toEqual({ allowedRoutes: [{ path: '/v1' }] });
  });

  it('gives an overview of all that is published, with the defaults that hold', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('beta', {
      upstreamBaseUrl: 'https://beta.example',
      allowedRoutes: [{ path: '/' }, { path: '/open/*', methods: ['GET'], auth: { jwt: false } }],
      idp: IDP,
      suspended: true,
    })); // prettier-ignore
    await stage.foreignSet('tenant:corrupt', '{');
    const first = await stage.call('GET', '/admin/routes?limit=1');
    expect(first.body).toMatchObject({
      routes: [
        {
          tenantId: 'acme',
          path: '/api/v1',
          methods: null,
          requiresJwt: false,
          upstreamUrl: 'http://127.0.0.1:9/base/v1',
          suspended: false,
        },
      ],
    });
    const { nextCursor } = first.body as { nextCursor: string };
    const second = await stage.call('GET', `/admin/routes?cursor=${nextCursor}`);
    const common = { tenantId: 'beta', suspended: true };
    expect(second.body).toEqual({
      routes: [
        { ...common, path: '/api', methods: null, requiresJwt: true, upstreamUrl: 'https://beta.example/' },
        {
          ...common,
          path: '/api/open',
          methods: ['GET'],
          requiresJwt: false,
          upstreamUrl: 'https://beta.example/open',
        },
      ],
      nextCursor: null,
    });
  });

  it('does not take a broken document for one without routes', async () => {
    await stage.foreignSet(
      'tenant:corrupt',
      JSON.stringify(tenantDocument('corrupt', { allowedRoutes: 'none' })),
    );
    const path = '/admin/tenants/corrupt/routes';
    expect(refusal(await stage.call('GET', path))).toMatchObject({
      status: 503,
      code: 'tenant_misconfigured',
    });
    const added = refusal(await stage.call('POST', path, { path: '/x' }));
    expect(added).toEqual({ status: 400, code: 'validation_failed', fields: ['allowedRoutes'] });
    expect((await stage.call('PUT', path, { allowedRoutes: [] })).status).toBe(200);
  });
});
