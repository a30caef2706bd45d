import type { Socket } from 'node:net';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';
import { parseResponse, statusesOf } from '../support/raw-request';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const CLOSE = { Connection: 'close' };

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

/** An upstream that does with each request head in turn what the list says, and with all further ones the last of it. */
async function startMoody(...moods: Array<(socket: Socket) => unknown>) {
  let heads = 0;
  const upstream = await forwarding.raw(({ socket, received }) => {
    if (!received.includes('\r\n\r\n')) return;
    moods[Math.min(heads++, moods.length - 1)]?.(socket);
  });
  return { ...upstream, heads: () => upstream.received().match(/HTTP\/1\.1\r\n/g)?.length ?? 0 };
}
const hangUp = (socket: Socket): unknown => socket.destroy();
const reset = (socket: Socket): unknown => socket.resetAndDestroy();
const answer = (socket: Socket): unknown => socket.write(OK);

describe('a request that met a closing connection', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('is sent once more: %s', async (method) => {
    const upstream = await startMoody(hangUp, answer);
    const client = await forwarding.send(upstream.key, `${method} /api/again-${method}`, CLOSE);
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(200);
    expect(upstream.heads()).toBe(2);
    // For the client, and in the records, it is one request.
    const { access } = await outcomeOf(forwarding.gateway, `/api/again-${method}`);
    expect(access).toMatchObject({ status: 200, decision: 'allow' });
  });

  it.each([
    ['closed', hangUp],
    ['reset', reset],
  ])('because the upstream has %s an idle one, goes out on a new one', async (_, leave) => {
    const upstream = await startMoody(answer, leave, answer);
    for (let round = 0; round < 2; round++) {
      const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
      await client.closed;
      expect(statusesOf(client.received())).toEqual([200]);
    }
    expect(upstream.heads()).toBe(3);
    expect(upstream.connections[0]?.text().match(/HTTP\/1\.1\r\n/g)).toHaveLength(2);
  });

  it('is not sent a third time', async () => {
    const upstream = await startMoody(hangUp);
    const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([502]);
    expect(upstream.heads()).toBe(2);
  });
});

describe('never sent twice is', () => {
  it.each([
    ['a POST', 'POST', { 'Content-Length': 0 }, ''],
    ['a PATCH', 'PATCH', {}, ''],
    ['a POST with a body', 'POST', { 'Content-Length': 5 }, 'hello'],
    ['a PUT with a body', 'PUT', { 'Content-Length': 5 }, 'hello'],
    ['a PUT with chunks', 'PUT', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n\r\n'],
    ['a GET with a body', 'GET', { 'Content-Length': 5 }, 'hello'],
    ['a method nobody knows to be safe', 'PROPFIND', {}, ''],
  ])('%s', async (_, method, fields, body) => {
    for (const mood of [hangUp, reset]) {
      const upstream = await startMoody(mood, answer);
      const client = await forwarding.send(upstream.key, `${method} /api/x`, { ...fields, ...CLOSE });
      if (body !== '') await client.send(body);
      await client.closed;
      expect(statusesOf(client.received())).toEqual([502]);
      expect(upstream.heads()).toBe(1);
    }
  });

  it('a POST that meets a kept-alive connection which the upstream closes', async () => {
    const upstream = await startMoody(answer, reset, answer);
    const first = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await first.closed;
    const second = await forwarding.send(upstream.key, 'POST /api/x', { 'Content-Length': 0, ...CLOSE });
    await second.closed;
    expect(statusesOf(second.received())).toEqual([502]);
    expect(upstream.heads()).toBe(2);
  });

  it.each([
    ['a part of the head', 'HTTP/1.1 200 OK\r\nX-Half: '],
    ['an interim response', 'HTTP/1.1 102 Processing\r\n\r\n'],
    ['the head', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n'],
    ['rubbish', 'rubbish\r\n\r\n'],
  ])('a request of which %s has come back', async (_, bytes) => {
    const upstream = await startMoody((socket) => socket.end(bytes), answer);
    const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await client.closed;
    expect(client.received()).not.toMatch(/\r\n\r\nok$/);
    expect(upstream.heads()).toBe(1);
  });

  it('a request that ran into a time-out', async () => {
    let heads = 0;
    const upstream = await forwarding.raw(() => void (heads += 1), { timeouts: { firstByteMs: 100 } });
    const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([504]);
    expect(heads).toBe(1);
  });

  it('a request whose client has gone', async () => {
    const upstream = await startMoody((socket) => void sockets.push(socket));
    const sockets: Socket[] = [];
    const client = await forwarding.send(upstream.key, 'GET /api/gone-client');
    await client.send('');
    while (sockets.length === 0) await new Promise((resolve) => setImmediate(resolve));
    client.destroy();
    await outcomeOf(forwarding.gateway, '/api/gone-client');
    sockets[0]?.destroy();
    expect(upstream.heads()).toBe(1);
  });
});

it('retries stay within a tenth of the requests once the reserve of ten is used up', async () => {
  const REQUESTS = 60;
  const upstream = await startMoody(hangUp);
  for (let sent = 0; sent < REQUESTS; sent++) {
    const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([502]);
  }
  const retries = upstream.heads() - REQUESTS;
  expect(retries).toBeGreaterThanOrEqual(10);
  expect(retries).toBeLessThanOrEqual(10 + REQUESTS / 10);
});
