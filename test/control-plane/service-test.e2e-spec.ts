import { startHttp2Upstream } from '../support/http2-upstream';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { callAs, furnish, type Furnished } from './portal-calls';
import { refusal, startStage, tenantDocument, type Stage } from './stage';

describe('a test call of a service', () => {
  let stage: Stage;
  let upstream: TestUpstream;
  let acme: Furnished;
  let path: string;
  beforeAll(async () => {
    upstream = await startUpstream((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        response.setHeader('X-Seen', String(request.headers['x-test'] ?? ''));
        if (request.url === '/moved') response.writeHead(302, { Location: 'http://127.0.0.1:1/' });
        const long = request.url === '/long' ? 'ä'.repeat(100_000) : '';
        response.end(`${request.method} ${request.url} ${Buffer.concat(chunks).toString()}${long}`);
      });
    });
    stage = await startStage({ env: { ALLOW_PRIVATE_UPSTREAMS: 'true' } });
    acme = await furnish(stage, 'acme');
    const targets = [{ url: `${upstream.url}` }, { url: 'http://127.0.0.1:1' }];
    await stage.call('PATCH', `${acme.admin}/services/${acme.serviceId}`, { targets });
    path = `${acme.admin}/services/${acme.serviceId}/test`;
  });
  afterAll(async () => {
    await stage.close();
    await upstream.stop();
  });

  it('shows what the target answers', async () => {
    const call = { method: 'POST', path: '/x?y=1', headers: { 'X-Test': 'seen' }, body: 'hello' };
    const answer = await stage.call('POST', path, call);
    expect([answer.status, answer.body]).toMatchObject([
      200,
      { target: upstream.url, url: `${upstream.url}/x?y=1`, status: 200, body: 'POST /x?y=1 hello', truncated: false, problem: null },
    ]); // prettier-ignore
    expect(answer.body).toMatchObject({ headers: { 'x-seen': 'seen' } });
    expect((await stage.call('POST', path, {})).body).toMatchObject({ status: 200, body: 'GET / ' });
    expect((await stage.call('POST', path, { path: '/moved' })).body).toMatchObject({ status: 302 });
    const long = (await stage.call('POST', path, { path: '/long' })).body as {
      body: string;
      truncated: boolean;
    };
    expect([long.truncated, Buffer.byteLength(long.body) <= 65_540]).toEqual([true, true]);
  });

  it('speaks HTTP/2 where the target does', async () => {
    const spoken = await startHttp2Upstream();
    const targets = [{ url: spoken.url }];
    const { body } = await stage.call('POST', `${acme.admin}/services`, { name: 'h2c', targets });
    const own = `${acme.admin}/services/${(body as { id: string }).id}/test`;
    const answer = await stage.call('POST', own, { method: 'POST', path: '/x?y=1', body: 'hello' });
    expect(answer.body).toMatchObject({
      target: spoken.url,
      url: `${spoken.url}/x?y=1`,
      status: 200,
      problem: null,
    });
    expect(spoken.requests.map(({ headers, body: sent }) => [headers[':path'], String(sent)])).toEqual([
      ['/x?y=1', 'hello'],
    ]);
    await spoken.stop();
  });

  it('says why there was no answer', async () => {
    const answer = await stage.call('POST', path, { target: 'http://127.0.0.1:1' });
    expect(answer.body).toMatchObject({ status: null, body: null, problem: 'the connection was refused' });
  });

  it('goes nowhere else, and pretends to be nobody', async () => {
    const wrong: Array<[object, string]> = [
      [{ target: 'http://127.0.0.1:2' }, 'target'],
      [{ path: 'http://evil.test/' }, 'path'],
      [{ path: 'no-slash' }, 'path'],
      [{ method: 'TRACE' }, 'method'],
      [{ headers: { Host: 'evil' } }, 'headers.Host'],
      [{ headers: { 'X-Forwarded-For': '1.2.3.4' } }, 'headers.X-Forwarded-For'],
      [{ headers: { A: 'b\r\nC: d' } }, 'headers.A'],
      [{ headers: { A: 1 } }, 'headers.A'],
      [{ more: 1 }, 'more'],
    ];
    for (const [call, field] of wrong)
      expect([call, refusal(await stage.call('POST', path, call)).fields]).toEqual([call, [field]]);
    const missing = await stage.call('POST', `${acme.admin}/services/99/test`, {});
    expect(refusal(missing)).toMatchObject({ status: 404, code: 'service_not_found' });
    const strict = await startStage({ env: { ALLOW_PRIVATE_UPSTREAMS: 'false' } });
    await strict.call(
      'POST',
      '/admin/tenants',
      tenantDocument('far', { upstreamBaseUrl: 'http://far.test' }),
    );
    const farAway = { name: 'x', targets: [{ url: 'http://far.test' }] };
    const made = await strict.call('POST', '/admin/tenants/far/services', farAway);
    const { id: farId } = made.body as { id: string };
    await strict.foreignSet(
      `tenant:service:${farId}`,
      JSON.stringify({ id: farId, tenantId: 'far', name: 'x', createdAt: '2030-01-01T00:00:00.000Z', targets: [{ url: upstream.url }] }),
    ); // prettier-ignore
    const inward = await strict.call('POST', `/admin/tenants/far/services/${farId}/test`, {});
    expect(inward.body).toMatchObject({
      status: null,
      problem: 'the address of the target is not permitted',
    });
    await strict.close();
  });

  it('stays below the path of its target, as requests do, however that is spelt', async () => {
    const targets = [{ url: `${upstream.url}/base/` }];
    await stage.call('PATCH', `${acme.admin}/services/${acme.serviceId}`, { targets });
    for (const [asked, got] of [
      ['/', '/base/'],
      ['/a/../b?c=/../d', '/base/b?c=/../d'],
      ['/a/%2e%2e/b', '/base/b'],
    ])
      expect((await stage.call('POST', path, { path: asked })).body).toMatchObject({ body: `GET ${got} ` });
    for (const climbing of ['/../x', '/%2e%2e/x', '/a/../../x', '/..%2fx', '/..\\x', '/..;/x'])
      expect([climbing, refusal(await stage.call('POST', path, { path: climbing })).fields]).toEqual([
        climbing,
        ['path'],
      ]);
  });

  it('is for those who may change the service', async () => {
    const own = `/services/${acme.serviceId}/test`;
    expect((await callAs(stage, acme.manager.key)('POST', own, {})).body).toMatchObject({ status: 200 });
    expect((await callAs(stage, undefined)('POST', own, {})).status).toBe(401);
    expect(refusal(await callAs(stage, acme.consumer.key)('POST', own, {})).status).toBe(403);
    const other = await furnish(stage, 'other');
    expect((await callAs(stage, other.manager.key)('POST', own, {})).status).toBe(404);
  });
});

describe('lists that are searched', () => {
  it('find by the beginnings of words, and say how many there are of all', async () => {
    const stage = await startStage();
    const acme = await furnish(stage, 'acme');
    await furnish(stage, 'beta');
    await acme.keyWith({ name: 'Mobile App', labels: { team: 'payments' } });
    const found = async (path: string, list: string, by = 'name'): Promise<unknown[]> => {
      const { body } = await stage.call('GET', path);
      const entries = (body as Record<string, Array<Record<string, unknown>>>)[list] ?? [];
      expect((body as { total: unknown }).total).toBe(path.includes('search') ? null : entries.length);
      return entries.map((entry) => entry[by]);
    };
    expect(await found('/admin/tenants', 'tenants', 'id')).toEqual(['acme', 'beta']);
    expect(await found('/admin/tenants?search=BET', 'tenants', 'id')).toEqual(['beta']);
    expect(await found('/admin/tenants?search=tenant', 'tenants', 'id')).toEqual(['acme', 'beta']);
    expect(await found('/admin/tenants?search=eta', 'tenants', 'id')).toEqual([]);
    const keys = `${acme.admin}/api-keys`;
    expect(await found(keys, 'apiKeys')).toHaveLength(3);
    for (const search of ['app', 'payments', 'mobile%20a'])
      expect(await found(`${keys}?search=${search}`, 'apiKeys')).toEqual(['Mobile App']);
    expect(await found(`${keys}?search=gh_live_`, 'apiKeys')).toHaveLength(3);
    expect(await found(`${acme.admin}/services?search=service`, 'services')).toHaveLength(1);
    const portal = await callAs(stage, acme.manager.key)('GET', '/api-keys?search=mob&limit=1');
    expect(portal.body).toMatchObject({ api_keys: [{ name: 'Mobile App' }], next_cursor: null, total: null });
    expect((await callAs(stage, acme.manager.key)('GET', '/services')).body).toMatchObject({ total: 1 });
    expect(refusal(await stage.call('GET', `/admin/tenants?search=${'x'.repeat(101)}`)).fields).toEqual([
      'search',
    ]);
    await stage.close();
  });
});
