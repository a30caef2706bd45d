import { constants } from 'node:http2';
import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import {
  readBody,
  startHttp2Upstream,
  type Http2Handler,
  type Http2Upstream,
} from '../support/http2-upstream';
import { accessLines, allOver, metric } from '../support/outcomes';
import { parseResponse, type RawResponse } from '../support/raw-request';
import { codeOf } from './service-setup';

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = constants;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({ UPSTREAM_MAX_CONNECTIONS: '3' });
});

/** An upstream and a key to it. */
async function upstreamWith(
  handler?: Http2Handler,
  options: Parameters<typeof startHttp2Upstream>[1] & { timeouts?: object } = {},
): Promise<Http2Upstream & { key: string }> {
  const upstream = await startHttp2Upstream(handler, options);
  const { timeouts } = options;
  return Object.assign(upstream, { key: await forwarding.keyFor(upstream.url, timeouts && { timeouts }) });
}

async function send(
  key: string,
  line: string,
  fields: Record<string, string | number> = {},
  body = '',
): Promise<RawResponse & { ending: 'end' | 'reset' }> {
  const client = await forwarding.send(key, line, { Connection: 'close', ...fields });
  if (body) await client.send(body);
  const ending = await client.closed;
  const answer = parseResponse(client.received());
  const chunked = /^transfer-encoding: chunked\r$/im.test(client.received().split('\r\n\r\n')[0] + '\r');
  return { ...answer, body: chunked ? unchunked(answer.body) : answer.body, ending };
}

/** A body without what HTTP/1.1 puts around its chunks; as it is where it has no end. */
function unchunked(body: string): string {
  let text = '';
  for (let at = 0; ;) {
    const line = body.indexOf('\r\n', at);
    const size = parseInt(body.slice(at, line), 16);
    if (line < 0 || Number.isNaN(size)) return body;
    if (size === 0) return text;
    text += body.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
}

describe('a request of HTTP/1.1', () => {
  it('reaches an upstream of HTTP/2 as one of its own', async () => {
    const upstream = await upstreamWith();
    const fields = {
      Host: 'gateway.test',
      'X-Custom': '\xe9',
      Cookie: 'a=1',
      'Content-Length': 3,
      TE: 'trailers',
    };
    const { status, headers, body } = await send(upstream.key, 'POST /api/a?b=%20', fields, 'abc');
    expect({ status, body }).toEqual({ status: 200, body: '{"method":"POST","url":"/a?b=%20","body":3}' });
    expect(headers).toMatchObject({ 'content-type': 'application/json' });
    const { raw } = upstream.requests[0]!;
    const names = raw.filter((_, i) => i % 2 === 0);
    expect(names.slice(0, 4)).toEqual([':method', ':path', ':scheme', ':authority']);
    expect(upstream.requests[0]?.headers).toMatchObject({
      ':authority': `127.0.0.1:${upstream.port}`,
      ':scheme': 'http',
      'content-length': '3',
      'x-custom': '\xe9',
      'x-forwarded-host': 'gateway.test',
      te: 'trailers',
      cookie: 'a=1',
    });
    for (const name of ['host', 'connection', 'transfer-encoding', 'x-api-key'])
      expect(names).not.toContain(name);
  });

  it.each([
    [
      'HEAD',
      { ':status': 200, 'content-length': '5' },
      /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 5\r\n[^]*\r\n\r\n$/i,
    ],
    ['GET', { ':status': 204 }, /^HTTP\/1\.1 204 No Content\r\n(?![^]*content-length)[^]*\r\n\r\n$/i],
    ['GET', { ':status': 304, etag: '"x"' }, /^HTTP\/1\.1 304 Not Modified\r\n[^]*\r\n\r\n$/],
    ['GET', { ':status': 200 }, /^HTTP\/1\.1 200 OK\r\n[^]*content-length: 0\r\n[^]*\r\n\r\n$/i],
  ])('%s gets a response without a body: %j', async (method, head, expected) => {
    const upstream = await upstreamWith(({ stream }) => stream.respond(head, { endStream: true }));
    const client = await forwarding.send(upstream.key, `${method} /api/x`, { Connection: 'close' });
    await client.closed;
    expect(client.received()).toMatch(expected);
  });

  it('gets trailers, and what came before the head', async () => {
    const upstream = await upstreamWith(({ stream }) => {
      stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }));
      stream.end('abc');
    });
    const client = await forwarding.send(upstream.key, 'GET /api/x', { TE: 'trailers', Connection: 'close' });
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n/);
    expect(client.received()).toMatch(/\r\n3\r\nabc\r\n0\r\nx-sum: 42\r\n\r\n$/);
  });

  it('carries large bodies both ways', async () => {
    const upstream = await upstreamWith((request) =>
      readBody(request, () => {
        request.stream.respond({ ':status': 200 });
        request.stream.end(request.body);
      }),
    );
    const body = 'large '.repeat(500_000);
    const answer = await send(upstream.key, 'POST /api/x', { 'Content-Length': body.length }, body);
    expect(answer.status).toBe(200);
    expect(answer.body === body).toBe(true);
  });

  it('that wants a WebSocket is refused', async () => {
    const upstream = await upstreamWith();
    const fields = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==', 'Sec-WebSocket-Version': 13 }; // prettier-ignore
    const answer = await send(upstream.key, 'GET /api/x', fields);
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({
      status: 400,
      code: 'upgrade_not_supported',
    });
    expect(upstream.sessions).toEqual([]);
  });
});

describe('sessions', () => {
  it('carry requests beside each other, as many as the upstream allows, and there are no more than need be', async () => {
    const upstream = await upstreamWith(() => undefined, { settings: { maxConcurrentStreams: 2 } });
    const first = send(upstream.key, 'GET /api/0');
    // By now it is known how many it takes.
    await waitFor('a request', () => upstream.requests.length === 1);
    const others = [1, 2, 3, 4, 5, 6].map((i) => send(upstream.key, `GET /api/${i}`));
    await waitFor('six of them', () => upstream.requests.length === 6);
    expect(upstream.sessions).toHaveLength(3);
    const answered = upstream.requests.slice();
    const answer = ({ stream }: (typeof answered)[number]): void => {
      stream.respond({ ':status': 200 });
      stream.end('ok');
    };
    answered.slice(0, 1).forEach(answer);
    await waitFor('the one that waited', () => upstream.requests.length === 7);
    upstream.requests.slice(1).forEach(answer);
    expect((await Promise.all([first, ...others])).map(({ body }) => body)).toEqual(Array(7).fill('ok'));
    expect(upstream.sessions).toHaveLength(3);
  });

  it('are waited for, also by those that do not wait to the end', async () => {
    const upstream = await upstreamWith(() => undefined, { settings: { maxConcurrentStreams: 1 } });
    const held: Array<Promise<unknown>> = [];
    // One after the other, so that each session has said how much it takes.
    for (let i = 1; i <= 3; i++) {
      held.push(send(upstream.key, `GET /api/${i}`));
      await waitFor('a request', () => upstream.requests.length === i);
    }
    const upload = await forwarding.send(upstream.key, 'POST /api/gone', { 'Content-Length': 100 });
    const waits = send(upstream.key, 'GET /api/waits');
    await waitFor(
      'both to wait',
      async () => (await metric(forwarding.gateway, 'gateway_inflight_requests')) === 5,
    );
    upload.destroy();
    await waitFor('the client to be missed', () => accessLines(forwarding.gateway, '/api/gone').length === 1);
    const answer = ({ stream }: (typeof upstream.requests)[number]): void => {
      stream.respond({ ':status': 200 }, { endStream: true });
    };
    upstream.requests.forEach(answer);
    await waitFor('the one that waits', () => upstream.requests.length === 4);
    answer(upstream.requests[3]!);
    expect(await waits).toMatchObject({ status: 200 });
    await Promise.all(held);
    expect(upstream.requests.map(({ headers }) => headers[':path'])).not.toContain('/gone');
  });

  it('are one for what comes one after the other', async () => {
    const upstream = await upstreamWith();
    for (let i = 0; i < 5; i++) expect(await send(upstream.key, 'GET /api/x')).toMatchObject({ status: 200 });
    expect(upstream.sessions).toHaveLength(1);
  });

  it('are opened anew when the upstream has been away', async () => {
    const upstream = await upstreamWith();
    expect(await send(upstream.key, 'GET /api/x')).toMatchObject({ status: 200 });
    await upstream.stop();
    const refused = await send(upstream.key, 'GET /api/x');
    expect({ status: refused.status, code: codeOf(refused) }).toEqual({
      status: 502,
      code: 'upstream_unreachable',
    });
    const again = await startHttp2Upstream(undefined, { port: upstream.port });
    expect(await send(upstream.key, 'GET /api/x')).toMatchObject({ status: 200 });
    expect(again.requests).toHaveLength(1);
  });
});

describe('what an upstream has not looked at', () => {
  const echo: Http2Handler = (request) =>
    readBody(request, () => {
      request.stream.respond({ ':status': 200 });
      request.stream.end(request.body);
    });
  const body = 'x'.repeat(20_000);

  it('goes to it again with its body, unseen by the client: a refused stream', async () => {
    let refused = 0;
    const upstream = await upstreamWith((request) => {
      if (refused++ < 2) request.stream.close(NGHTTP2_REFUSED_STREAM);
      else echo(request);
    });
    const answer = await send(upstream.key, 'POST /api/x', { 'Content-Length': body.length }, body);
    expect([answer.status, answer.body === body]).toEqual([200, true]);
    expect(upstream.requests).toHaveLength(3);
  });

  it('goes to another session: a stream beyond the last one of GOAWAY', async () => {
    const upstream = await upstreamWith((request) => {
      const { stream } = request;
      if (stream.id === 1) return echo(request);
      stream.session?.goaway(NGHTTP2_NO_ERROR, 1);
    });
    await send(upstream.key, 'POST /api/x', { 'Content-Length': 1 }, 'x');
    const answer = await send(upstream.key, 'POST /api/x', { 'Content-Length': body.length }, body);
    expect([answer.status, answer.body === body]).toEqual([200, true]);
    expect(upstream.requests.map(({ stream }) => stream.id)).toEqual([1, 3, 1]);
    expect(upstream.sessions).toHaveLength(2);
  });

  it('is not sent for ever', async () => {
    const upstream = await upstreamWith(({ stream }) => stream.close(NGHTTP2_REFUSED_STREAM));
    const answer = await send(upstream.key, 'POST /api/x', { 'Content-Length': 1 }, 'x');
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 502, code: 'upstream_failed' });
    expect(upstream.requests).toHaveLength(4);
  });

  it('is not taken for it where the upstream may have looked: a POST is sent once', async () => {
    const upstream = await upstreamWith(({ stream }) => stream.close(NGHTTP2_INTERNAL_ERROR));
    const answer = await send(upstream.key, 'POST /api/x', { 'Content-Length': 1 }, 'x');
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 502, code: 'upstream_failed' });
    expect(upstream.requests).toHaveLength(1);
  });

  it('lets what is under way finish', async () => {
    const upstream = await upstreamWith(({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('first ');
    });
    const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await client.until('first');
    upstream.sessions[0]?.goaway(NGHTTP2_NO_ERROR);
    const second = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await second.until('first');
    for (const { stream } of upstream.requests) stream.end('last');
    await Promise.all([client.closed, second.closed]);
    expect(client.received()).toContain('last');
    expect(upstream.sessions).toHaveLength(2);
    await waitFor('the first session to close', () => upstream.open().length === 1);
  });
});

describe('what breaks off', () => {
  it.each([NGHTTP2_INTERNAL_ERROR, NGHTTP2_CANCEL, NGHTTP2_NO_ERROR])(
    'inside a body, with code %i, is torn for the client, too',
    async (code) => {
      const upstream = await upstreamWith((request) => {
        request.stream.respond({ ':status': 200 });
        request.stream.write('begun');
      });
      const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
      await client.until('begun');
      const { stream } = upstream.requests[0]!;
      // As a server would that is not Node's, which ends a stream before it resets it.
      stream.end = () => stream;
      stream.close(code);
      await client.closed;
      expect(client.received()).not.toContain('\r\n0\r\n\r\n');
    },
  );

  it('by the client is cancelled at the upstream, and never looks whole', async () => {
    const upstream = await upstreamWith((request) => readBody(request));
    const client = await forwarding.send(upstream.key, 'POST /api/x', { 'Content-Length': 100 });
    await client.send('half');
    await waitFor('the request', () => upstream.requests.length === 1);
    client.destroy();
    await waitFor('its end', () => upstream.requests[0]?.resetWith !== undefined);
    expect(upstream.requests[0]).toMatchObject({ resetWith: NGHTTP2_CANCEL, ended: false });
    await allOver(forwarding.gateway);
  });

  it('when it takes too long: before the head, inside the body, in total', async () => {
    const quiet = await upstreamWith((request) => readBody(request), { timeouts: { firstByteMs: 100 } });
    const late = await send(quiet.key, 'GET /api/x');
    expect({ status: late.status, code: codeOf(late) }).toEqual({ status: 504, code: 'upstream_timeout' });
    await waitFor('its end', () => quiet.requests[0]?.resetWith === NGHTTP2_CANCEL);

    const begun: Http2Handler = ({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.write('begun');
    };
    for (const timeouts of [{ idleMs: 100 }, { totalMs: 200 }]) {
      const { key } = await upstreamWith(begun, { timeouts });
      expect((await send(key, 'GET /api/x')).body).not.toContain('\r\n0\r\n');
    }
  });

  it('because it is no server of HTTP/2', async () => {
    const plain = await forwarding.upstream();
    const key = await forwarding.keyFor(plain.url.replace('http:', 'h2c:'));
    const answer = await send(key, 'POST /api/x', { 'Content-Length': 1 }, 'x');
    expect({ status: answer.status, code: codeOf(answer) }).toEqual({ status: 502, code: 'upstream_failed' });
    expect(plain.requests).toEqual([]);
  });
});

it('lets a slow reader hold up nobody but itself', async () => {
  const chunk = Buffer.alloc(65_536);
  let written = 0;
  const upstream = await upstreamWith(({ stream, headers }) => {
    stream.respond({ ':status': 200 });
    if (headers[':path'] !== '/large') return void stream.end('small');
    const write = (): void => {
      while (written < 100_000_000 && !stream.destroyed) {
        written += chunk.length;
        if (!stream.write(chunk)) return void stream.once('drain', write);
      }
    };
    write();
  });
  const slow = await forwarding.send(upstream.key, 'GET /api/large', {}, { paused: true });
  let before = -1;
  await waitFor('the upstream to be held up', () => {
    const stands = written === before && written > 0;
    before = written;
    return stands;
  }, 5000, 100); // prettier-ignore
  for (let i = 0; i < 20; i++)
    expect(await send(upstream.key, 'GET /api/x')).toMatchObject({ body: /small/ });
  expect(written).toBeLessThan(50_000_000);
  expect(upstream.sessions).toHaveLength(1);
  slow.destroy();
  await waitFor('the stream to end', () => upstream.requests[0]?.resetWith !== undefined);
});

it('checks addresses of HTTP/2 as all others, however they are spelt', async () => {
  const { gateway } = forwarding;
  const bad = [
    'h2c://169.254.169.254', 'h2c://2852039166', 'H2C://0xa9fea9fe:80', 'h2://[::ffff:169.254.169.254]', 'h2://u:p@a.test',
    'h2c://a.test/?x=1', 'h2c:a.test', 'grpc://a.test', 'h3://a.test',
  ]; // prettier-ignore
  for (const upstreamBaseUrl of bad) {
    const tenant = { id: 'bad', name: 'bad', upstreamBaseUrl, allowedRoutes: [] };
    const { status, body } = await gateway.admin('POST', '/admin/tenants', tenant);
    expect([upstreamBaseUrl, status, (body as { errors: object[] }).errors]).toEqual([
      upstreamBaseUrl,
      400,
      [{ field: 'upstreamBaseUrl', message: expect.any(String) }],
    ]);
  }
  const issuer = { id: 'bad', name: 'bad', upstreamBaseUrl: 'h2c://a.test', allowedRoutes: [], idp: { issuer: 'h2://a.test', audience: 'x' } }; // prettier-ignore
  expect((await gateway.admin('POST', '/admin/tenants', issuer)).status).toBe(400);
});

it('leaves no stream behind, and no session when the gateway ends', async () => {
  const own = await startForwarding();
  const upstream = await startHttp2Upstream();
  const key = await own.keyFor(upstream.url);
  const clients = await Promise.all(
    Array.from({ length: 20 }, (_, i) => own.send(key, `GET /api/${i}`, { Connection: 'close' })),
  );
  await Promise.all(clients.map(({ closed }) => closed));
  await waitFor('all streams to close', () => upstream.requests.every(({ resetWith }) => resetWith === 0));
  expect(upstream.requests).toHaveLength(20);
  expect(accessLines(own.gateway, '/api/0')).toMatchObject([{ status: 200 }]);
  expect(upstream.open()).toHaveLength(1);
  await own.gateway.close();
  await waitFor('the session to close', () => upstream.open().length === 0);
});
