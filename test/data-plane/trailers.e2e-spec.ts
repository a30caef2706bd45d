import { startForwarding, type Forwarding } from '../support/forwarding';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

const CLOSE = { Connection: 'close' };

it.each([
  ['announced', 'Trailer: X-Sum, X-Count\r\n'],
  ['unannounced', ''],
])('passes %s response trailers behind the body', async (_, announcement) => {
  const upstream = await forwarding.raw(
    `HTTP/1.1 200 OK\r\n${announcement}Transfer-Encoding: chunked\r\n\r\n` +
      '3\r\nabc\r\n0\r\nX-Sum: 42\r\nX-Count: \xe9\r\n\r\n',
  );
  const client = await forwarding.send(upstream.key, 'GET /api/x', { TE: 'trailers', ...CLOSE });
  await client.closed;
  const [head = '', body] = client.received().split(/(?<=\r\n\r\n)(?=3\r\n)/);
  expect(body).toBe('3\r\nabc\r\n0\r\nX-Sum: 42\r\nX-Count: \xe9\r\n\r\n');
  expect(head.includes('Trailer: X-Sum, X-Count')).toBe(announcement !== '');
  expect(upstream.received()).toContain('TE: trailers\r\n');
});

it('passes trailers behind an empty body', async () => {
  const upstream = await forwarding.raw(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nGrpc-Status: 7\r\n\r\n',
  );
  const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
  await client.closed;
  expect(client.received()).toMatch(/\r\n\r\n0\r\nGrpc-Status: 7\r\n\r\n$/);
});

it('leaves them out for a client of HTTP/1.0, which has no chunks', async () => {
  const upstream = await forwarding.raw(
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n',
  );
  const client = await forwarding.send(upstream.key, 'GET /api/x HTTP/1.0');
  expect(await client.closed).toBe('end');
  expect(client.received()).toMatch(/\r\n\r\nabc$/);
});

it('drops the trailers of a request: no guard has judged them', async () => {
  const upstream = await forwarding.upstream();
  const client = await forwarding.send(upstream.key, 'POST /api/x', {
    Trailer: 'X-Forwarded-For',
    'Transfer-Encoding': 'chunked',
    ...CLOSE,
  });
  await client.send('3\r\nabc\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\nX-Sum: 42\r\n\r\n');
  await client.closed;
  expect(client.received()).toMatch(/^HTTP\/1\.1 200 /);
  expect(upstream.last()).toMatchObject({ bodyText: 'abc', rawTrailers: [] });
  expect(upstream.last().headers).not.toHaveProperty('trailer');
});
