import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import type { Tenant } from '#libs/tenants';
import { waitFor } from '../support/children';
import { requestHead, settled, type ClientConnection } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { allOver, metric, outcomeOf } from '../support/outcomes';
import { parseResponse } from '../support/raw-request';
import { startUpstream } from '../support/upstream';

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({ FIRST_BYTE_TIMEOUT_MS: '400', IDLE_TIMEOUT_MS: '60000' });
});

/** An upstream that echoes every message of a WebSocket, with what it saw of the handshakes. */
async function startEcho(tenant: Partial<Tenant> = {}) {
  const handshakes: IncomingMessage[] = [];
  const sockets: WebSocket[] = [];
  const upstream = await startUpstream();
  const server = new WebSocketServer({
    server: upstream.server,
    handleProtocols: (offered) => [...offered].at(-1)!,
  });
  server.on('connection', (socket, request) => {
    handshakes.push(request);
    sockets.push(socket);
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('error', () => undefined);
  });
  stops.push(
    () => upstream.stop(),
    () => sockets.forEach((socket) => socket.terminate()),
  );
  return { port: upstream.port, key: await forwarding.keyFor(upstream.url, tenant), handshakes, sockets };
}
const stops: Array<() => unknown> = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

/** An upstream that does with the raw socket of a handshake what it is told. */
async function startHandshakes(
  react: (socket: Duplex, request: IncomingMessage) => void,
  tenant?: Partial<Tenant>,
) {
  const upstream = await forwarding.upstream(undefined, tenant);
  const sockets: Duplex[] = [];
  upstream.server.on('upgrade', (request, socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    socket.resume();
    react(socket, request);
  });
  stops.push(() => sockets.forEach((socket) => socket.destroy()));
  return { ...upstream, sockets };
}

async function open(key: string, path: string, protocols: string[] = []): Promise<WebSocket> {
  const url = `${forwarding.gateway.url.replace('http', 'ws')}${path}`;
  const socket = new WebSocket(url, protocols, { headers: { 'X-API-Key': key } });
  stops.push(() => socket.terminate());
  await once(socket, 'open');
  return socket;
}

const knock = (key: string, path: string, fields = {}): Promise<ClientConnection> =>
  forwarding.send(key, `GET ${path}`, { ...UPGRADE, ...fields });

async function message(socket: WebSocket): Promise<Buffer> {
  return ((await once(socket, 'message')) as [Buffer])[0];
}

describe('a WebSocket that every guard lets pass', () => {
  it('carries text, binary frames of 1 MiB, pings and pongs both ways', async () => {
    const upstream = await startEcho();
    const client = await open(upstream.key, '/api/echo');
    client.send('hello');
    expect((await message(client)).toString()).toBe('hello');
    const megabyte = Buffer.alloc(1024 * 1024, 7);
    for (let round = 0; round < 3; round++) {
      client.send(megabyte);
      expect((await message(client)).equals(megabyte)).toBe(true);
    }
    client.ping('from the client');
    expect(String((await once(client, 'pong'))[0])).toBe('from the client');
    const pinged = once(client, 'ping');
    upstream.sockets[0]?.ping('from the upstream');
    expect(String((await pinged)[0])).toBe('from the upstream');

    client.close(4001, 'bye');
    const [code, reason] = (await once(client, 'close')) as [number, Buffer];
    expect([code, reason.toString()]).toEqual([4001, 'bye']);
    const { access, refusal } = await outcomeOf(forwarding.gateway, '/api/echo');
    expect(access).toMatchObject({ status: 101, decision: 'allow', method: 'GET' });
    expect(access.bytesIn).toBeGreaterThan(3 * megabyte.length);
    expect(access.bytesOut).toBeGreaterThan(3 * megabyte.length);
    expect(access.durationMs).toBeGreaterThan(0);
    expect(refusal).toBeUndefined();
  });

  it('is not charged with what its connection has carried before', async () => {
    const upstream = await startEcho();
    const client = await forwarding.send(upstream.key, 'GET /api/before');
    await client.until('\r\n\r\n');
    const long = { 'X-Long': 'x'.repeat(8000), 'X-API-Key': upstream.key };
    for (let i = 0; i < 3; i++) {
      const before = client.received().length;
      await client.send(requestHead(`GET /api/before-${i}`, long));
      await waitFor('the answer', () => client.received().length > before);
      await settled(() => client.received().length, 50);
    }
    await client.send(requestHead('GET /api/counted', { 'X-API-Key': upstream.key, ...UPGRADE }));
    await client.until('101 Switching Protocols');
    // An empty text frame with a mask of zeros (RFC 6455 §5.2), and its echo.
    await client.send(Buffer.from([0x81, 0x80, 0, 0, 0, 0]));
    await client.until('\x81\x00');
    client.destroy();
    const { access } = await outcomeOf(forwarding.gateway, '/api/counted');
    expect(access).toMatchObject({ status: 101, bytesIn: 6 });
    expect(access.bytesOut).toBeLessThan(1000);
  });

  it('reaches the right path and query, without the credentials meant for the gateway', async () => {
    const upstream = await startEcho();
    const client = await open(upstream.key, '/api/v1/chat/%C3%A9?room=a&room=b&empty=&q=%2F', ['one', 'two']);
    expect(client.protocol).toBe('two');
    const [handshake] = upstream.handshakes;
    expect(handshake?.url).toBe('/v1/chat/%C3%A9?room=a&room=b&empty=&q=%2F');
    expect(handshake?.headers).toMatchObject({
      host: `127.0.0.1:${upstream.port}`,
      upgrade: 'websocket',
      'sec-websocket-protocol': 'one,two',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(handshake?.headers).not.toHaveProperty('x-api-key');
    expect(JSON.stringify(handshake?.rawHeaders)).not.toContain(upstream.key);
    client.terminate();
  });

  it('is told the request id, and counts as in flight until it ends', async () => {
    const upstream = await startEcho();
    await allOver(forwarding.gateway);
    const client = await knock(upstream.key, '/api/x', { 'X-Request-Id': 'my-socket' });
    const head = await client.until('\r\n\r\n');
    expect(parseResponse(head)).toMatchObject({
      status: 101,
      headers: {
        upgrade: 'websocket',
        'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
        'x-request-id': 'my-socket',
      },
    });
    expect(await metric(forwarding.gateway, 'gateway_inflight_requests')).toBe(1);
    client.destroy();
    await allOver(forwarding.gateway);
  });

  it('takes along what either side sent right behind its handshake', async () => {
    const upstream = await startHandshakes((socket) => {
      socket.on('data', (chunk: Buffer) => socket.write(`got ${chunk.toString()}`));
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst words,',
      );
    });
    const client = await forwarding.send(upstream.key, 'GET /api/x', UPGRADE);
    await client.send('early');
    await client.until('first words,got early');
    client.destroy();
  });

  it('holds a sender back while the other side does not read', async () => {
    const TOTAL = 64 * 1024 * 1024;
    const upstream = await startEcho();
    const client = await knock(upstream.key, '/api/x');
    await client.until('101');
    client.socket.removeAllListeners('data');
    client.socket.pause();
    const sender = upstream.sockets[0] as WebSocket;
    let sent = 0;
    sender.send(Buffer.alloc(TOTAL), () => (sent = TOTAL));
    expect(await settled(() => sender.bufferedAmount)).toBeGreaterThan(TOTAL / 4);
    expect(sent).toBe(0);
    let got = 0;
    client.socket.on('data', (chunk: Buffer) => (got += chunk.length));
    client.socket.resume();
    await waitFor('all of it', () => got >= TOTAL && sent === TOTAL);
    client.destroy();
  });
});

describe('a handshake that is refused', () => {
  const ROUTES = [{ path: '/open' }, { path: '/written', methods: ['POST'] }];

  it.each([
    ['no key', '/api/open', { 'X-API-Key': '' }, 401, 'missing_api_key'],
    ['a wrong key', '/api/open', { 'X-API-Key': 'gh_live_wrong' }, 401, 'invalid_api_key'],
    ['a route that is not allowed', '/api/closed', {}, 403, 'route_not_allowed'],
    ['a method that the route does not take', '/api/written', {}, 403, 'route_not_allowed'],
    ['a path outside', '/elsewhere', {}, 404, 'not_found'],
    ['another protocol', '/api/open', { Upgrade: 'h2c' }, 400, 'upgrade_not_supported'],
    ['several protocols', '/api/open', { Upgrade: 'h2c, websocket' }, 400, 'upgrade_not_supported'],
    ['a body', '/api/open', { 'Content-Length': 3 }, 400, 'upgrade_not_supported'],
  ])('for %s gets a problem document and is closed', async (what, path, fields, status, code) => {
    const upstream = await startHandshakes(() => undefined, { allowedRoutes: ROUTES });
    const id = what.replaceAll(' ', '-');
    const client = await knock(upstream.key, path, {
      ...fields,
      'X-Request-Id': id,
      Origin: 'https://app.test',
    });
    expect(await client.closed).toBe('end');
    const refusal = parseResponse(client.received());
    expect(refusal).toMatchObject({
      status,
      headers: {
        'content-type': 'application/problem+json',
        connection: 'close',
        'x-request-id': id,
        'access-control-allow-origin': 'https://app.test',
      },
    });
    expect(JSON.parse(refusal.body)).toMatchObject({ code, status, requestId: id });
    expect(upstream.sockets).toHaveLength(0);
    await allOver(forwarding.gateway);
    expect(
      forwarding.gateway.logs.filter((line) => line.msg === 'request' && line.requestId === id),
    ).toMatchObject([{ status, decision: code }]);
  });

  it('by the rate limit says when to come back', async () => {
    const upstream = await startEcho({ rateLimit: { windowSeconds: 3600, maxRequests: 1 } });
    const first = await open(upstream.key, '/api/x');
    const client = await knock(upstream.key, '/api/x');
    await client.closed;
    expect(parseResponse(client.received())).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    });
    expect(upstream.handshakes).toHaveLength(1);
    first.terminate();
  });

  it('without "Connection: Upgrade" is an ordinary request', async () => {
    const upstream = await forwarding.upstream();
    const client = await knock(upstream.key, '/api/x', { Connection: 'close' });
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(200);
    expect(upstream.last().headers).not.toHaveProperty('upgrade');
  });
});

describe('an upstream that does not switch', () => {
  it.each([
    ['a length', 'Content-Length: 9\r\n', 'not here.', 'not here.'],
    [
      'chunks',
      'Transfer-Encoding: chunked\r\n',
      '9\r\nnot here.\r\n0\r\n\r\n',
      '9\r\nnot here.\r\n0\r\n\r\n',
    ],
    ['the end of the connection', '', 'not here.', '9\r\nnot here.\r\n0\r\n\r\n'],
  ])('has its answer passed on, with a body framed by %s', async (_, framing, sent, expected) => {
    const upstream = await startHandshakes((socket) => {
      socket.end(
        `HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nConnection: close\r\n${framing}\r\n${sent}`,
      );
    });
    const client = await knock(upstream.key, '/api/x', { 'X-Request-Id': 'refused' });
    expect(await client.closed).toBe('end');
    const refusal = parseResponse(client.received());
    expect(refusal).toMatchObject({
      status: 404,
      headers: { connection: 'close', 'x-request-id': 'refused' },
    });
    expect(refusal.body).toBe(expected);
  });

  it('has a long answer passed on whole', async () => {
    const body = 'x'.repeat(3_000_000);
    const upstream = await startHandshakes((socket) => {
      socket.end(`HTTP/1.1 403 Forbidden\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    });
    const client = await knock(upstream.key, '/api/long-refusal');
    expect(await client.closed).toBe('end');
    expect(parseResponse(client.received()).body).toBe(body);
    expect((await outcomeOf(forwarding.gateway, '/api/long-refusal')).access).toMatchObject({
      status: 403,
      decision: 'allow',
    });
  });

  it.each([
    ['breaks off', '/api/torn-refusal', 'upstream_failed', (socket: Duplex) => void socket.destroy()],
    ['falls silent', '/api/stalled-refusal', 'upstream_timeout', () => undefined],
  ])('and %s in the middle of its answer has the client torn off', async (_, path, decision, then) => {
    const upstream = await startHandshakes(
      (socket) => {
        socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 300\r\n\r\nabc', () => then(socket));
      },
      { timeouts: { idleMs: 200 } },
    );
    const client = await knock(upstream.key, path);
    await client.closed;
    expect(client.received()).toMatch(/\r\n\r\nabc$/);
    expect((await outcomeOf(forwarding.gateway, path)).access).toMatchObject({ status: 404, decision });
  });

  it('because it is down makes a 502', async () => {
    const upstream = await startHandshakes(() => undefined);
    await upstream.stop();
    const client = await knock(upstream.key, '/api/down');
    await client.closed;
    const { status, body } = parseResponse(client.received());
    expect(status).toBe(502);
    expect(JSON.parse(body)).toMatchObject({ code: 'upstream_unreachable' });
    expect((await outcomeOf(forwarding.gateway, '/api/down')).access).toMatchObject({ status: 502 });
  });

  it('but hangs up makes a 502', async () => {
    const upstream = await startHandshakes((socket) => void socket.destroy());
    const client = await knock(upstream.key, '/api/hung-up');
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(502);
    expect((await outcomeOf(forwarding.gateway, '/api/hung-up')).access).toMatchObject({
      decision: 'upstream_failed',
    });
  });

  it('nor answers at all makes a 504, and is let go', async () => {
    const upstream = await startHandshakes(() => undefined);
    const client = await knock(upstream.key, '/api/hanging');
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(504);
    await waitFor('the end at the upstream', () => upstream.sockets[0]?.destroyed);
    expect((await outcomeOf(forwarding.gateway, '/api/hanging')).access).toMatchObject({
      decision: 'upstream_timeout',
    });
  });
});

describe('a WebSocket ends', () => {
  it('at the upstream when the client goes before the answer', async () => {
    const upstream = await startHandshakes(() => undefined);
    const client = await knock(upstream.key, '/api/gone-early');
    await waitFor('the handshake', () => upstream.sockets.length > 0);
    client.destroy();
    await waitFor('the end at the upstream', () => upstream.sockets[0]?.destroyed);
    expect((await outcomeOf(forwarding.gateway, '/api/gone-early')).access).toMatchObject({
      status: 499,
      decision: 'client_gone',
    });
  });

  it.each([
    ['closes', (client: WebSocket) => client.close()],
    ['vanishes', (client: WebSocket) => client.terminate()],
  ])('at the upstream when the client %s', async (what, leave) => {
    const upstream = await startEcho();
    const client = await open(upstream.key, `/api/client-${what}`);
    const closed = once(upstream.sockets[0] as WebSocket, 'close');
    leave(client);
    await closed;
    expect((await outcomeOf(forwarding.gateway, `/api/client-${what}`)).access).toMatchObject({
      status: 101,
    });
  });

  it.each([
    ['closes', (server: WebSocket) => server.close()],
    ['vanishes', (server: WebSocket) => server.terminate()],
  ])('at the client when the upstream %s', async (what, leave) => {
    const upstream = await startEcho();
    const client = await open(upstream.key, `/api/upstream-${what}`);
    const closed = once(client, 'close');
    leave(upstream.sockets[0] as WebSocket);
    await closed;
    expect((await outcomeOf(forwarding.gateway, `/api/upstream-${what}`)).access).toMatchObject({
      status: 101,
    });
  });

  it('when both sides are silent for the idle time-out, and not before', async () => {
    const upstream = await startEcho({ timeouts: { idleMs: 300, totalMs: 100 } });
    const client = await open(upstream.key, '/api/idle');
    const startedAt = Date.now();
    await waitFor('thrice the time-out', async () => {
      client.send('still here');
      await message(client);
      return Date.now() - startedAt > 900;
    });
    const both = [once(client, 'close'), once(upstream.sockets[0] as WebSocket, 'close')];
    await Promise.all(both);
    expect((await outcomeOf(forwarding.gateway, '/api/idle')).access).toMatchObject({ status: 101 });
  });
});
