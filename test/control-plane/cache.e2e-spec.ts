import { describeStores, refusal, tenantDocument, type Stage } from './stage';

describeStores('stored responses of a tenant', (start) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start();
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
  });
  afterAll(() => stage.close());

  const purge = (body: unknown, id = 'acme') => stage.call('POST', `/admin/tenants/${id}/cache/purge`, body);

  it('are purged, which the audit log tells', async () => {
    const answer = await purge({ tags: ['a', 'b'], soft: true });
    expect([answer.status, answer.body]).toEqual([200, { purged: true }]);
    const { body } = await stage.call('GET', '/admin/audit');
    expect((body as { entries: unknown[] }).entries[0]).toMatchObject({
      action: 'cache.purge',
      tenantId: 'acme',
      details: { tags: 'a,b', soft: 'true' },
    });
  });

  const refused: Array<[body: unknown, ...fields: string[]]> = [
    [{}, 'everything'],
    [{ everything: false }, 'everything'],
    [{ everything: true, tags: ['a'] }, 'everything'],
    [{ tags: [] }, 'tags'],
    [{ tags: [''] }, 'tags'],
    [{ tags: Array.from({ length: 101 }, () => 'a') }, 'tags'],
    [{ urls: ['x'] }, 'urls.0'],
    [{ urls: ['/a/../../b'] }, 'urls.0'],
    [{ prefixes: ['x'] }, 'prefixes'],
    [{ everything: true, soft: 'yes' }, 'soft'],
  ];
  it.each(refused)('%j is refused', async (body, ...fields) => {
    expect(refusal(await purge(body))).toEqual({ status: 400, code: 'validation_failed', fields });
  });

  it('are those of a tenant that there is', async () => {
    expect(refusal(await purge({ everything: true }, 'none'))).toMatchObject({
      status: 404,
      code: 'tenant_not_found',
    });
    expect(refusal(await stage.call('GET', '/admin/tenants/none/cache'))).toMatchObject({ status: 404 });
    const shown = await stage.call('GET', '/admin/tenants/acme/cache');
    expect([shown.status, (shown.body as { memory: unknown }).memory]).toEqual([200, null]);
  });
});

describeStores('a cache policy', (start) => {
  let stage: Stage;
  beforeAll(async () => void (stage = await start()));
  afterAll(() => stage.close());

  const FULL = {
    enabled: true,
    ttlSeconds: 60,
    methods: ['GET'],
    varyOn: ['X-Region'],
    keyQuery: { ignore: ['utm'] },
    perIdentity: true,
    statuses: [200, 404],
    maxBodyBytes: 1000,
    staleWhileRevalidateSeconds: 5,
    staleIfErrorSeconds: 0,
    tags: ['a'],
  };

  it('is a part of tenants, routes, services and publications, and is patched like all others', async () => {
    const document = tenantDocument('acme', { cache: FULL, allowedRoutes: [{ path: '/v1', cache: FULL }] });
    const made = await stage.call('POST', '/admin/tenants', document);
    expect([made.status, made.body]).toEqual([
      201,
      expect.objectContaining({ cache: FULL, allowedRoutes: [{ path: '/v1', cache: FULL }] }),
    ]);
    const patched = await stage.call('PATCH', '/admin/tenants/acme', {
      cache: { ttlSeconds: 5, tags: null },
    });
    const { tags: _tags, ...rest } = FULL;
    expect((patched.body as { cache: unknown }).cache).toEqual({ ...rest, ttlSeconds: 5 });
    expect((await stage.call('PATCH', '/admin/tenants/acme', { cache: null })).body).not.toHaveProperty(
      'cache',
    );
    const service = await stage.call('POST', '/admin/tenants/acme/services', {
      name: 's',
      targets: [{ url: 'http://127.0.0.1:9' }],
      cache: FULL,
    });
    expect(service.body).toMatchObject({ cache: FULL });
    const { id } = service.body as { id: string };
    const routes = [{ name: 'r', path: '/r', backends: [{ service: id }], cache: FULL }];
    const published = await stage.call('PUT', '/admin/tenants/acme/publication', { routes });
    expect([published.status, published.body]).toEqual([200, expect.objectContaining({ routes })]);
  });

  const refused: Array<[cache: unknown, field: string]> = [
    [[], 'cache'],
    [{ perIdentty: true }, 'cache.perIdentty'],
    [{ ttlSeconds: 0 }, 'cache.ttlSeconds'],
    [{ methods: ['POST'] }, 'cache.methods'],
    [{ varyOn: ['Authorization'] }, 'cache.varyOn'],
    [{ varyOn: ['a b'] }, 'cache.varyOn'],
    [{ keyQuery: { include: ['a'], ignore: ['b'] } }, 'cache.keyQuery'],
    [{ keyQuery: { ignore: [] } }, 'cache.keyQuery.ignore'],
    [{ perIdentity: 'no' }, 'cache.perIdentity'],
    [{ statuses: [206] }, 'cache.statuses'],
    [{ maxBodyBytes: 1e9 }, 'cache.maxBodyBytes'],
    [{ tags: ['a,b'] }, 'cache.tags'],
  ];
  it.each(refused)('%j is refused', async (cache, field) => {
    const answer = await stage.call('POST', '/admin/tenants', tenantDocument('other', { cache }));
    expect(refusal(answer)).toEqual({ status: 400, code: 'validation_failed', fields: [field] });
  });
});
