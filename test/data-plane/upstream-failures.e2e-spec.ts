import type { Socket } from 'node:net';
import { freePort } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { metric, outcomeOf } from '../support/outcomes';
import { parseResponse, statusesOf } from '../support/raw-request';
import type { RawScript } from '../support/upstream';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

async function failed(key: string, path: string, code: string): Promise<void> {
  const client = await forwarding.send(key, `GET ${path}`, { Connection: 'close' });
  await client.closed;
  expect(statusesOf(client.received())).toEqual([502]);
  const response = parseResponse(client.received());
  const problem = JSON.parse(response.body) as Record<string, unknown>;
  expect(problem).toMatchObject({ status: 502, code, requestId: response.headers['x-request-id'] });
  // What went wrong inside is for the log.
  expect(Object.keys(problem).sort()).toEqual(['code', 'requestId', 'status', 'title', 'type']);
  const { access, refusal } = await outcomeOf(forwarding.gateway, path);
  expect(access).toMatchObject({ status: 502, decision: code });
  expect(refusal).toMatchObject({
    reason: code,
    level: 'error',
    guard: 'upstream',
  });
  const labels = `tenantId="${String(access.tenantId)}"`;
  expect(await metric(forwarding.gateway, 'gateway_upstream_errors_total', labels)).toBe(1);
}

describe('an upstream that cannot be reached makes a 502', () => {
  it('because nobody listens', async () => {
    const port = await freePort();
    await failed(await forwarding.keyFor(`http://127.0.0.1:${port}`), '/api/refused', 'upstream_unreachable');
  });

  it('because its name has no address', async () => {
    // Longer than a label of a name may be (RFC 1035 §2.3.4): fails without asking a server.
    const key = await forwarding.keyFor(`http://${'n'.repeat(64)}.test`);
    await failed(key, '/api/unresolved', 'upstream_unreachable');
  });

  it('because it speaks no TLS', async () => {
    const upstream = await forwarding.raw(
      ({ socket }) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    const key = await forwarding.keyFor(upstream.url.replace('http:', 'https:'));
    await failed(key, '/api/no-tls', 'upstream_failed');
  });
});

describe('an upstream that breaks off before its response is known makes a 502', () => {
  it.each<[string, RawScript | string]>([
    ['by a reset', ({ socket }) => void socket.resetAndDestroy()],
    ['by closing', ({ socket }) => void socket.destroy()],
    ['by closing in the middle of the head', 'HTTP/1.1 200 OK\r\nX-Half: '],
    [
      'by a reset in the middle of the head',
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nX: ', () => socket.resetAndDestroy()),
    ],
    ['by closing behind an interim response', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('%s', async (what, script) => {
    const upstream = await forwarding.raw(script);
    await failed(upstream.key, `/api/${what.replaceAll(' ', '-')}`, 'upstream_failed');
  });
});

describe('an upstream that does not speak HTTP makes a 502', () => {
  it.each([
    ['rubbish', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['binary rubbish', '\x00\x01\x02\xff\xfe\r\n\r\n'],
    ['a head without its end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`],
    ['a head beyond 64 KiB', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`],
    ['many fields beyond 64 KiB', `HTTP/1.1 200 OK\r\n${'X-Field: some value\r\n'.repeat(5000)}\r\n`],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    [
      'a length and chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    ],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -3\r\n\r\nabc'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: three\r\n\r\nabc'],
    ['a folded field', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['a control character in a field', 'HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 0\r\n\r\n'],
    ['a space behind a name', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    [
      'a compressed transfer that nobody asked for',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown transfer coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc'],
  ])('%s', async (what, bytes) => {
    const upstream = await forwarding.raw(bytes);
    await failed(upstream.key, `/api/${what.replaceAll(' ', '-')}`, 'upstream_failed');
  });
});

describe('an upstream that breaks off inside the body has the client torn off', () => {
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n';
  const LENGTH = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc';
  const UNTIL_CLOSE = 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc';

  const end = (socket: Socket): unknown => socket.end();
  const reset = (socket: Socket): unknown => socket.resetAndDestroy();

  it.each<[string, string, (socket: Socket) => unknown]>([
    ['short of its length', LENGTH, end],
    [
      'short of its length, having announced to close',
      LENGTH.replace('OK\r\n', 'OK\r\nConnection: close\r\n'),
      end,
    ],
    ['without a last chunk', CHUNKED, end],
    ['in the middle of a chunk', `${CHUNKED}5\r\nde`, end],
    ['with a chunk that is none', CHUNKED, (socket) => socket.write('zz\r\n')],
    ['by a reset', CHUNKED, reset],
    ['by a reset, where only the end delimits the body', UNTIL_CLOSE, reset],
    [
      'by a reset that arrives together with the last bytes, where only the end delimits the body',
      UNTIL_CLOSE,
      (socket) => socket.write('def') && reset(socket),
    ],
  ])('%s', async (what, bytes, breakOff) => {
    const upstream = await forwarding.raw(({ socket }) => void socket.write(bytes));
    const path = `/api/torn-${what.replaceAll(/\W+/g, '-')}`;
    const client = await forwarding.send(upstream.key, `GET ${path}`);
    await client.until('abc');
    breakOff(upstream.connections[0]?.socket as Socket);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([200]);
    expect(client.received()).not.toContain('\r\n0\r\n\r\n');
    const { access, refusal } = await outcomeOf(forwarding.gateway, path);
    expect(access).toMatchObject({ status: 200, decision: 'upstream_failed' });
    expect(refusal).toMatchObject({ reason: 'upstream_failed', level: 'error' });
    const labels = `tenantId="${String(access.tenantId)}"`;
    expect(await metric(forwarding.gateway, 'gateway_upstream_errors_total', labels)).toBe(1);
  });
});

describe('bytes behind the end of a response', () => {
  it.each([
    [
      'a length',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
    ],
    [
      'chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison',
    ],
    ['no body', 'HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison'],
  ])('with %s reach nobody, neither this client nor the next', async (_, bytes) => {
    let answered = 0;
    const upstream = await forwarding.raw(({ socket }) => {
      socket.write(answered++ === 0 ? bytes : 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nclean');
    });
    const first = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await first.closed;
    const second = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await second.closed;
    expect(first.received()).not.toContain('poison');
    expect(second.received()).toMatch(/\r\n\r\nclean$/);
  });
});

describe('an error of the upstream itself', () => {
  it.each([
    [404, 'Not Found', 0],
    [429, 'Too Many Requests', 0],
    [500, 'Internal Server Error', 1],
    [503, 'Service Unavailable', 1],
  ])('such as %i passes untouched, and 5xx are counted', async (status, phrase, counted) => {
    const upstream = await forwarding.raw(
      `HTTP/1.1 ${status} ${phrase}\r\nRetry-After: 7\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\nown!`,
    );
    const client = await forwarding.send(upstream.key, `GET /api/own-${status}`, { Connection: 'close' });
    await client.closed;
    expect(parseResponse(client.received())).toMatchObject({
      status,
      reason: phrase,
      headers: { 'retry-after': '7', 'content-type': 'text/html' },
      body: 'own!',
    });
    const { access, refusal } = await outcomeOf(forwarding.gateway, `/api/own-${status}`);
    expect(access).toMatchObject({ status, decision: 'allow' });
    expect(refusal).toBeUndefined();
    const labels = `tenantId="${String(access.tenantId)}"`;
    expect(await metric(forwarding.gateway, 'gateway_upstream_errors_total', labels)).toBe(counted);
  });
});
