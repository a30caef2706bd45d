import { waitFor } from '../support/children';
import { rawAnswer } from '../support/raw-answer';
import { send } from '../support/traffic';
import { cacheStatus, startCached, type CacheSetup } from '../data-plane/cache-setup';

let setup: CacheSetup;
beforeAll(async () => void (setup = await startCached()));

it('a head that announces trailers after a body of a known length does not end the process', async () => {
  const body = 'x'.repeat(5000);
  const { key } = await setup.upstream(
    (_request, response) =>
      void response.socket?.end(
        `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTrailer: X-Sum\r\nContent-Length: 5000\r\n\r\n${body}`,
      ),
    { id: 'announced', compression: true },
  );
  for (const coding of ['gzip', 'identity']) {
    const headers = { 'X-API-Key': key, 'Accept-Encoding': coding };
    const answer = await rawAnswer(`${setup.gateway.url}/api/x`, headers);
    expect([answer.status, answer.headers.trailer]).toEqual([200, undefined]);
  }
  expect((await send(`${setup.gateway.url}/livez`)).status).toBe(200);
});

it('what is stored for one key that an upstream gets is nobody else’s', async () => {
  const { id, asked, upstream } = await setup.cached({ ttlSeconds: 60 }, (request) => ({
    body: `for ${String(request.headers['x-api-key'])}`,
  }));
  const service = await setup.gateway.admin('POST', `/admin/tenants/${id}/services`, {
    name: 'mine',
    targets: [{ url: upstream.url }],
  });
  expect(service.status).toBe(201);
  const routes = [
    { name: 'open', path: '/agents', backends: [{ service: String(service.body.id) }], forwardApiKey: true },
  ];
  const published = await setup.gateway.admin('PUT', `/admin/tenants/${id}/publication`, { routes });
  expect(published.status).toBe(200);
  const url = `${setup.gateway.url}/agents/me`;
  await waitFor('the route', async () => (await send(url)).status === 200);
  const before = asked();
  const bodies = [];
  for (const key of ['a', 'b', 'a', undefined])
    bodies.push((await send(url, { headers: key === undefined ? {} : { 'X-API-Key': key } })).body);
  expect(bodies).toEqual(['for a', 'for b', 'for a', 'for undefined']);
  expect(asked()).toBe(before + 2);
});

it.each([
  ['HEAD', {}],
  ['GET', { Range: 'bytes=0-1' }],
])('a stale response that %s %j has renewed is whole', async (method, headers) => {
  const { get, asked, upstream } = await setup.cached(
    { staleWhileRevalidateSeconds: 60 },
    (request, count) => ({
      headers: { 'Cache-Control': asked() > 1 ? 'max-age=60' : 'max-age=0', ETag: `"${count}"` },
      body: request.method === 'HEAD' ? '' : `answer ${count}`,
    }),
  );
  await get('/api/x');
  const before = asked();
  await get('/api/x', headers, { method });
  await waitFor('the new one', async () => (await get('/api/x')).body === `answer ${before + 1}`);
  expect(upstream.requests.at(-1)).toMatchObject({ method: 'GET' });
  expect(upstream.requests.at(-1)?.headers).not.toHaveProperty('range');
});

it('a target whose failures are covered by stale answers has failed all the same', async () => {
  const { get, behave, asked } = await setup.cached(
    { staleIfErrorSeconds: 600 },
    (_request, count) => ({ headers: { 'Cache-Control': 'max-age=0' }, body: `answer ${count}` }),
    { breaker: { failures: 3 } },
  );
  await get('/api/x');
  behave(() => ({ status: 503 }));
  await waitFor('the breaker', async () => {
    const answer = await get('/api/x');
    expect([answer.status, answer.body]).toEqual([200, 'answer 1']);
    return asked() === 4 && cacheStatus(answer).includes('stale');
  });
  // Open: the stale one goes on standing in, and the target is left alone.
  for (let i = 0; i < 5; i++) expect((await get('/api/x')).body).toBe('answer 1');
  expect(asked()).toBe(4);
});

it('a chunked body that is kept to be signed is as small as the route wants it', async () => {
  const { key, requests } = await setup.upstream(undefined, {
    id: 'small',
    maxBodyBytes: 1024,
    signatureKeys: { k: { secret: 'k7Qm2xVb9RtY4wZc8NhJ5sLd3PfG6uAe' } },
    signing: { key: 'k' },
  });
  const sent = await fetch(`${setup.gateway.url}/api/x`, {
    method: 'POST',
    headers: { 'X-API-Key': key },
    body: new Blob(['x'.repeat(9000)]).stream(),
    duplex: 'half',
  });
  expect(sent.status).toBe(413);
  expect(requests).toEqual([]);
});
