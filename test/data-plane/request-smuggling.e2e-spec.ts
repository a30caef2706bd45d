import { openConnection, requestHead } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { framingUpstream, type FramedRequest, type FramingUpstream } from '../support/framing';
import { startProcess } from '../support/process';
import { parseResponse, statusesOf } from '../support/raw-request';
import { FORWARDED, HIDDEN, REFUSED } from '../support/smuggling';

let forwarding: Forwarding;
let upstream: FramingUpstream;
let key: string;
beforeAll(async () => {
  forwarding = await startForwarding();
  upstream = await framingUpstream();
  key = await forwarding.keyFor(upstream.url, { allowedRoutes: [{ path: '/v1' }] });
});
afterAll(() => upstream.stop());

/** Sends the bytes on a connection of their own, and returns everything that came until the gateway closed it. */
async function untilClosed(bytes: string): Promise<string> {
  const client = await openConnection(forwarding.gateway.port);
  await client.send(bytes.replaceAll('<key>', key));
  await client.closed;
  return client.received();
}

/** The requests that the upstream has got since the last call. Nothing it got may be open to interpretation. */
let seen = 0;
function arrived(): FramedRequest[] {
  const news = upstream.requests.slice(seen);
  seen = upstream.requests.length;
  expect(upstream.flaws).toEqual([]);
  return news;
}

/** Sorted, because requests that are under way together may overtake each other. */
const linesOf = (requests: FramedRequest[]): string[] =>
  requests.map(({ method, target }) => `${method} ${target}`).sort();
const LAST_ONE = requestHead('GET /api/v1/last', { 'X-API-Key': '<key>', Connection: 'close' });

describe.each(Object.entries(REFUSED))('refuses %s', (_, rows) => {
  it.each(rows)('%s', async (_title, bytes, status = 400) => {
    // Whatever follows in the same segment may be the rest of it, to somebody: it is not read.
    const answer = await untilClosed(bytes + HIDDEN + HIDDEN);
    expect(statusesOf(answer)).toEqual([status]);
    const { headers, body } = parseResponse(answer);
    expect(headers).toMatchObject({ connection: 'close', 'content-type': 'application/problem+json' });
    expect(JSON.parse(body)).toMatchObject({ status });
    expect(linesOf(arrived())).toEqual([]);
    // What had begun to leave is broken off, so that nobody takes it for whole.
    await Promise.all(upstream.unfinished().map((connection) => connection.closed));
  });
});

describe('forwards as one request', () => {
  const cases = FORWARDED.map(([title, bytes, line, body = '']) => ({ title, bytes, line, body }));
  it.each(cases)('$title', async ({ bytes, line, body }) => {
    const client = await openConnection(forwarding.gateway.port);
    await client.send(withLength(bytes));
    await client.until(
      line.startsWith('HEAD') ? /HTTP\/1\.1 200 [^]*\r\n\r\n/ : `\r\n\r\n${line.split(' ')[1]}`,
    );
    // The next request on the connection is the next one, and its answer the next answer.
    await client.send(LAST_ONE.replace('<key>', key));
    await client.closed;
    const statuses = statusesOf(client.received());
    expect(statuses).toEqual([...(bytes.includes('100-continue') ? [100] : []), 200, 200]);
    expect(client.received().endsWith('\r\n\r\n/v1/last')).toBe(true);
    const [first, ...others] = arrived();
    expect(linesOf([first!])).toEqual([line]);
    expect(first!.body).toBe(body.replaceAll('<key>', key));
    expect(linesOf(others)).toEqual(['GET /v1/last']);
  });
});

/** Puts the key in, which makes bodies longer: their lengths stand for texts with the placeholder. */
function withLength(bytes: string): string {
  const longer = HIDDEN.replace('<key>', key).length;
  return bytes
    .replace(`Content-Length: ${HIDDEN.length}\r\n`, `Content-Length: ${longer}\r\n`)
    .replace(`\r\n${HIDDEN.length.toString(16)}\r\n`, `\r\n${longer.toString(16)}\r\n`)
    .replaceAll('<key>', key);
}

describe('of several requests sent at once', () => {
  const get = (target: string, ...fields: string[]): string =>
    [`GET ${target} HTTP/1.1`, 'Host: gateway.test', 'X-API-Key: <key>', ...fields, '', ''].join('\r\n');
  const closing = (target: string): string => get(target, 'Connection: close');

  it('each is judged and answered in its turn', async () => {
    const targets = ['/api/v1/1', '/api/v2/2', '/api/v1/3'];
    const answer = await untilClosed(targets.map((target) => get(target)).join('') + closing('/api/v1/4'));
    expect(statusesOf(answer)).toEqual([200, 403, 200, 200]);
    expect(linesOf(arrived())).toEqual(['GET /v1/1', 'GET /v1/3', 'GET /v1/4']);
  });

  it('those before a refused one are answered, those behind it are not read', async () => {
    const answer = await untilClosed(
      get('/api/v1/1') + get('/api/v1/2', 'Content_Length: 5') + get('/api/v1/3'),
    );
    expect(statusesOf(answer)).toEqual([200, 400]);
    expect(linesOf(arrived())).toEqual(['GET /v1/1']);
  });

  it('one behind a refused one does not reach the control plane either', async () => {
    const refused = get('/api/v1/1', 'Content_Length: 5');
    const hidden = get('/admin/tenants', `X-Admin-Token: ${forwarding.gateway.adminToken}`);
    expect(statusesOf(await untilClosed(refused + hidden))).toEqual([400]);
    expect(statusesOf(await untilClosed(refused + get('/livez')))).toEqual([400]);
  });

  it('an upgrade behind one that waits for its answer closes the connection, and nothing else', async () => {
    for (const target of ['/api/v1/2', '/admin/2', '/livez', '/elsewhere']) {
      const upgrade = get(target, 'Connection: Upgrade', 'Upgrade: websocket');
      expect(statusesOf(await untilClosed(get('/api/v1/1') + upgrade))).toEqual([]);
    }
    expect(linesOf(arrived()).filter((line) => line !== 'GET /v1/1')).toEqual([]);
    expect(statusesOf(await untilClosed(closing('/api/v1/3')))).toEqual([200]);
    arrived();
  });

  it('what is no request never lands inside the response to one, nor in its place', async () => {
    expect(await untilClosed(get('/api/v1/1') + 'NO REQUEST\r\n\r\n')).toBe('');
    expect(await untilClosed(closing('/api/v1/2') + 'NO REQUEST\r\n\r\n')).toBe('');
    arrived();
    const slow = await forwarding.raw(
      ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
    );
    const client = await forwarding.send(slow.key, 'GET /api/v1/3');
    await client.until('half');
    await client.send('NO REQUEST\r\n\r\n');
    await client.closed;
    expect(client.received()).toMatch(/\r\n\r\nhalf$/);
  });
});

describe('what follows an upgrade', () => {
  const upgrade = { Connection: 'Upgrade', Upgrade: 'websocket' };

  it('is not read when the upstream has declined', async () => {
    const client = await forwarding.send(key, 'GET /api/v1/socket', upgrade);
    await client.send(HIDDEN.replace('<key>', key));
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n\/v1\/socket$/);
    expect(linesOf(arrived())).toEqual(['GET /v1/socket']);
    // The upstream's connection is of no use to the next request either.
    expect(upstream.unfinished()).toEqual([]);
  });

  it.each<[title: string, target: string, status: number, fields?: Record<string, string>]>([
    ['a place that is not allowed', '/api/v2/socket', 403],
    ['no API key', '/api/v1/socket', 401, { 'X-API-Key': '' }],
    ['another protocol', '/api/v1/socket', 400, { Upgrade: 'h2c' }],
    ['a probe', '/livez', 200],
    ['the control plane', '/admin/tenants', 401],
    ['nothing', '/elsewhere', 404],
  ])('is not read when the gateway has answered: %s', async (_, target, status, fields = {}) => {
    const head = requestHead(`GET ${target}`, { 'X-API-Key': key, ...upgrade, ...fields });
    expect(statusesOf(await untilClosed(head + HIDDEN + HIDDEN))).toEqual([status]);
    expect(linesOf(arrived())).toEqual([]);
  });
});

describe('a response that can be read in two ways never reaches the client as a whole one', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';
  it.each([
    ['both lengths', `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    [
      'both lengths, the other way round',
      `${OK}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`,
    ],
    ['two lengths', `${OK}Content-Length: 3\r\nContent-Length: 5\r\n\r\nhello`],
    ['a list of lengths', `${OK}Content-Length: 3, 5\r\n\r\nhello`],
    ['a length that is none', `${OK}Content-Length: +5\r\n\r\nhello`],
    ['an encoding that nobody asked for', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['a blank behind a name', `${OK}Content-Length : 5\r\n\r\nhello`],
    ['a folded line', `${OK}X: a\r\n b\r\nContent-Length: 5\r\n\r\nhello`],
    ['a line break in a value', `${OK}X: a\rSet-Cookie: b=c\r\nContent-Length: 5\r\n\r\nhello`],
    ['a control character in a value', `${OK}X: a\x01b\r\nContent-Length: 5\r\n\r\nhello`],
    ['a name that is none', `${OK}X Y: a\r\nContent-Length: 5\r\n\r\nhello`],
    ['a bad chunk', `${OK}Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n`],
    ['a body that stops short', `${OK}Content-Length: 10\r\n\r\nhello`],
    ['chunks that stop short', `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`],
    [
      'a switch that nobody asked for',
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello`,
    ],
    ['no HTTP', 'hello\r\n\r\n'],
  ])('%s', async (_, response) => {
    const broken = await forwarding.raw(response);
    const client = await forwarding.send(broken.key, 'GET /api/v1/x', { Connection: 'close' });
    await client.closed;
    const text = client.received();
    const { status, headers, body } = parseResponse(text);
    if (status === 502) return;
    // The head had left already: the body must end in a broken connection, not in a proper end.
    expect(status).toBe(200);
    expect(headers['transfer-encoding'] === undefined || !body.includes('\r\n0\r\n\r\n')).toBe(true);
    expect(headers['content-length']).not.toBe(String(body.length));
  });
});

it('parses by the letter, also where the environment asks Node to be lenient', async () => {
  const lenient = await startProcess({ env: { NODE_OPTIONS: '--insecure-http-parser' } });
  const flaws = [
    'X: y\r\n Transfer-Encoding: chunked',
    'X: a\x01b',
    'X: a\nY: b',
    'Content-Length: 5\r\nContent-Length: 5',
  ];
  for (const flaw of flaws) {
    const client = await openConnection(lenient.port);
    await client.send(`GET /api/v1/x HTTP/1.1\r\nHost: gateway.test\r\n${flaw}\r\n\r\n`);
    await client.closed;
    expect([flaw, statusesOf(client.received())]).toEqual([flaw, [400]]);
  }
  await lenient.stop();
});
