import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { startBlackhole, type Blackhole } from '../support/blackhole';
import { waitFor } from '../support/children';
import { openConnection, requestHead, type ClientConnection } from '../support/connection';
import { ask, openHttp2 } from '../support/http2-client';
import { allOver, internalErrors } from '../support/outcomes';
import { parseResponse } from '../support/raw-request';
import { tlsEnvironment } from '../support/tls-forwarding';
import type { TestUpstream } from '../support/upstream';
import { QUICK, REFUSING, answer, ok, reset, startRetries, type Mood, type RetrySetup } from './retry-setup';

let setup: RetrySetup;
let blackhole: Blackhole;
beforeAll(async () => {
  [setup, blackhole] = await Promise.all([
    startRetries({ ...tlsEnvironment(), MAX_BODY_BYTES: '1000000', RETRY_BODIES_MAX_BYTES: '300000' }),
    startBlackhole(),
  ]);
});
afterAll(() => blackhole.stop());

const KEYED = { 'Idempotency-Key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' };
/** The example of RFC 6455 §1.3. */
const HANDSHAKE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};
const digest = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

/** Sends a head; the body is up to the test. */
async function begin(line: string, fields: Record<string, string | number>): Promise<ClientConnection> {
  const client = await openConnection(setup.gateway.port);
  await client.send(requestHead(line, { 'X-API-Key': setup.owner.key, Connection: 'close', ...fields }));
  return client;
}

/** Sends a whole request. */
async function send(line: string, body: Buffer, fields: Record<string, string | number> = KEYED) {
  const client = await begin(line, { 'Content-Length': body.length, ...fields });
  await client.send(body);
  await client.closed;
  return parseResponse(client.received());
}

const chunk = (text: string | Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${text.length.toString(16)}\r\n`), Buffer.from(text), Buffer.from('\r\n')]);

interface TargetView {
  url: string;
  pending: number;
  failures: number;
  trouble: string | null;
}
async function targetsOf(path: string): Promise<TargetView[]> {
  const id = path.slice('/proxy/'.length);
  const { body } = await setup.gateway.admin('GET', `/admin/tenants/${setup.owner.id}/services/${id}/health`);
  return (body as { targets: TargetView[] }).targets;
}

/** A service on several targets; a target is an upstream with its moods, or an address. */
async function service(targets: Array<Mood[] | string>, more: object = {}) {
  const upstreams: Array<TestUpstream | undefined> = [];
  for (const moods of targets)
    upstreams.push(typeof moods === 'string' ? undefined : await setup.upstream(...moods));
  const urls = targets.map((moods, i) => ({ url: upstreams[i]?.url ?? (moods as string) }));
  const id = await setup.service(setup.owner.id, urls, { retries: QUICK, ...more });
  return {
    path: `/proxy/${id}`,
    counts: () => upstreams.map((upstream) => upstream?.requests.length),
    upstreams,
  };
}

describe('the body of a request that is sent again', () => {
  it.each([
    ['POST', 50_000],
    ['PATCH', 65_536],
    ['PUT', 1],
  ])('is the same to the byte: %s of %d bytes', async (method, bytes) => {
    const body = randomBytes(bytes);
    const afterTheBody: Mood = async (request, _response, recorded) => {
      while (recorded.bodyBytes < bytes) await new Promise((resolve) => setImmediate(resolve));
      request.socket.resetAndDestroy();
    };
    const { path, upstream } = await setup.oneTarget(QUICK, [afterTheBody, answer(503), ok]);
    const response = await send(`${method} ${path}`, body);
    expect([response.status, response.body]).toEqual([200, `ok ${digest(body)}`]);
    expect(upstream.requests.map(({ bodyBytes }) => bodyBytes)).toEqual([bytes, bytes, bytes]);
    expect(upstream.last().headers).toMatchObject({ 'idempotency-key': KEYED['Idempotency-Key'] });
    // What the client has sent, once.
    expect(await setup.access(path)).toMatchObject({ attempts: 3, bytesIn: bytes });
  });

  it('is whole although an attempt failed in the middle of it', async () => {
    const inTheMiddle: Mood = async (_request, response, recorded) => {
      while (recorded.bodyBytes < 5) await new Promise((resolve) => setImmediate(resolve));
      response.writeHead(503, { Connection: 'close' }).end('enough');
    };
    const { path, upstream } = await setup.oneTarget(QUICK, [inTheMiddle, ok]);
    const client = await begin(`POST ${path}`, { 'Transfer-Encoding': 'chunked', ...KEYED });
    await client.send(chunk('first'));
    await waitFor('the second attempt', () => upstream.requests.length === 2);
    await waitFor('what was kept', () => upstream.requests[1]?.bodyText === 'first');
    await client.send(chunk(' second'));
    await client.send('0\r\n\r\n');
    await client.closed;
    const response = parseResponse(client.received());
    expect(response.status).toBe(200);
    expect(upstream.requests[1]?.bodyText).toBe('first second');
  });

  it('goes to the upstream as it comes in', async () => {
    const { path, upstream } = await setup.oneTarget(QUICK, [ok]);
    const client = await begin(`POST ${path}`, { 'Content-Length': 10, ...KEYED });
    await client.send('01234');
    await waitFor('the first half', () => upstream.requests[0]?.bodyText === '01234');
    await client.send('56789');
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(200);
  });

  it.each([
    ['as the policy says', { ...QUICK, bodyBytes: 1000 }, 1001],
    ['for what all bodies together may take', { ...QUICK, bodyBytes: 500_000 }, 300_001],
  ])('is not kept if it is too large %s: it is sent once', async (_, policy, bytes) => {
    const { path, upstream } = await setup.oneTarget(policy, [answer(503), ok]);
    const response = await send(`PUT ${path}`, Buffer.alloc(bytes, 'x'));
    expect([response.status, response.body]).toEqual([503, 'status 503']);
    expect(upstream.requests.map(({ bodyBytes }) => bodyBytes)).toEqual([bytes]);
    expect(await setup.access(path)).toMatchObject({ retryWithheld: 'body' });
  });

  it('takes no room for long', async () => {
    for (let round = 0; round < 4; round++) {
      const { path } = await setup.oneTarget({ ...QUICK, bodyBytes: 500_000 }, [answer(503), ok]);
      expect((await send(`PUT ${path}`, Buffer.alloc(200_000, 'x'))).status).toBe(200);
    }
    await allOver(setup.gateway);
  });

  it('is sent, however large, where the first target takes none of it', async () => {
    const { path, counts } = await service([REFUSING, [ok]], { retries: { ...QUICK, bodyBytes: 0 } });
    const body = randomBytes(900_000);
    for (let i = 0; i < 2; i++) {
      const response = await send(`POST ${path}`, body, {});
      expect([response.status, response.body]).toEqual([200, `ok ${digest(body)}`]);
    }
    expect(counts()).toEqual([undefined, 2]);
  });

  it('is waited for only when somebody reads it', async () => {
    const { path, upstreams } = await service([REFUSING, [ok]]);
    const client = await begin(`POST ${path}`, { 'Content-Length': 5, Expect: '100-continue' });
    await client.until('100 Continue');
    await client.send('hello');
    await client.closed;
    expect(client.received().match(/100 Continue/g)).toHaveLength(1);
    expect(upstreams[1]?.last().bodyText).toBe('hello');
  });

  it('that is more than the gateway forwards is refused, and blamed on no upstream', async () => {
    const { path, upstreams } = await service([[ok], [ok]]);
    const client = await begin(`POST ${path}`, { 'Transfer-Encoding': 'chunked', ...KEYED });
    await client.send(chunk(Buffer.alloc(1_000_001)));
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 413 /);
    expect(upstreams.flatMap((upstream) => upstream?.requests ?? [])).toHaveLength(1);
    expect((await targetsOf(path)).map(({ failures, pending }) => [failures, pending])).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  it('may stay away: a client that leaves in the middle costs nothing more', async () => {
    const { path, counts } = await service([REFUSING, [ok]]);
    for (let round = 0; round < 2; round++) {
      const client = await begin(`POST ${path}`, { 'Content-Length': 10, ...KEYED });
      await client.send('01234');
      await waitFor('the upstream', () => (counts()[1] ?? 0) > round);
      client.destroy();
      await allOver(setup.gateway);
    }
    expect(counts()).toEqual([undefined, 2]);
    expect((await targetsOf(path)).map(({ pending }) => pending)).toEqual([0, 0]);
    expect(internalErrors(setup.gateway)).toEqual([]);
  });
});

describe('a retry goes to another target', () => {
  it.each<[what: string, bad: () => Mood[] | string, line: string, more?: object]>([
    ['refuses, for a POST too', () => REFUSING, 'POST'],
    [
      'does not take a connection, for a POST too',
      () => `http://127.0.0.1:${blackhole.port}`,
      'POST',
      { timeouts: { connectMs: 100 } },
    ],
    ['speaks no TLS, for a POST too', () => 'tls', 'POST'],
    ['resets', () => [reset], 'GET'],
    ['answers 503', () => [answer(503)], 'GET'],
    ['answers 503 and wants to be left alone for long', () => [answer(503, { 'Retry-After': '60' })], 'GET'],
  ])('if one %s', async (_, bad, line, more = {}) => {
    const plain = await setup.upstream(ok);
    const given = bad();
    const target = given === 'tls' ? plain.url.replace('http:', 'https:') : given;
    const { path, upstreams } = await service([target, [ok]], { passive: { failures: 3 }, ...more });
    for (let i = 0; i < 8; i++)
      expect((await setup.send(setup.owner.key, `${line} ${path}`)).status).toBe(200);
    expect(upstreams[1]?.requests).toHaveLength(8);
    // Each attempt has been told to the target that failed it: three failures put it out.
    await allOver(setup.gateway);
    expect(await targetsOf(path)).toMatchObject([
      { failures: 3, trouble: 'failed_requests', pending: 0 },
      { failures: 0, trouble: null, pending: 0 },
    ]);
  });

  it('and never to one that has failed the request while there is another', async () => {
    const { path, counts } = await service([[answer(503)], [answer(502)], [answer(504)]], {
      retries: { ...QUICK, attempts: 5 },
      passive: false,
    });
    for (let i = 0; i < 2; i++) await setup.send(setup.owner.key, `GET ${path}`);
    expect(counts()).toEqual([4, 4, 4]);
    await allOver(setup.gateway);
    expect((await targetsOf(path)).map(({ pending }) => pending)).toEqual([0, 0, 0]);
  });

  it('but waits for all of them where 429 was said about the caller', async () => {
    const retries = { ...QUICK, statuses: [429], maxBackoffMs: 1000 };
    const { path, counts } = await service([[answer(429, { 'Retry-After': '5' })], [ok]], { retries });
    expect((await setup.send(setup.owner.key, `GET ${path}`)).status).toBe(429);
    expect(counts()).toEqual([1, 0]);
  });

  it('with the path and the Host of that target', async () => {
    const [first, second] = [await setup.upstream(answer(503)), await setup.upstream(ok)];
    const urls = [{ url: `${first.url}/a` }, { url: `${second.url}/b/` }];
    const id = await setup.service(setup.owner.id, urls, { retries: QUICK });
    expect((await setup.send(setup.owner.key, `GET /proxy/${id}/x?y=1`)).status).toBe(200);
    expect([first.last().url, second.last().url]).toEqual(['/a/x?y=1', '/b/x?y=1']);
    expect(second.last().headers.host).toBe(`127.0.0.1:${second.port}`);
  });

  it('for clients of HTTP/2 as well, with the body', async () => {
    const { path, counts } = await service([[answer(503)], [ok]]);
    const session = await openHttp2(setup.gateway.tlsPort);
    const body = randomBytes(40_000);
    const response = await ask(
      session,
      { ':method': 'PUT', ':path': path, 'x-api-key': setup.owner.key },
      body,
    );
    expect([response.status, response.body]).toEqual([200, `ok ${digest(body)}`]);
    expect(counts()).toEqual([1, 1]);
    session.close();
  });
});

describe('a WebSocket', () => {
  async function echo(path: string): Promise<string> {
    const client = new WebSocket(setup.gateway.url.replace('http', 'ws') + path, {
      headers: { 'X-API-Key': setup.owner.key },
    });
    try {
      await once(client, 'open');
      client.send('hello');
      const [message] = (await once(client, 'message')) as [Buffer];
      return message.toString();
    } finally {
      client.on('error', () => undefined).terminate();
    }
  }
  const statusOf = async (path: string) => setup.send(setup.owner.key, `GET ${path}`, HANDSHAKE);

  it('goes to another target where one cannot be reached', async () => {
    const silentUrl = `http://127.0.0.1:${blackhole.port}`;
    const { path, upstreams } = await service([REFUSING, silentUrl, [ok]], {
      retries: { ...QUICK, attempts: 3 },
      timeouts: { connectMs: 100 },
      passive: { failures: 100 },
    });
    const server = new WebSocketServer({ server: upstreams[2]?.server });
    server.on('connection', (socket) =>
      socket.on('message', (data: Buffer) => socket.send(`echo ${data.toString()}`)),
    );
    for (let i = 0; i < 3; i++) expect(await echo(path)).toBe('echo hello');
    await allOver(setup.gateway);
    const [refusing, silent, sound] = await targetsOf(path);
    // By turns, each of the first two may be met first or second, or not at all.
    expect((refusing?.failures ?? 0) + (silent?.failures ?? 0)).toBeGreaterThanOrEqual(3);
    expect([refusing?.pending, silent?.pending, sound?.pending, sound?.failures]).toEqual([0, 0, 0, 0]);
    server.close();
  });

  it('is refused when none can be', async () => {
    const { path } = await service([REFUSING, 'http://127.0.0.1:2']);
    expect((await statusOf(path)).status).toBe(502);
    expect(await setup.access(path)).toMatchObject({ attempts: 3, retryWithheld: 'attempts' });
    const used = await service([REFUSING], { retries: { ...QUICK, exhaustedStatus: 503 } });
    expect((await statusOf(used.path)).headers).toMatchObject({ 'retry-after': '1' });
  });

  it('is not tried again once the handshake was sent', async () => {
    const { path, counts, upstreams } = await service([[reset], [ok]]);
    upstreams[0]?.server.on('upgrade', (_request, socket) => socket.destroy());
    upstreams[1]?.server.on('upgrade', (_request, socket) => socket.destroy());
    expect((await statusOf(path)).status).toBe(502);
    expect(counts()).toEqual([0, 0]);
    expect(await setup.access(path)).not.toHaveProperty('attempts');
  });
});
