import { keys } from '#libs/store';
import { hashApiKey } from '#libs/tenants';
import { describeStores, refusal, tenantDocument, type Stage } from './stage';

interface Created {
  id: string;
  name: string;
  prefix: string;
  createdAt: string;
  key: string;
}

describeStores('API keys', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start();
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
  });
  afterEach(() => stage.close());

  const create = async (tenant: string, name: string): Promise<Created> => {
    const created = await stage.call('POST', `/admin/tenants/${tenant}/api-keys`, { name });
    expect(created.status).toBe(201);
    return created.body as Created;
  };
  const mappingOf = (key: string): Promise<string | undefined> =>
    stage.store.documents.get(`tenant:byApiKey:${hashApiKey(key)}`);
  const recordOf = async (key: string): Promise<unknown> => JSON.parse((await mappingOf(key)) ?? 'null');

  it('keeps the record of a new key under its digest, where the data plane looks, and shows the key once', async () => {
    const answer = await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'billing' });
    const created = answer.body as Created;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(created).toMatchObject({
      name: 'billing',
      key: expect.stringMatching(/^gh_live_.{49}$/) as string,
    });
    expect(answer.headers.get('location')).toBe(`/admin/tenants/acme/api-keys/${created.id}`);
    expect(created.key.startsWith(created.prefix)).toBe(true);
    expect(created.prefix).toHaveLength(12);
    expect(Math.abs(Date.parse(created.createdAt) - Date.now())).toBeLessThan(60_000);

    const listed = await stage.call('GET', '/admin/tenants/acme/api-keys');
    const { key, ...record } = created;
    const { id, name, prefix, createdAt } = created;
    expect(await recordOf(key)).toEqual({ id, tenantId: 'acme', name, prefix, createdAt, enabled: true });
    expect(listed.body).toEqual({ apiKeys: [{ ...record, active: true }], nextCursor: null, total: 1 });
    for (const place of ['tenant:', 'gatehouse:{acme}:key:']) {
      for await (const found of stage.store.documents.scan(place)) {
        expect(found + (await stage.store.documents.get(found))).not.toContain(key);
      }
    }
    expect(JSON.stringify(stage.lines())).not.toContain(key);
  });

  it('lists the keys of one tenant, oldest first, page by page', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) {
      made.push((await create('acme', `key ${i}`)).id);
      await create('other', 'not listed');
      // Keys of one millisecond have no order.
      const now = Date.now();
      while (Date.now() === now);
    }
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await stage.call(
        'GET',
        `/admin/tenants/acme/api-keys?limit=2${cursor && `&cursor=${cursor}`}`,
      );
      const { apiKeys, nextCursor } = page.body as { apiKeys: Created[]; nextCursor: string | null };
      seen.push(...apiKeys.map(({ id }) => id));
      cursor = nextCursor;
    }
    expect(seen).toEqual(made);
  });

  it('revokes a key: mapping, record and entry are gone, other keys stay', async () => {
    const [first, second] = [await create('acme', 'first'), await create('acme', 'second')];
    expect(await stage.call('DELETE', `/admin/tenants/acme/api-keys/${first.id}`)).toMatchObject({
      status: 204,
      text: '',
    });
    expect(await mappingOf(first.key)).toBeUndefined();
    expect(await recordOf(second.key)).toMatchObject({ tenantId: 'acme', name: 'second' });
    const listed = await stage.call('GET', '/admin/tenants/acme/api-keys');
    expect(listed.body).toMatchObject({ apiKeys: [{ id: second.id }] });
    const again = refusal(await stage.call('DELETE', `/admin/tenants/acme/api-keys/${first.id}`));
    expect(again).toMatchObject({ status: 404, code: 'api_key_not_found' });
  });

  it('does not revoke the key of another tenant', async () => {
    const theirs = await create('other', 'theirs');
    for (const id of [theirs.id, hashApiKey(theirs.key), 'nope', '%2e%2e%2f', 'a'.repeat(500)]) {
      const answer = refusal(await stage.call('DELETE', `/admin/tenants/acme/api-keys/${id}`));
      expect(answer).toMatchObject({ status: 404, code: 'api_key_not_found' });
    }
    expect(await recordOf(theirs.key)).toMatchObject({ tenantId: 'other', name: 'theirs' });
  });

  it('revokes by digest a key that another program has mapped', async () => {
    const hash = hashApiKey('made-by-hand');
    await stage.foreignSet(keys.apiKeyMapping(hash), 'acme');
    expect((await stage.call('DELETE', `/admin/tenants/other/api-keys/${hash}`)).status).toBe(404);
    expect((await stage.call('DELETE', `/admin/tenants/acme/api-keys/${hash}`)).status).toBe(204);
    expect(await mappingOf('made-by-hand')).toBeUndefined();
    expect((await stage.call('DELETE', `/admin/tenants/acme/api-keys/${hash}`)).status).toBe(404);
  });

  it('revokes by digest a key of its own, record included', async () => {
    const { key } = await create('acme', 'k');
    expect((await stage.call('DELETE', `/admin/tenants/acme/api-keys/${hashApiKey(key)}`)).status).toBe(204);
    expect((await stage.call('GET', '/admin/tenants/acme/api-keys')).body).toMatchObject({ apiKeys: [] });
  });

  it('shows a key as inactive whose mapping another program has deleted, and still removes it', async () => {
    const { id, key } = await create('acme', 'k');
    await stage.foreignDelete(keys.apiKeyMapping(hashApiKey(key)));
    const listed = await stage.call('GET', '/admin/tenants/acme/api-keys');
    expect(listed.body).toMatchObject({ apiKeys: [{ id, active: false }] });
    expect((await stage.call('DELETE', `/admin/tenants/acme/api-keys/${id}`)).status).toBe(204);
  });

  it.each([{}, { name: '' }, { name: 7 }, { name: 'x'.repeat(101) }, { name: null }, { name: ['x'] }])(
    'refuses the name in %j',
    async (body) => {
      const answer = refusal(await stage.call('POST', '/admin/tenants/acme/api-keys', body));
      expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
      expect(new Set(answer.fields)).toEqual(new Set(['name']));
      for await (const found of stage.store.documents.scan('tenant:byApiKey:'))
        throw new Error(`stored: ${found}`);
    },
  );
});
