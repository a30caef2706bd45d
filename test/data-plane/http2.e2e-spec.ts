import { constants, type ClientHttp2Session } from 'node:http2';
import { waitFor } from '../support/children';
import type { Forwarding } from '../support/forwarding';
import { answerOf, ask, openHttp2, outcomeOfStream } from '../support/http2-client';
import {
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  RST_STREAM,
  fieldBlock,
  openFrames,
} from '../support/http2-frames';
import { allOver, internalErrors, outcomeOf } from '../support/outcomes';
import { TRICKS } from '../support/path-tricks';
import { startTlsForwarding } from '../support/tls-forwarding';
import { settled } from '../support/connection';

let forwarding: Forwarding;
let session: ClientHttp2Session;
beforeAll(async () => {
  forwarding = await startTlsForwarding({ MAX_HEADER_BYTES: '8192', MAX_BODY_BYTES: '1000000' });
  session = await openHttp2(forwarding.gateway.tlsPort);
});

/** Of a plain request, frame by frame. */
const HEAD: Array<[string, string]> = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'gateway.test'],
  [':path', '/api/x'],
];

describe('a request over HTTP/2', () => {
  it('goes to its upstream as one of HTTP/1.1, by https', async () => {
    const upstream = await forwarding.upstream();
    const { status, headers, body } = await ask(session, {
      ':path': '/api/a/../b?c=%20d',
      ':authority': 'gateway.test:1',
      'x-api-key': upstream.key,
      'X-Custom': 'é',
      cookie: ['a=1', 'b=2'],
    });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'x-request-id': expect.any(String) });
    for (const name of ['connection', 'keep-alive', 'transfer-encoding'])
      expect(headers).not.toHaveProperty(name);
    expect(JSON.parse(body)).toMatchObject({ method: 'GET', url: '/b?c=%20d' });
    expect(upstream.last().httpVersion).toBe('1.1');
    expect(upstream.last().headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'gateway.test:1',
      'x-forwarded-for': '127.0.0.1',
      'x-custom': 'é',
      cookie: 'a=1; b=2',
    });
    expect(upstream.last().headers).not.toHaveProperty('x-api-key');
  });

  it('is recorded once, with its protocol', async () => {
    const upstream = await forwarding.upstream();
    await ask(session, { ':path': '/api/recorded', 'x-api-key': upstream.key });
    const { access } = await outcomeOf(forwarding.gateway, '/api/recorded');
    expect(access).toMatchObject({ protocol: 'HTTP/2.0', scheme: 'https', status: 200, decision: 'allow' });
  });

  it('is refused by the same guards, and the session serves on', async () => {
    const upstream = await forwarding.upstream();
    expect(await ask(session, { ':path': '/api/x' })).toMatchObject({ status: 401 });
    expect(await ask(session, { ':path': '/nothing', 'x-api-key': upstream.key })).toMatchObject({
      status: 404,
    });
    expect(await ask(session, { ':path': '/livez' })).toMatchObject({
      status: 200,
      body: '{"status":"alive"}',
    });
    expect(await ask(session, { ':path': '/ping' })).toMatchObject({ status: 200, body: 'OK' });
    const token = { 'x-admin-token': forwarding.gateway.adminToken };
    expect(await ask(session, { ':path': '/metrics' })).toMatchObject({ status: 401 });
    const metrics = await ask(session, { ':path': '/metrics', ...token });
    expect(metrics.body).toContain('gateway_certificate_expiry_timestamp_seconds{host="localhost"} ');
    expect(await ask(session, { ':path': '/api/x', 'x-api-key': upstream.key })).toMatchObject({
      status: 200,
    });
  });

  it.each([
    ['with a length', { 'content-length': '300000' }],
    ['without a length', {}],
  ])('brings its body %s', async (_, fields) => {
    const upstream = await forwarding.upstream();
    const body = Buffer.alloc(300_000, 'abcdefg');
    const head = { ':method': 'POST', ':path': '/api/x', 'x-api-key': upstream.key, ...fields };
    expect(await ask(session, head, body)).toMatchObject({ status: 200 });
    expect(upstream.last()).toMatchObject({ bodyBytes: 300_000, aborted: false });
    expect(upstream.last().headers['content-length']).toBe(fields['content-length' as never]);
  });

  it.each(['204', '304', '205'])('gets %s without a body', async (status) => {
    const upstream = await forwarding.upstream((_request, response) => {
      response.writeHead(Number(status)).end();
    });
    const answer = await ask(session, { ':path': `/api/empty-${status}`, 'x-api-key': upstream.key });
    expect(answer).toMatchObject({ status: Number(status), body: '' });
    expect((await outcomeOf(forwarding.gateway, `/api/empty-${status}`)).access).toMatchObject({
      decision: 'allow',
    });
  });

  it('gets the length of what HEAD leaves out', async () => {
    const upstream = await forwarding.upstream((_request, response) => {
      response.writeHead(200, { 'Content-Length': 1234 }).end();
    });
    const answer = await ask(session, { ':method': 'HEAD', ':path': '/api/head', 'x-api-key': upstream.key });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'content-length': '1234' } });
    expect((await outcomeOf(forwarding.gateway, '/api/head')).access).toMatchObject({ decision: 'allow' });
  });

  it('gets repeated fields, trailers and interim responses', async () => {
    const upstream = await forwarding.raw(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nTE: x\r\n' +
        'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 42\r\n\r\n',
    );
    const stream = session.request({ ':path': '/api/x', 'x-api-key': upstream.key, te: 'trailers' });
    const interim: unknown[] = [];
    stream.on('headers', (headers) => interim.push(headers[':status'], headers.link));
    const answer = await answerOf(stream);
    expect(answer).toMatchObject({ status: 200, body: 'abc', trailers: { 'x-sum': '42' } });
    expect(answer.headers).toMatchObject({ 'set-cookie': ['a=1', 'b=2'], 'content-type': 'a/b' });
    expect(interim).toEqual([103, '</a.css>; rel=preload']);
  });

  it('gets an event stream as it comes', async () => {
    let emit: (text: string) => void = () => undefined;
    const upstream = await forwarding.upstream((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders();
      emit = (text) => void response.write(text);
    });
    const stream = session.request({ ':path': '/api/events', 'x-api-key': upstream.key });
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await new Promise((resolve) => stream.once('response', resolve));
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      emit(event);
      await waitFor('the event', () => text.endsWith(event));
    }
    stream.close(constants.NGHTTP2_CANCEL);
    expect((await outcomeOf(forwarding.gateway, '/api/events')).access).toMatchObject({
      decision: 'client_gone',
    });
  });
});

describe('what is malformed is reset, and reaches no upstream', () => {
  const without = (name: string) => HEAD.filter(([other]) => other !== name);

  it.each<[title: string, fields: Array<[string, string]>]>([
    ['connection', [...HEAD, ['connection', 'keep-alive']]],
    ['keep-alive', [...HEAD, ['keep-alive', 'timeout=5']]],
    ['transfer-encoding', [...HEAD, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...HEAD, ['upgrade', 'websocket']]],
    ['te that says more', [...HEAD, ['te', 'gzip']]],
    ['a name in upper case', [...HEAD, ['X-Custom', 'a']]],
    ['a path with a line break', [...without(':path'), [':path', '/api/x HTTP/1.1\r\nx: y']]],
    ['a path with a space', [...without(':path'), [':path', '/api/x y']]],
    ['a path of another form', [...without(':path'), [':path', 'http://gateway.test/api/x']]],
    ['no authority and no host', without(':authority')],
    ['no path', without(':path')],
    ['no method', without(':method')],
    ['a method that is none', [...without(':method'), [':method', 'GET /admin HTTP/1.1\r\n']]],
    ['no scheme', without(':scheme')],
    ['a scheme of its own', [...without(':scheme'), [':scheme', 'gopher']]],
    ['a host that contradicts the authority', [...HEAD, ['host', 'other.test']]],
    ['two paths', [...HEAD, [':path', '/api/y']]],
    ['a pseudo-header behind a field', [...HEAD, ['x', 'y'], [':status', '200']]],
    ['two lengths', [...HEAD, ['content-length', '0'], ['content-length', '5']]],
    ['a length that is none', [...HEAD, ['content-length', '+5']]],
    ['a body that is missing', [...HEAD, ['content-length', '5']]],
  ])('%s', async (_, fields) => {
    const upstream = await forwarding.upstream();
    const client = await openFrames(forwarding.gateway.tlsPort);
    const stream = client.request([...fields, ['x-api-key', upstream.key]]);
    const reset = await client.until((frame) => frame.type === RST_STREAM && frame.stream === stream);
    expect(reset?.payload.readUInt32BE()).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
    // The others of the session go on.
    const next = client.request([...HEAD, ['x-api-key', upstream.key]]);
    await client.until((frame) => frame.type === HEADERS && frame.stream === next);
    expect(upstream.requests).toHaveLength(1);
    client.destroy();
  });

  it.each([
    ['a name', 'x\r\ny', 'a'],
    ['a value', 'x-split', 'a\r\nx-forged: b'],
    ['a value', 'x-null', 'a\0b'],
  ])('a field whose %s could become another one is left out: %j', async (_, name, value) => {
    const upstream = await forwarding.upstream();
    const client = await openFrames(forwarding.gateway.tlsPort);
    const stream = client.request([...HEAD, [name, value], ['x-api-key', upstream.key], ['x-last', 'z']]);
    await client.until((frame) => frame.type === HEADERS && frame.stream === stream);
    const { rawHeaders } = upstream.last();
    expect(rawHeaders).toContain('x-last');
    expect(rawHeaders.join('\n')).not.toMatch(/x-split|x-null|x-forged|^y|\0/m);
    client.destroy();
  });

  it('a flood of CONTINUATION ends the session', async () => {
    const client = await openFrames(forwarding.gateway.tlsPort);
    client.request(HEAD, END_STREAM);
    for (let i = 0; i < 2000 && !client.closed(); i++) {
      client.send(CONTINUATION, 0, 1, fieldBlock([[`x-${i}`, 'a'.repeat(1000)]]));
      if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    }
    await waitFor('the end of the connection', () => client.closed());
    expect(await ask(session, { ':path': '/ping' })).toMatchObject({ status: 200 });
  });

  it('a client that stops an upload without ending it has not sent it whole', async () => {
    const upstream = await forwarding.upstream(() => undefined);
    const client = await openFrames(forwarding.gateway.tlsPort);
    const stream = client.request(
      [
        [':method', 'POST'],
        ...without(':method').slice(0, 2),
        [':path', '/api/torn-upload'],
        ['x-api-key', upstream.key],
      ],
      END_HEADERS,
    );
    client.send(DATA, 0, stream, Buffer.from('a part'));
    await waitFor('the request', () => upstream.requests.length === 1);
    // The code that says "no error".
    client.send(RST_STREAM, 0, stream, Buffer.alloc(4));
    await upstream.last().ended;
    expect(upstream.last()).toMatchObject({ aborted: true });
    expect((await outcomeOf(forwarding.gateway, '/api/torn-upload')).access).toMatchObject({ status: 499 });
    client.destroy();
  });

  it.each([
    ['longer', '3', 'abcdef'],
    ['shorter', '30', 'abcdef'],
  ])('a body %s than it said', async (_, length, body) => {
    const upstream = await forwarding.upstream();
    const head = {
      ':method': 'POST',
      ':path': '/api/x',
      'x-api-key': upstream.key,
      'content-length': length,
    };
    expect(await outcomeOfStream(ask(session, head, body))).toBe('NGHTTP2_PROTOCOL_ERROR');
    await allOver(forwarding.gateway);
    expect(upstream.requests.filter(({ aborted }) => !aborted)).toEqual([]);
  });

  it('header fields beyond MAX_HEADER_BYTES: 431', async () => {
    const upstream = await forwarding.upstream();
    const answer = await ask(session, {
      ':path': '/api/x',
      'x-api-key': upstream.key,
      'x-large': 'a'.repeat(9000),
    });
    expect(answer.status).toBe(431);
    const far = { ':path': '/api/x', 'x-api-key': upstream.key, 'x-large': 'a'.repeat(60_000) };
    const own = await openHttp2(forwarding.gateway.tlsPort);
    expect(typeof (await outcomeOfStream(ask(own, far)).catch(() => 'gone'))).toBe('string');
    expect(upstream.requests).toEqual([]);
  });

  it('a body beyond MAX_BODY_BYTES: 413, with the rest of it unread', async () => {
    const upstream = await forwarding.upstream();
    const head = {
      ':method': 'POST',
      ':path': '/api/x',
      'x-api-key': upstream.key,
      'content-length': '2000000',
    };
    const stream = session.request(head);
    stream.write(Buffer.alloc(1000));
    expect(await answerOf(stream)).toMatchObject({ status: 413 });
  });
});

describe('what breaks off', () => {
  it.each([
    ['CANCEL', constants.NGHTTP2_CANCEL],
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
  ])(
    'a stream that its client resets (%s) while it reads is aborted at the upstream and not billed',
    async (name, code) => {
      let gone = false;
      const upstream = await forwarding.upstream((_request, response) => {
        response.on('close', () => (gone = !response.writableFinished));
        response.writeHead(200, { 'Content-Length': 50_000_000 });
        response.write(Buffer.alloc(10_000_000));
      });
      const stream = session.request({ ':path': `/api/read-${name}`, 'x-api-key': upstream.key });
      await new Promise((resolve) => stream.once('data', resolve));
      stream.close(code);
      await waitFor('the end at the upstream', () => gone);
      const { access } = await outcomeOf(forwarding.gateway, `/api/read-${name}`);
      expect(access).toMatchObject({ status: 200, decision: 'client_gone' });
    },
  );

  it.each([
    ['CANCEL', constants.NGHTTP2_CANCEL],
    ['NO_ERROR', constants.NGHTTP2_NO_ERROR],
  ])('a whole response that waits for its client is not delivered by a reset (%s)', async (name, code) => {
    // More than the client takes without reading; all of it is at the gateway.
    const upstream = await forwarding.upstream(
      (_request, response) => void response.end(Buffer.alloc(40_000)),
    );
    const slow = await openHttp2(forwarding.gateway.tlsPort, { settings: { initialWindowSize: 20_000 } });
    const stream = slow.request({ ':path': `/api/held-${name}`, 'x-api-key': upstream.key });
    stream.on('error', () => undefined);
    await new Promise((resolve) => stream.once('response', resolve));
    stream.pause();
    await waitFor('the whole answer at the gateway', () => upstream.requests.length === 1);
    stream.close(code);
    const { access } = await outcomeOf(forwarding.gateway, `/api/held-${name}`);
    expect(access).toMatchObject({ decision: 'client_gone' });
    slow.destroy();
  });

  it.each([
    ['length', 'Content-Length: 100\r\n\r\nabc'],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
  ])('an upstream that breaks off in the middle of its body resets the stream: %s', async (name, rest) => {
    const upstream = await forwarding.raw(`HTTP/1.1 200 OK\r\n${rest}`);
    const head = { ':path': `/api/torn-${name}`, 'x-api-key': upstream.key };
    expect(await outcomeOfStream(ask(session, head))).toBe('NGHTTP2_INTERNAL_ERROR');
    const { access } = await outcomeOf(forwarding.gateway, `/api/torn-${name}`);
    expect(access).toMatchObject({ status: 200, decision: 'upstream_failed' });
  });
});

it('bills what was delivered whole, and nothing that was reset before', async () => {
  const upstream = await forwarding.upstream((request, response) => {
    if (request.url === '/large') response.end(Buffer.alloc(5_000_000));
    else if (request.url === '/small') response.end('small');
    else response.writeHead(200, { 'Content-Length': 100 }).write('a part');
  });
  const own = await openHttp2(forwarding.gateway.tlsPort);
  const whole = ['/api/small', '/api/large', '/api/small'];
  for (const path of whole)
    expect((await ask(own, { ':path': path, 'x-api-key': upstream.key })).status).toBe(200);
  const resets = [constants.NGHTTP2_NO_ERROR, constants.NGHTTP2_CANCEL];
  for (const path of ['/api/large', '/api/torn']) {
    for (const code of resets) {
      const stream = own.request({ ':path': path, 'x-api-key': upstream.key });
      stream.on('error', () => undefined);
      await new Promise((resolve) => stream.once('response', resolve));
      stream.close(code);
    }
  }
  await allOver(forwarding.gateway);
  const { tenantId } = forwarding.gateway.logs.findLast(({ path }) => path === '/api/torn') ?? {};
  // Counted together, so that what is billed is complete as soon as all of them are counted.
  await waitFor('all of the usage', async () => {
    const { body } = await forwarding.gateway.admin('GET', `/admin/tenants/${String(tenantId)}/usage`);
    return (body as { counters: { requests: number } }).counters.requests === 7;
  });
  const headers = { 'X-API-Key': upstream.key };
  const summary = await fetch(`${forwarding.gateway.url}/billing/summary`, { headers });
  expect(await summary.json()).toMatchObject({ total_requests: whole.length });
});

it('a shutdown lets open streams finish, and asks for no more', async () => {
  const held: Array<() => void> = [];
  const going = await startTlsForwarding({ SHUTDOWN_TIMEOUT_MS: '5000' });
  const upstream = await going.upstream((_request, response) => void held.push(() => response.end('done')));
  const client = await openHttp2(going.gateway.tlsPort);
  let told = false;
  client.on('goaway', () => (told = true));
  const answer = ask(client, { ':path': '/api/x', 'x-api-key': upstream.key });
  await waitFor('the request', () => held.length === 1);
  const stopped = going.gateway.close();
  await waitFor('the drain', async () => (await ask(client, { ':path': '/ping' })).status === 503);
  held[0]?.();
  expect(await answer).toMatchObject({ status: 200, body: 'done' });
  await waitFor('the word to the client', () => told);
  await stopped;
  expect(client.closed || client.destroyed).toBe(true);
});

/** By the targets that HTTP/2 has a form for; those it has none for are reset before anybody sees them. */
describe('path tricks', () => {
  it('come out as over HTTP/1.1', async () => {
    const allowedRoutes = ['/v1', '/v1/admin', '/v1/Secret', '/v1/a@b'].map((path) => ({
      path,
      auth: { jwt: path !== '/v1' },
    }));
    const idp = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
    const upstream = await forwarding.upstream(undefined, { allowedRoutes, idp });
    const tricks = Object.values(TRICKS)
      .flat()
      .filter(([target]) => target.length < 4000);
    const wrong: unknown[] = [];
    for (const [target, expected] of tricks) {
      const before = upstream.requests.length;
      const client = session.destroyed ? (session = await openHttp2(forwarding.gateway.tlsPort)) : session;
      const head = { ':path': target, ':authority': 'gateway.test', 'x-api-key': upstream.key };
      const outcome = await outcomeOfStream(ask(client, head)).catch((error: Error) => error.message);
      const forwarded = upstream.requests.slice(before).map(({ url }) => url);
      const status = typeof outcome === 'string' ? 'reset' : outcome.status;
      const formless = !target.startsWith('/') || /[^\x21-\x7e]/.test(target);
      const fine =
        status === 'reset'
          ? forwarded.length === 0 && formless
          : typeof expected === 'string'
            ? status === 200 && forwarded.length === 1 && forwarded[0] === expected
            : status === expected && forwarded.length === 0;
      if (!fine) wrong.push([target, expected, status, forwarded]);
    }
    expect(wrong).toEqual([]);
    expect(tricks.length).toBeGreaterThan(300);
  });
});

describe('many streams', () => {
  it('a thousand at once are all served', async () => {
    const upstream = await forwarding.upstream((_request, response) => void response.end('done'));
    const asked = Array.from({ length: 1000 }, () =>
      ask(session, { ':path': '/api/x', 'x-api-key': upstream.key }),
    );
    const answers = await Promise.all(asked);
    expect(answers.filter(({ status, body }) => status === 200 && body === 'done')).toHaveLength(1000);
    expect(upstream.requests).toHaveLength(1000);
  });

  it('rapid reset ends the session, and little of it reaches the upstream', async () => {
    const upstream = await forwarding.upstream(() => undefined);
    const attacker = await openFrames(forwarding.gateway.tlsPort);
    const fields: Array<[string, string]> = [...HEAD, ['x-api-key', upstream.key]];
    const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]);
    for (let i = 0; i < 2000 && !attacker.closed(); i++) {
      attacker.send(RST_STREAM, 0, attacker.request(fields), cancel);
      if (i % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    }
    const away = await attacker.until((frame) => frame.type === GOAWAY);
    expect(away?.payload.readUInt32BE(4)).toBe(constants.NGHTTP2_ENHANCE_YOUR_CALM);
    await waitFor('the end of the connection', () => attacker.closed());
    await allOver(forwarding.gateway);
    expect(await settled(() => upstream.requests.length + 1)).toBeLessThan(500);
    expect(forwarding.gateway.logs).toContainEqual(
      expect.objectContaining({ level: 'warn', what: 'stream resets', ip: '127.0.0.1' }),
    );
    expect(internalErrors(forwarding.gateway)).toEqual([]);
  });

  it('a flood of PING ends the session', async () => {
    const attacker = await openHttp2(forwarding.gateway.tlsPort);
    const closed = new Promise((resolve) => attacker.once('close', resolve));
    for (let i = 0; i < 500 && !attacker.destroyed; i++) {
      attacker.ping(() => undefined);
      if (i % 8 === 7) await new Promise((resolve) => setImmediate(resolve));
    }
    await closed;
    expect(forwarding.gateway.logs).toContainEqual(expect.objectContaining({ what: 'PING' }));
  });
});
