import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';
import { parseResponse, statusesOf } from '../support/raw-request';

const ROUTES = [{ path: '/open' }, { path: '/read-only', methods: ['GET'] }];
const EXPECTING = { Expect: '100-continue', 'Content-Length': 5 };

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({ MAX_BODY_BYTES: '1000' });
});

it('asks for the body only when every guard has let the request pass, and forwards it then', async () => {
  const upstream = await forwarding.upstream(undefined, { allowedRoutes: ROUTES });
  const client = await forwarding.send(upstream.key, 'POST /api/open/1', EXPECTING);
  expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
  await client.send('hello');
  await client.until(/\r\n\r\n\{.*\}$/s);
  expect(statusesOf(client.received())).toEqual([100, 200]);
  expect(upstream.last()).toMatchObject({ bodyText: 'hello' });
  // Answered by the gateway, so the upstream must not answer it once more.
  expect(upstream.last().headers).not.toHaveProperty('expect');
  expect((await outcomeOf(forwarding.gateway, '/api/open/1')).access).toMatchObject({
    status: 200,
    bytesIn: 5,
  });
});

it('also for a chunked body, and for a client that does not wait', async () => {
  const upstream = await forwarding.upstream(undefined, { allowedRoutes: ROUTES });
  const { Expect } = EXPECTING;
  const client = await forwarding.send(upstream.key, 'POST /api/open', {
    Expect,
    'Transfer-Encoding': 'chunked',
  });
  await client.send('5\r\nhello\r\n0\r\n\r\n');
  await client.until(/\r\n\r\n\{.*\}$/s);
  expect(statusesOf(client.received())).toEqual([100, 200]);
  expect(upstream.last()).toMatchObject({ bodyText: 'hello' });
});

describe('a request that a guard refuses gets its refusal and no 100', () => {
  it.each([
    ['no key', '/api/open', { 'X-API-Key': '' }, 401, 'missing_api_key'],
    ['a wrong key', '/api/open', { 'X-API-Key': 'gh_live_wrong' }, 401, 'invalid_api_key'],
    ['a method that the route does not take', '/api/read-only', {}, 403, 'route_not_allowed'],
    ['a body that is too large', '/api/open', { 'Content-Length': 1001 }, 413, 'body_too_large'],
    ['another expectation', '/api/open', { Expect: '200-maybe' }, 417, 'expectation_failed'],
  ])('%s', async (_, path, fields, status, code) => {
    const upstream = await forwarding.upstream(undefined, { allowedRoutes: ROUTES });
    const client = await forwarding.send(upstream.key, `POST ${path}`, { ...EXPECTING, ...fields });
    await client.closed;
    expect(statusesOf(client.received())).toEqual([status]);
    const refusal = parseResponse(client.received());
    expect(refusal.headers).toMatchObject({
      connection: 'close',
      'content-type': 'application/problem+json',
    });
    expect(JSON.parse(refusal.body)).toMatchObject({ code, status });
    expect(upstream.requests).toHaveLength(0);
  });

  it('the rate limit', async () => {
    const upstream = await forwarding.upstream(undefined, {
      rateLimit: { windowSeconds: 3600, maxRequests: 1 },
    });
    const send = () => forwarding.send(upstream.key, 'POST /api/open', EXPECTING);
    const first = await send();
    await first.until('100 Continue');
    const second = await send();
    await second.closed;
    expect(statusesOf(second.received())).toEqual([429]);
    first.destroy();
  });

  it('nor does one whose upstream cannot be reached', async () => {
    const upstream = await forwarding.upstream();
    await upstream.stop();
    const client = await forwarding.send(upstream.key, 'POST /api/open', EXPECTING);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([502]);
  });
});

it('a client of HTTP/1.0 gets no interim response, whatever it expects', async () => {
  const upstream = await forwarding.upstream();
  const client = await forwarding.send(upstream.key, 'POST /api/open HTTP/1.0', EXPECTING);
  await client.send('hello');
  await client.closed;
  expect(statusesOf(client.received())).toEqual([200]);
  expect(upstream.last()).toMatchObject({ bodyText: 'hello' });
});
