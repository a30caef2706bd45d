import { keys } from '#libs/store';
import { TOTALS } from '#libs/usage';
import { describeStores, refusal, tenantDocument, type Stage } from './stage';
import { TENANT_OPERATIONS } from './tenant-operations';

const FULL = {
  id: 'acme',
  name: 'ACME Corporation',
  upstreamBaseUrl: 'https://internal-api.acme.com/base',
  allowedRoutes: [
    { path: '/v1/users', methods: ['GET', 'POST'], auth: { jwt: true } },
    { path: '/v1/products' },
  ],
  auth: { jwt: false },
  rateLimit: { windowSeconds: 60, maxRequests: 5000 },
  idp: {
    issuer: 'https://auth.acme.com',
    jwksUri: 'https://auth.acme.com/.well-known/jwks.json',
    audience: 'api-gateway',
    algorithms: ['RS256'],
  },
  timeouts: { connectMs: 1000, totalMs: 5000 },
  suspended: false,
};

describeStores('tenants', (start) => {
  let stage: Stage;
  beforeEach(async () => void (stage = await start()));
  afterEach(() => stage.close());

  const create = async (id: string, more?: Record<string, unknown>): Promise<string> => {
    const created = await stage.call('POST', '/admin/tenants', tenantDocument(id, more));
    expect(created.status).toBe(201);
    return created.headers.get('etag') ?? '';
  };

  it('stores what was sent, under the documented key, and shows it again', async () => {
    const created = await stage.call('POST', '/admin/tenants', FULL);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/admin/tenants/acme');
    expect(created.body).toEqual(FULL);

    expect(JSON.parse((await stage.store.documents.get('tenant:acme')) ?? '')).toEqual(FULL);
    const shown = await stage.call('GET', '/admin/tenants/acme');
    expect(shown.body).toEqual(FULL);
    expect(shown.headers.get('etag')).toBe(created.headers.get('etag'));
    expect((await stage.call('GET', '/tenant/acme')).body).toEqual(FULL);
  });

  it('shows identity providers and policies, but no secret, and takes back what it has shown', async () => {
    const secret = 'k7Qm2xVb9RtY4wZc8NhJ5sLd3PfG6uAe';
    const introspection = { endpoint: 'https://as.test/introspect', clientId: 'me', clientSecret: 'hush' };
    const policy = {
      jwt: true,
      issuers: ['partner', 'gateway'],
      claims: { project: ['acme'] },
      scopes: ['read'],
      roles: ['admin'],
      claimHeaders: { 'X-User': 'sub' },
    };
    const stored = {
      ...FULL,
      allowedRoutes: [{ path: '/', auth: policy }],
      idps: [
        {
          issuer: 'partner',
          audience: ['a', 'b'],
          secrets: [secret, { env: 'GATEWAY_SECRET_NEXT' }],
          requiredClaims: { tier: ['gold'] },
        },
        { issuer: 'asked', introspection, clockToleranceSeconds: 60 },
        { issuer: 'https://login.acme.com', audience: 'a' },
      ],
      serviceTokens: true,
    };
    expect((await stage.call('POST', '/admin/tenants', stored)).status).toBe(201);
    const shown = await stage.call('GET', '/admin/tenants/acme');
    expect(shown.text).not.toMatch(new RegExp(`${secret}|hush`));
    expect(shown.body).toMatchObject({ serviceTokens: true, allowedRoutes: [{ auth: policy }] });

    const changed = { ...(shown.body as object), name: 'New' };
    const replaced = await stage.call('PUT', '/admin/tenants/acme', changed);
    expect(replaced).toMatchObject({ status: 200, body: changed });
    const text = (await stage.store.documents.get('tenant:acme')) ?? '';
    expect(JSON.parse(text)).toEqual({ ...stored, name: 'New' });

    const elsewhere = {
      idps: [
        {
          issuer: 'asked',
          introspection: { ...introspection, endpoint: 'https://evil.test/', clientSecret: { kept: true } },
        },
      ],
    };
    const refused = refusal(await stage.call('PATCH', '/admin/tenants/acme', elsewhere));
    expect(refused.status).toBe(400);
    expect(refused.fields).toContain('idps.0.introspection.clientSecret.env');
    expect(await stage.store.documents.get('tenant:acme')).toBe(text);
  });

  it('makes up an id where none is given', async () => {
    const { id: _, ...document } = tenantDocument('x');
    const created = await stage.call('POST', '/admin/tenants', document);
    expect(created.status).toBe(201);
    expect((await stage.call('GET', created.headers.get('location') ?? '')).body).toEqual(created.body);
  });

  it('refuses an id that is taken and leaves its tenant alone', async () => {
    await create('acme');
    const again = await stage.call('POST', '/admin/tenants', tenantDocument('acme', { name: 'Impostor' }));
    expect(refusal(again)).toMatchObject({ status: 409, code: 'already_exists' });
    expect((await stage.call('GET', '/admin/tenants/acme')).body).toMatchObject({ name: 'Tenant acme' });
  });

  it('lists page by page in the order of ids, each tenant once', async () => {
    for (const id of ['b', 'a', 'd', 'c', 'e']) await create(id);
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null; pages++) {
      expect(pages).toBeLessThan(4);
      const page = await stage.call('GET', `/admin/tenants?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...(page.body as { tenants: Array<{ id: string }> }).tenants.map(({ id }) => id));
      cursor = (page.body as { nextCursor: string | null }).nextCursor;
    }
    expect(seen).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect((await stage.call('GET', '/tenant?limit=200')).body).toMatchObject({
      nextCursor: null,
      tenants: { length: 5 },
    });
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=x',
    'limit=1.5',
    'limit=1&limit=2',
    'cursor=',
    'cursor=%00',
    'cursor=a&cursor=b',
  ])('refuses the page %s and names the parameter', async (query) => {
    const name = query.split('=')[0];
    for (const path of ['/admin/tenants', '/tenant', '/admin/routes']) {
      const answer = refusal(await stage.call('GET', `${path}?${query}`));
      expect(answer).toEqual({
        status: 400,
        code: 'validation_failed',
        fields: expect.arrayContaining([name]) as string[],
      });
    }
  });

  it('replaces a tenant: what is not sent is gone', async () => {
    const version = (await stage.call('POST', '/admin/tenants', FULL)).headers.get('etag') ?? '';
    const replaced = await stage.call('PUT', '/admin/tenants/acme', tenantDocument('acme'), {
      'If-Match': version,
    });
    expect(replaced.status).toBe(200);
    expect(replaced.body).toEqual(tenantDocument('acme'));
    expect(replaced.headers.get('etag')).not.toBe(version);
  });

  it('patches by RFC 7396: null removes, objects merge, lists replace', async () => {
    await stage.call('POST', '/admin/tenants', FULL);
    const patch = {
      name: 'New',
      rateLimit: { maxRequests: 7 },
      timeouts: null,
      allowedRoutes: [{ path: '/only' }],
    };
    const patched = await stage.call('PATCH', '/admin/tenants/acme', patch, {
      'Content-Type': 'application/merge-patch+json',
    });
    expect(patched.status).toBe(200);
    const { timeouts: _, ...rest } = FULL;
    expect(patched.body).toEqual({
      ...rest,
      name: 'New',
      rateLimit: { windowSeconds: 60, maxRequests: 7 },
      allowedRoutes: [{ path: '/only' }],
    });
  });

  it('keeps the fields of other programs through PUT and PATCH, and does not show them', async () => {
    await stage.foreignSet(
      'tenant:acme',
      JSON.stringify({ ...tenantDocument('acme'), owner: { password: 's3cret' } }),
    );
    const patched = await stage.call('PATCH', '/admin/tenants/acme', { name: 'A' });
    const replaced = await stage.call('PUT', '/admin/tenants/acme', tenantDocument('acme', { name: 'B' }));
    const listed = await stage.call('GET', '/tenant/acme');
    for (const { status, text } of [patched, replaced, listed]) {
      expect(status).toBe(200);
      expect(text).not.toContain('s3cret');
    }
    const stored = JSON.parse((await stage.store.documents.get('tenant:acme')) ?? '') as unknown;
    expect(stored).toMatchObject({ name: 'B', owner: { password: 's3cret' } });
  });

  it.each(['PUT', 'PATCH'])('does not let %s rename a tenant', async (method) => {
    await create('acme');
    const answer = await stage.call(method, '/admin/tenants/acme', tenantDocument('other'));
    expect(refusal(answer)).toEqual({ status: 400, code: 'validation_failed', fields: ['id'] });
    expect((await stage.call('GET', '/admin/tenants/other')).status).toBe(404);
  });

  it('suspends and resumes', async () => {
    await create('acme');
    expect((await stage.call('POST', '/admin/tenants/acme/suspend')).body).toMatchObject({ suspended: true });
    expect((await stage.call('GET', '/admin/tenants/acme')).body).toMatchObject({ suspended: true });
    expect((await stage.call('POST', '/admin/tenants/acme/resume')).body).toMatchObject({ suspended: false });
  });

  it('deletes a tenant with its keys, mappings and counters, and nothing of its successor is inherited', async () => {
    await create('acme');
    await create('other');
    const { key } = (await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k' })).body as {
      key: string;
    };
    const others = await stage.call('POST', '/admin/tenants/other/api-keys', { name: 'k' });
    await stage.store.ledgers.apply('acme', {
      source: 'test',
      seq: 1,
      after: 0,
      additions: [[TOTALS, 'requests', 7]],
      cycleAdditions: [],
    });
    expect((await stage.call('GET', '/admin/tenants/acme/usage')).body).toEqual({
      tenantId: 'acme',
      counters: { requests: 7 },
    });

    expect((await stage.call('DELETE', '/admin/tenants/acme')).status).toBe(204);
    expect((await stage.call('GET', '/tenant')).body).toMatchObject({ tenants: [{ id: 'other' }] });
    const left: string[] = [];
    for await (const found of stage.store.documents.scan('')) left.push(found);
    expect(left.filter((name) => name.includes('acme'))).toEqual([]);
    // The key was stored by its digest only: one mapping is left, the other tenant's.
    expect(left.filter((name) => name.startsWith('tenant:byApiKey:'))).toHaveLength(1);
    expect(left.join()).not.toContain(key);

    await create('acme');
    expect((await stage.call('GET', '/admin/tenants/acme/api-keys')).body).toMatchObject({ apiKeys: [] });
    expect((await stage.call('GET', '/admin/tenants/acme/usage')).body).toMatchObject({
      counters: { requests: 0 },
    });
    expect((await stage.call('GET', '/admin/tenants/other/api-keys')).body).toMatchObject({
      apiKeys: [{ active: true }],
    });
    expect(others.status).toBe(201);
  });

  it('ends keys that an interrupted deletion left before the id is given out again', async () => {
    await create('acme');
    await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k' });
    await stage.foreignDelete('tenant:acme');
    await create('acme');
    expect((await stage.call('GET', '/admin/tenants/acme/api-keys')).body).toEqual({
      apiKeys: [],
      nextCursor: null,
      total: 0,
    });
    for await (const found of stage.store.documents.scan('tenant:byApiKey:'))
      throw new Error(`left behind: ${found}`);
  });

  it.each(TENANT_OPERATIONS)(
    'answers 404 to $method /admin/tenants/{id}$path for ids that name no tenant',
    async (operation) => {
      const { method, path, body } = operation;
      const mapping = keys.apiKeyMapping('a'.repeat(64));
      await stage.foreignSet(mapping, 'acme');
      for (const id of [
        'nobody',
        `byApiKey:${'a'.repeat(64)}`,
        'x%2fy',
        encodeURIComponent('ü'.repeat(200)),
      ]) {
        const answer = await stage.call(method, `/admin/tenants/${id}${path}`, body);
        expect(refusal(answer)).toMatchObject({ status: 404, code: 'tenant_not_found' });
      }
      expect(await stage.store.documents.get(mapping)).toBe('acme');
    },
  );
});
