import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';
import { parseResponse, statusesOf } from '../support/raw-request';

const CLOSE = { Connection: 'close' };

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

describe('a response without a body', () => {
  it.each([
    ['to HEAD with a length', 'HEAD', '200 OK', 'Content-Length: 1234\r\n', { 'content-length': '1234' }],
    ['to HEAD in chunks', 'HEAD', '200 OK', 'Transfer-Encoding: chunked\r\n', {}],
    ['204', 'GET', '204 No Content', '', {}],
    ['204 with a length, which RFC 9110 §8.6 forbids', 'GET', '204 No Content', 'Content-Length: 0\r\n', {}],
    ['304', 'GET', '304 Not Modified', 'ETag: "a"\r\n', { etag: '"a"' }],
    [
      '304 with the length of what it leaves out',
      'GET',
      '304 Not Modified',
      'Content-Length: 77\r\n',
      { 'content-length': '77' },
    ],
  ])('%s ends with its head, and the connection serves on', async (_, method, status, fields, expected) => {
    const upstream = await forwarding.raw((connection) => {
      connection.socket.write(`HTTP/1.1 ${status}\r\n${fields}\r\n`);
    });
    const client = await forwarding.send(upstream.key, `${method} /api/x`);
    const head = await client.until('\r\n\r\n');
    expect(parseResponse(head)).toMatchObject({
      status: Number(status.slice(0, 3)),
      headers: expected,
      body: '',
    });
    for (const name of ['content-length', 'transfer-encoding']) {
      expect(parseResponse(head).headers[name]).toBe((expected as Record<string, string>)[name]);
    }

    await client.send(
      `${method} /api/x HTTP/1.1\r\nHost: a\r\nX-API-Key: ${upstream.key}\r\nConnection: close\r\n\r\n`,
    );
    await client.closed;
    expect(statusesOf(client.received())).toEqual([Number(status.slice(0, 3)), Number(status.slice(0, 3))]);
    expect(client.received()).toMatch(/\r\n\r\n$/);
  });

  it('is recorded without bytes', async () => {
    const upstream = await forwarding.upstream((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1234 });
      response.end();
    });
    const client = await forwarding.send(upstream.key, 'HEAD /api/recorded', CLOSE);
    await client.closed;
    expect((await outcomeOf(forwarding.gateway, '/api/recorded')).access).toMatchObject({
      method: 'HEAD',
      status: 200,
      bytesOut: 0,
      decision: 'allow',
    });
  });

  it('is also what HEAD gets with a refusal', async () => {
    const client = await forwarding.send('gh_live_wrong', 'HEAD /api/x', CLOSE);
    await client.closed;
    const { status, headers, body } = parseResponse(client.received());
    expect(status).toBe(401);
    expect(Number(headers['content-length'])).toBeGreaterThan(0);
    expect(body).toBe('');
  });
});

describe('a client of HTTP/1.0', () => {
  const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n';

  it('gets a body of unknown length without chunks, ended by the connection', async () => {
    const upstream = await forwarding.raw(CHUNKED);
    const client = await forwarding.send(upstream.key, 'GET /api/x HTTP/1.0');
    expect(await client.closed).toBe('end');
    const response = parseResponse(client.received());
    expect(response).toMatchObject({ status: 200, body: 'abcdef' });
    expect(response.headers).not.toHaveProperty('transfer-encoding');
    // To its upstream the gateway speaks its own version.
    expect(upstream.received()).toMatch(/^GET \/x HTTP\/1\.1\r\n/);
  });

  it('may keep its connection where the length is known, and needs no Host', async () => {
    const upstream = await forwarding.raw();
    const client = await forwarding.send(upstream.key, 'GET /api/x HTTP/1.0', { Connection: 'keep-alive' });
    await client.until('\r\n\r\nok');
    await client.send(`GET /api/x HTTP/1.0\r\nX-API-Key: ${upstream.key}\r\n\r\n`);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([200, 200]);
  });

  it('sees a body that broke off as broken off, not as ended', async () => {
    const upstream = await forwarding.raw(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
    );
    const client = await forwarding.send(upstream.key, 'GET /api/torn HTTP/1.0');
    expect(await client.closed).toBe('reset');
    expect((await outcomeOf(forwarding.gateway, '/api/torn')).access).toMatchObject({
      status: 200,
      decision: 'upstream_failed',
    });
  });
});

describe('interim responses of the upstream', () => {
  const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
  const HINTS =
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload, </b.js>; rel=preload\r\nX-Other: 1\r\n\r\n';

  it('reach the client before the final one', async () => {
    const upstream = await forwarding.raw((connection) => {
      if (connection.text().endsWith('\r\n\r\n'))
        connection.socket.write(`HTTP/1.1 102 Processing\r\n\r\n${HINTS}`);
    });
    const client = await forwarding.send(upstream.key, 'GET /api/hints', CLOSE);
    const interim = await client.until(/103 Early Hints\r\n.*\r\n\r\n/s);
    expect(statusesOf(interim)).toEqual([102, 103]);
    expect(interim).toContain('Link: </a.css>; rel=preload, </b.js>; rel=preload\r\n');
    upstream.connections[0]?.socket.write(OK);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([102, 103, 200]);
    expect((await outcomeOf(forwarding.gateway, '/api/hints')).access).toMatchObject({
      status: 200,
      bytesOut: 2,
    });
  });

  it.each([
    ['a client of HTTP/1.0, which would take them for the answer', 'GET /api/x HTTP/1.0', HINTS],
    [
      'hints that Node would not write',
      'GET /api/x HTTP/1.1',
      'HTTP/1.1 103 Early Hints\r\nLink: nonsense\r\n\r\n',
    ],
  ])('are left out for %s', async (_, line, interim) => {
    const upstream = await forwarding.raw(interim + OK);
    const client = await forwarding.send(upstream.key, line, CLOSE);
    await client.closed;
    expect(statusesOf(client.received())).toEqual([200]);
    expect(client.received()).toMatch(/\r\n\r\nok$/);
  });

  it('a switch of protocols that nobody asked for is no answer', async () => {
    const upstream = await forwarding.raw(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(502);
  });
});

describe('a status line', () => {
  it('passes with its own phrase', async () => {
    const upstream = await forwarding.raw('HTTP/1.1 299 Almost Fine\r\nContent-Length: 0\r\n\r\n');
    const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 299 Almost Fine\r\n/);
  });

  it.each(['Tr\xe8s bien', '\u{fffd}', ''])(
    'with the phrase "%s" passes with a plain one',
    async (phrase) => {
      const upstream = await forwarding.raw(
        `HTTP/1.1 200 ${phrase}\r\nX-Name: \xe9\r\nContent-Length: 0\r\n\r\n`,
      );
      const client = await forwarding.send(upstream.key, 'GET /api/x', CLOSE);
      await client.closed;
      expect(client.received()).toMatch(/^HTTP\/1\.1 200 (OK)?\r\n/);
      expect(client.received()).toContain('X-Name: \xe9\r\n');
    },
  );
});
