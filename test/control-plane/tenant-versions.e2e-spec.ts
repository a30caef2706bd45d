import { waitFor } from '../support/children';
import { describeStores, refusal, tenantDocument, type Stage } from './stage';
import { TENANT_OPERATIONS } from './tenant-operations';

describeStores('versions of a tenant', (start) => {
  let stage: Stage;
  beforeEach(async () => void (stage = await start()));
  afterEach(() => stage.close());

  const create = async (id: string, more?: Record<string, unknown>): Promise<string> => {
    const created = await stage.call('POST', '/admin/tenants', tenantDocument(id, more));
    expect(created.status).toBe(201);
    return created.headers.get('etag') ?? '';
  };

  it('answers 304 while nothing has changed', async () => {
    const version = await create('acme');
    const same = await stage.call('GET', '/admin/tenants/acme', undefined, { 'If-None-Match': version });
    expect(same).toMatchObject({ status: 304, text: '' });
    await stage.call('PATCH', '/admin/tenants/acme', { name: 'New' });
    expect(
      (await stage.call('GET', '/admin/tenants/acme', undefined, { 'If-None-Match': version })).status,
    ).toBe(200);
  });

  // Keys have versions of their own; what the cache holds has none.
  const CHANGES = TENANT_OPERATIONS.filter(
    ({ method, path }) => method !== 'GET' && !/^\/(?:api-keys|cache)/.test(path),
  );

  it.each(CHANGES)(
    'refuses $method $path of another version with 412 and changes nothing',
    async (operation) => {
      const { method, path, body } = operation;
      const version = await create('acme', { allowedRoutes: [{ path: '/x' }, { path: '/y' }] });
      const before = await stage.store.documents.get('tenant:acme');
      const send = (tags: string) =>
        stage.call(method, `/admin/tenants/acme${path}`, body, { 'If-Match': tags });
      for (const tags of ['"0000"', `W/${version}`, '"a", W/"b"']) {
        expect(refusal(await send(tags))).toMatchObject({ status: 412, code: 'precondition_failed' });
      }
      for (const malformed of ['abc', '"abc', '']) {
        expect(refusal(await send(malformed))).toMatchObject({ status: 400, code: 'bad_request' });
      }
      expect(await stage.store.documents.get('tenant:acme')).toBe(before);
    },
  );

  it('accepts the current version, alone, in a list, or as *', async () => {
    for (const name of ['one', 'two', 'three']) {
      const version =
        (await stage.call('GET', '/admin/tenants/acme')).headers.get('etag') ?? (await create('acme'));
      const tags = { one: version, two: `"x", ${version}`, three: '*' }[name] ?? '';
      const changed = await stage.call('PATCH', '/admin/tenants/acme', { name }, { 'If-Match': tags });
      expect(changed).toMatchObject({ status: 200, body: { name } });
    }
  });

  /** Holds back the first `count` reads of a key until all of them have come, so that none sees another's write. */
  const readTogether = (key: string, count: number): void => {
    const { documents } = stage.store;
    const get = documents.get.bind(documents);
    const waiting: Array<() => void> = [];
    documents.get = async (asked) => {
      const value = await get(asked);
      if (asked === key && waiting.length < count) {
        await new Promise<void>((resolve) => {
          if (waiting.push(resolve) === count) for (const go of waiting) go();
        });
      }
      return value;
    };
  };

  it('takes 50 changes of one version at once: exactly one wins', async () => {
    const version = await create('acme');
    readTogether('tenant:acme', 50);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        stage.call('PATCH', '/admin/tenants/acme', { name: `writer ${i}` }, { 'If-Match': version }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 412)).toHaveLength(49);
    expect((await stage.call('GET', '/admin/tenants/acme')).body).toEqual(won[0]?.body);
  });

  it('lets one of 10 simultaneous deletions of a version win', async () => {
    const version = await create('acme');
    readTogether('tenant:acme', 10);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () =>
        stage.call('DELETE', '/admin/tenants/acme', undefined, { 'If-Match': version }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array<number>(9).fill(404)]);
  });

  it('loses none of 30 changes made at once without a version', async () => {
    await create('acme', { allowedRoutes: [] });
    readTogether('tenant:acme', 30);
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        stage.call('POST', '/admin/tenants/acme/routes', { path: `/r${i}` }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(30).fill(201));
    const { allowedRoutes } = (await stage.call('GET', '/admin/tenants/acme')).body as {
      allowedRoutes: unknown[];
    };
    expect(allowedRoutes).toHaveLength(30);
  });

  it('lets one of 20 simultaneous creations of an id win', async () => {
    readTogether('tenant:acme', 20);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        stage.call('POST', '/admin/tenants', tenantDocument('acme', { name: `${i}` })),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    await waitFor(
      'the list',
      async () => ((await stage.call('GET', '/tenant')).body as { tenants: unknown[] }).tenants.length === 1,
    );
  });
});
