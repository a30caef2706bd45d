import { waitFor } from '../support/children';
import { describeRedis, startCluster, startRedis } from '../support/redis';
import { describeStores, refusal, startStage, tenantDocument, type Stage } from './stage';

const listedIds = async (stage: Stage): Promise<string[]> => {
  const { body } = await stage.call('GET', '/admin/tenants?limit=200');
  return (body as { tenants: Array<{ id: string }> }).tenants.map(({ id }) => id);
};

describeStores('tenants that other programs write', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start();
    await stage.call('POST', '/admin/tenants', tenantDocument('ours'));
  });
  afterEach(() => stage.close());

  it('appear in lists, and leave them again', async () => {
    // One after the other: the first may be found by the scan at the start, the later ones only by following.
    for (const id of ['a', 'b', 'c']) {
      await stage.foreignSet(`tenant:${id}`, JSON.stringify(tenantDocument(id)));
      await waitFor('the lists to follow', async () => (await listedIds(stage)).includes(id));
      expect((await stage.call('GET', '/admin/routes')).text).toContain(`"${id}"`);
    }
    await stage.foreignDelete('tenant:b');
    await waitFor('the lists to follow', async () => !(await listedIds(stage)).includes('b'));
    expect(await listedIds(stage)).toEqual(['a', 'c', 'ours']);
  });

  it('go by the id of their key, as in the documented example', async () => {
    await stage.foreignSet('tenant:acme-123', JSON.stringify(tenantDocument('tenant-acme')));
    expect((await stage.call('GET', '/tenant/acme-123')).body).toMatchObject({
      id: 'acme-123',
      name: 'Tenant tenant-acme',
    });
    const patched = await stage.call('PATCH', '/admin/tenants/acme-123', { name: 'New' });
    expect(patched).toMatchObject({ status: 200, body: { id: 'acme-123', name: 'New' } });
    expect((await stage.call('GET', '/tenant/tenant-acme')).status).toBe(404);
  });

  it('can be changed under the version they were read in, and only under that', async () => {
    await stage.foreignSet('tenant:byhand', JSON.stringify(tenantDocument('byhand')));
    const version = (await stage.call('GET', '/tenant/byhand')).headers.get('etag') ?? '';
    await stage.foreignSet(
      'tenant:byhand',
      JSON.stringify(tenantDocument('byhand', { name: 'Changed meanwhile' })),
    );
    const late = await stage.call(
      'PATCH',
      '/admin/tenants/byhand',
      { name: 'Late' },
      { 'If-Match': version },
    );
    expect(refusal(late)).toMatchObject({ status: 412, code: 'precondition_failed' });
  });

  const CORRUPT: Array<[what: string, text: string, problem: string]> = [
    ['no JSON', '{"id": "corrupt", "name": ', ''],
    ['an empty text', '', ''],
    ['a list', '[]', ''],
    ['null', 'null', ''],
    [
      'an upstream that is none',
      JSON.stringify(tenantDocument('corrupt', { upstreamBaseUrl: 'nowhere' })),
      'upstreamBaseUrl',
    ],
    [
      'routes of a wrong type',
      JSON.stringify(tenantDocument('corrupt', { allowedRoutes: { path: '/' } })),
      'allowedRoutes',
    ],
    [
      'a password in its URL',
      JSON.stringify(tenantDocument('corrupt', { upstreamBaseUrl: 'http://u:s3cret@x' })),
      'upstreamBaseUrl',
    ],
  ];

  it.each(CORRUPT)(
    'that are %s are listed with their problems, and do not hide others',
    async (_what, text, field) => {
      await stage.foreignSet('tenant:corrupt', text);
      await waitFor('the lists to follow', async () => (await listedIds(stage)).length === 2);
      const { body, text: listed } = await stage.call('GET', '/admin/tenants');
      const problems = [{ field, message: expect.any(String) as string }];
      expect(body).toEqual({
        tenants: [{ id: 'corrupt', problems }, tenantDocument('ours')],
        nextCursor: null,
        total: 2,
      });
      expect(listed).not.toContain('s3cret');
      const shown = await stage.call('GET', '/admin/tenants/corrupt');
      expect(shown).toMatchObject({ status: 200, body: { id: 'corrupt', problems } });
      expect(shown.headers.get('etag')).toMatch(/^"[0-9a-f]{40}"$/);

      expect(refusal(await stage.call('POST', '/admin/tenants', tenantDocument('corrupt'))).status).toBe(409);
      expect(refusal(await stage.call('POST', '/admin/tenants/corrupt/suspend'))).toMatchObject({
        status: 400,
      });
      const replaced = await stage.call('PUT', '/admin/tenants/corrupt', tenantDocument('corrupt'), {
        'If-Match': shown.headers.get('etag') ?? '',
      });
      expect(replaced).toMatchObject({ status: 200, body: tenantDocument('corrupt') });
    },
  );

  it('can be deleted when they are corrupt', async () => {
    await stage.foreignSet('tenant:corrupt', '{');
    expect((await stage.call('DELETE', '/admin/tenants/corrupt')).status).toBe(204);
    expect(await stage.store.documents.get('tenant:corrupt')).toBeUndefined();
  });

  it('are not left out of lists by an index entry without a document, which is removed', async () => {
    await stage.store.documents.indexAdd('gatehouse:tenants', 'a-crash-left-this');
    expect(await listedIds(stage)).toEqual(['ours']);
    expect(await stage.store.documents.indexPage('gatehouse:tenants', '', 10)).toEqual(['ours']);
  });
});

describeRedis('tenants in a Redis that was filled before we came', () => {
  it('are found by the scan at the start, thousands of them', async () => {
    const redis = await startRedis();
    for (let i = 0; i < 2500; i += 500) {
      const pairs = Array.from({ length: 500 }, (_, j) => [
        `tenant:t${i + j}`,
        JSON.stringify(tenantDocument(`t${i + j}`)),
      ]);
      await redis.cli('MSET', ...pairs.flat());
    }
    await redis.cli('SET', `tenant:byApiKey:${'0'.repeat(64)}`, 't1');
    await redis.cli('RPUSH', 'tenant:list', 'not', 'a', 'document');
    const stage = await startStage({ env: { REDIS_URL: redis.url } });
    await waitFor(
      'the lists to follow',
      async () => (await stage.store.documents.indexPage('gatehouse:tenants', '', 5000)).length === 2501,
    );
    expect(await listedIds(stage)).toHaveLength(200);
    const broken = await stage.call('GET', '/admin/tenants/list');
    expect(broken).toMatchObject({ status: 200, body: { id: 'list', problems: [{ field: '' }] } });
    expect(refusal(await stage.call('GET', '/admin/tenants/list/routes')).status).toBe(503);
    await stage.close();
    await redis.stop();
  });

  it('are found again after the connection was lost, with what was written meanwhile', async () => {
    const redis = await startRedis({ aof: true });
    const stage = await startStage({ env: { REDIS_URL: redis.url } });
    await stage.call('POST', '/admin/tenants', tenantDocument('ours'));
    await redis.stop();
    const away = await stage.call('GET', '/admin/tenants');
    expect(refusal(away)).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect(away.headers.get('retry-after')).toBe('1');
    const change = await stage.call('PATCH', '/admin/tenants/ours', { name: 'New' });
    expect(refusal(change)).toMatchObject({ status: 503, code: 'store_unavailable' });
    expect((await stage.call('GET', '/admin/health')).status).toBe(200);
    expect((await stage.call('GET', '/admin/status')).body).toMatchObject({
      store: 'redis',
      storeState: 'away',
    });

    await redis.restart();
    await redis.cli('SET', 'tenant:meanwhile', JSON.stringify(tenantDocument('meanwhile')));
    await waitFor(
      'the lists to follow',
      async () => (await stage.call('GET', '/admin/tenants')).status === 200,
    );
    await waitFor('the lists to follow', async () => (await listedIds(stage)).length === 2);
    expect(await listedIds(stage)).toEqual(['meanwhile', 'ours']);
    await stage.close();
    await redis.stop();
  });
});

describeRedis('tenants in a Redis Cluster', () => {
  it('are managed on whatever node they lie, also those that other programs write', async () => {
    const cluster = await startCluster();
    const stage = await startStage({ env: { REDIS_CLUSTER_NODES: cluster.addresses.join(',') } });
    const ids = Array.from({ length: 20 }, (_, i) => `t${i}`).sort();
    for (const id of ids.slice(1)) {
      // A node is connected to when it is first needed; until then it counts as away (503).
      await waitFor(`the node of ${id}`, async () => {
        const { status } = await stage.call('POST', '/admin/tenants', tenantDocument(id));
        return [201, 409].includes(status);
      });
    }
    await cluster.cli('SET', `tenant:${ids[0]}`, JSON.stringify(tenantDocument(ids[0] ?? '')));
    await waitFor('the lists to follow', async () => (await listedIds(stage)).length === ids.length);
    expect(await listedIds(stage)).toEqual(ids);
    for (const id of ids) {
      const path = `/admin/tenants/${id}`;
      const { key, ...record } = (await stage.call('POST', `${path}/api-keys`, { name: 'k' })).body as {
        key: string;
      };
      expect((await stage.call('GET', `${path}/api-keys`)).body).toMatchObject({
        apiKeys: [{ ...record, active: true }],
      });
      expect((await stage.call('PATCH', path, { name: key.slice(0, 5) })).status).toBe(200);
      expect((await stage.call('DELETE', path)).status).toBe(204);
    }
    expect(await listedIds(stage)).toEqual([]);
    await stage.close();
    await cluster.stop();
  });
});
