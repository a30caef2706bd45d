import { once } from 'node:events';
import { connect } from 'node:http2';
import tls from 'node:tls';
import { ServerCredentials, credentials, status } from '@grpc/grpc-js';
import { makeCertificate } from '../support/certificate-maker';
import { waitFor } from '../support/children';
import { GrpcClient, startGrpcUpstream, type GrpcUpstream, type UnaryHandler } from '../support/grpc';
import { startHttp2Upstream } from '../support/http2-upstream';
import { internalErrors, outcomeOf } from '../support/outcomes';
import { tlsEnvironment } from '../support/tls-forwarding';
import { startPublished, type Publisher, type PublishedSetup } from './published-setup';

let setup: PublishedSetup;
let publisher: Publisher;
let upstream: GrpcUpstream;
let clients: Record<'h2c' | 'TLS', GrpcClient>;
let key: Record<string, string>;

const held: UnaryHandler = () => undefined;
let lastCall: Parameters<UnaryHandler>[0];
const unary: UnaryHandler = (call, done) => {
  lastCall = call;
  const code = Number(call.metadata.get('fail-with')[0] ?? 0);
  call.sendMetadata(call.metadata);
  if (code > 0) done({ code, details: 'ä 100 %\n', metadata: call.metadata });
  else if (call.metadata.get('hold').length === 0) done(null, call.request, call.metadata);
};

beforeAll(async () => {
  setup = await startPublished({
    HTTP2_CLEARTEXT: 'true',
    GATEWAY_JWT_SECRET: 'a secret of the gateway, long enough',
    ...tlsEnvironment(),
  });
  upstream = await startGrpcUpstream(unary);
  publisher = await setup.publisher();
  const service = await setup.service(publisher.id, upstream.url);
  const limited = await setup.service(publisher.id, upstream.url, {
    rateLimit: { windowSeconds: 3600, maxRequests: 1 },
  });
  const away = await setup.service(publisher.id, 'h2c://127.0.0.1:1');
  const slow = await setup.service(publisher.id, (await startGrpcUpstream(held)).url, {
    timeouts: { firstByteMs: 100 },
  });
  const auth = { apiKey: true, jwt: false };
  await publisher.publish(
    { path: '/test.Echo', backends: [{ service }], auth },
    { path: '/limited/test.Echo', stripPrefix: true, backends: [{ service: limited }], auth },
    { path: '/away', backends: [{ service: away }], auth },
    { path: '/slow', backends: [{ service: slow }], auth, stripPrefix: true },
    { path: '/token', backends: [{ service }], auth: { jwt: true }, stripPrefix: true },
    { path: '/rewritten', backends: [{ service }], auth, stripPrefix: true },
  );
  key = { 'x-api-key': publisher.key };
  clients = {
    h2c: new GrpcClient(`127.0.0.1:${setup.gateway.port}`),
    TLS: new GrpcClient(
      `127.0.0.1:${setup.gateway.tlsPort}`,
      credentials.createSsl(null, null, null, { rejectUnauthorized: false }),
      { 'grpc.ssl_target_name_override': 'localhost' },
    ),
  };
});
afterAll(() => expect(internalErrors(setup.gateway)).toEqual([]));

describe.each(['h2c', 'TLS'] as const)('over %s', (transport) => {
  it('carries a call with its metadata both ways, and its trailers', async () => {
    const binary = Buffer.from([0, 255, 7]);
    const { code, messages, head, trailers } = await clients[transport].ask('unary', 'hello', {
      ...key,
      'x-custom': 'value',
      'x-custom-bin': binary,
    });
    expect({ code, text: messages.map(String) }).toEqual({ code: status.OK, text: ['hello'] });
    for (const metadata of [upstream.metadata.at(-1), head, trailers]) {
      expect(metadata?.get('x-custom')).toEqual(['value']);
      expect(metadata?.get('x-custom-bin')).toEqual([binary]);
      expect(metadata?.get('x-api-key')).toEqual([]);
    }
    expect(upstream.metadata.at(-1)?.get('x-forwarded-proto')).toEqual([
      transport === 'TLS' ? 'https' : 'http',
    ]);
  });

  it('streams messages of the client, of the server, and of both by turns', async () => {
    const client = clients[transport];
    const upload = client.begin('upload', key);
    for (let i = 0; i < 100; i++) upload.call.write(Buffer.alloc(10_000));
    upload.call.end();
    expect((await upload.answer).messages.map(String)).toEqual(['1000000']);

    const download = await client.ask('download', '1000', key);
    expect(download).toMatchObject({ code: status.OK });
    expect(download.messages).toHaveLength(1000);

    const talk = client.begin('talk', key);
    for (const word of ['one', 'two', 'three']) {
      talk.call.write(Buffer.from(word));
      await waitFor(`the answer to ${word}`, () => talk.messages.at(-1)?.toString() === word);
    }
    talk.call.end();
    expect(await talk.answer).toMatchObject({ code: status.OK });
  });

  it('carries large messages whole', async () => {
    const message = Buffer.alloc(6_000_000, 'large ');
    const { messages } = await clients[transport].ask('unary', message, key);
    expect(messages).toHaveLength(1);
    expect(messages[0]?.equals(message)).toBe(true);
  });
});

describe('an error of the upstream', () => {
  it.each([
    [status.INVALID_ARGUMENT, 400],
    [status.UNAUTHENTICATED, 401],
    [status.RESOURCE_EXHAUSTED, 429],
    [status.UNAVAILABLE, 503],
  ])('%i passes as it is, counts as %i, and is not billed', async (code, http) => {
    const path = `/rewritten/test.Echo/Unary`;
    const before = setup.gateway.logs.length;
    const answer = await clients.h2c.ask('unary', 'x', { ...key, 'fail-with': String(code) }, {}, path);
    expect(answer).toMatchObject({ code, details: 'ä 100 %\n' });
    const access = await waitFor('an access line', () =>
      setup.gateway.logs.slice(before).find((line) => line.msg === 'request' && line.path === path),
    );
    expect(access).toMatchObject({ status: http, decision: 'allow', protocol: 'HTTP/2.0' });
  });

  it('is no successful request in the usage', async () => {
    const own = await setup.publisher();
    const service = await setup.service(own.id, upstream.url);
    await own.publish({
      path: '/counted',
      backends: [{ service }],
      stripPrefix: true,
      auth: { apiKey: true, jwt: false },
    });
    const ask = (fields: Record<string, string>): Promise<unknown> =>
      clients.h2c.ask('unary', 'x', { 'x-api-key': own.key, ...fields }, {}, '/counted/test.Echo/Unary');
    await ask({});
    await ask({ 'fail-with': '5' });
    await ask({ 'fail-with': '13' });
    // Of what succeeded; the others are told apart by their status.
    const usage = async (): Promise<unknown> =>
      (await setup.gateway.admin('GET', `/usage/${service}?tenant_id=${own.id}`)).body;
    await waitFor('the usage', async () => JSON.stringify(await usage()).includes('"total_requests":1,'));
    const all = await setup.gateway.admin('GET', `/admin/tenants/${own.id}/usage`);
    expect(all.body).toMatchObject({ counters: { requests: 3 } });
  });
});

it.each(['h2c', 'http'])(
  'bills a client that only says that it speaks gRPC, to a service at %s',
  async (scheme) => {
    const own = await setup.publisher();
    const web = await startHttp2Upstream(({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/json' });
      stream.end('{}');
    });
    const service = scheme === 'h2c' ? await setup.service(own.id, web.url) : own.service;
    const path = `/web-${scheme}`;
    await own.publish({ path, backends: [{ service }], auth: { apiKey: true, jwt: false } });
    const { code } = await clients.h2c.ask('unary', 'x', { 'x-api-key': own.key }, {}, `${path}/x`);
    expect(code).not.toBe(status.OK);
    await waitFor('the usage', async () => {
      const { body } = await setup.gateway.admin('GET', `/usage/${service}?tenant_id=${own.id}`);
      return JSON.stringify(body).includes('"total_requests":1,');
    });
  },
);

it('sends a call again that its first target has refused, where the client says that this is safe', async () => {
  const full = await startGrpcUpstream((_, done) => done({ code: status.UNAVAILABLE }));
  const own = await setup.publisher();
  const targets = [{ url: full.url }, { url: upstream.url }];
  const retries = { attempts: 2, statuses: [503], backoffMs: 1 };
  const service = await setup.service(own.id, targets, { retries });
  const auth = { apiKey: true, jwt: false };
  await own.publish({ path: '/again', backends: [{ service }], stripPrefix: true, auth });
  for (let i = 0; i < 4; i++) {
    const fields = { 'x-api-key': own.key, 'idempotency-key': String(i) };
    const answer = await clients.h2c.ask('unary', 'hello', fields, {}, '/again/test.Echo/Unary');
    expect(answer).toMatchObject({ code: status.OK });
  }
  expect(full.metadata.length).toBeGreaterThan(0);
});

it('asks upstreams over HTTP/2 whether they are well', async () => {
  const web = await startHttp2Upstream();
  const healthCheck = { path: '/health', intervalSeconds: 1 };
  const service = await setup.service(publisher.id, [{ url: web.url }, { url: upstream.url }], {
    healthCheck,
  });
  await setup.get(`/proxy/${service}/x`, key);
  const checked = await waitFor('a check', () =>
    web.requests.find(({ headers }) => headers[':path'] === '/health'),
  );
  expect(checked.headers).toMatchObject({ ':method': 'GET', 'user-agent': 'Gatehouse-Health-Check' });
  await waitFor('its end', () => checked.resetWith !== undefined);
});

it('takes the token of a call, and sees that it is for this service', async () => {
  const made = await setup.gateway.admin('POST', '/admin/tokens', {
    project: publisher.id,
    service: 'worker',
  });
  const { token } = made.body as { token: string };
  const ask = (authorization: string) =>
    clients.h2c.ask('unary', 'hello', { authorization }, {}, '/token/test.Echo/Unary');
  expect(await ask(`Bearer ${token}`)).toMatchObject({ code: status.OK });
  expect(await ask(`Bearer ${token.slice(0, -3)}AAA`)).toMatchObject({ code: status.UNAUTHENTICATED });
});

describe('a refusal', () => {
  it.each([
    ['no key', {}, '/test.Echo/Unary', status.UNAUTHENTICATED, 'missing_api_key'],
    [
      'an unknown key',
      { 'x-api-key': 'nope' },
      '/test.Echo/Unary',
      status.UNAUTHENTICATED,
      'invalid_api_key',
    ],
    ['no token', {}, '/token/x', status.UNAUTHENTICATED, 'missing_jwt'],
    ['nothing published', {}, '/other.Service/Method', status.UNIMPLEMENTED, 'not_found'],
    ['an upstream that is away', undefined, '/away/x', status.UNAVAILABLE, 'upstream_unreachable'],
    [
      'an upstream that is slow',
      undefined,
      '/slow/test.Echo/Unary',
      status.DEADLINE_EXCEEDED,
      'upstream_timeout',
    ],
  ])('for %s is a status of gRPC', async (_, metadata, path, code, reason) => {
    const { details, ...answer } = await clients.TLS.ask('unary', 'x', metadata ?? key, {}, path);
    expect(answer).toMatchObject({ code, messages: [] });
    expect(details.split(':')[0]).toBe(reason);
    // Trailers-Only: there is no head of its own.
    expect(answer.head.getMap()).toEqual({});
    expect(answer.trailers.get('x-request-id')).toHaveLength(1);
  });

  it('for a limit is not one that clients repeat by themselves', async () => {
    const ask = () => clients.h2c.ask('unary', 'x', key, {}, '/limited/test.Echo/Unary');
    await ask();
    const { code, trailers } = await ask();
    expect(code).toBe(status.RESOURCE_EXHAUSTED);
    expect(Number(trailers.get('retry-after')[0])).toBeGreaterThan(0);
  });

  it('is recorded by the status that HTTP would have', async () => {
    await clients.h2c.ask('unary', 'x', { 'x-api-key': 'nope' }, {}, '/rewritten/recorded');
    const { access, refusal } = await outcomeOf(setup.gateway, '/rewritten/recorded');
    expect(access).toMatchObject({ status: 401, decision: 'invalid_api_key', protocol: 'HTTP/2.0' });
    expect(refusal).toMatchObject({ reason: 'invalid_api_key' });
  });
});

describe('deadlines and cancellation', () => {
  it('ends a call at its own deadline, whatever our time-outs say, and tells the upstream', async () => {
    const { cancelled } = upstream;
    const deadline = Date.now() + 300;
    const answer = await clients.h2c.ask('unary', 'x', { ...key, hold: '1' }, { deadline });
    expect(answer.code).toBe(status.DEADLINE_EXCEEDED);
    await waitFor('the upstream to hear of it', () => upstream.cancelled > cancelled);
    expect(Math.abs(Number(lastCall.getDeadline()) - deadline)).toBeLessThan(200);
  });

  it('gives a call with a deadline longer than ours the time it asks for', async () => {
    const call = clients.h2c.begin('unary', key, { deadline: Date.now() + 1000 }, '/slow/test.Echo/Unary');
    call.call.write(Buffer.from('x'));
    call.call.end();
    const startedAt = performance.now();
    const { code } = await call.answer;
    expect(code).toBe(status.DEADLINE_EXCEEDED);
    // The service's own 100 ms for the first byte did not count.
    expect(performance.now() - startedAt).toBeGreaterThan(500);
  });

  it('holds it against nobody that a client gives no time to answer', async () => {
    const own = await setup.publisher();
    const service = await setup.service(own.id, upstream.url, { breaker: { failures: 3 } });
    const auth = { apiKey: true, jwt: false };
    await own.publish({ path: '/hurried', backends: [{ service }], stripPrefix: true, auth });
    const session = connect(setup.gateway.url);
    for (let i = 0; i < 5; i++) {
      const call = session.request({
        ':method': 'POST',
        ':path': '/hurried/test.Echo/Unary',
        'content-type': 'application/grpc',
        'grpc-timeout': '20m',
        te: 'trailers',
        hold: '1',
        'x-api-key': own.key,
      });
      const said: Record<string, unknown> = {};
      const listen = (fields: object): void => void Object.assign(said, fields);
      call.on('response', listen).on('trailers', listen).resume();
      call.end(Buffer.from([0, 0, 0, 0, 1, 120]));
      await once(call, 'close');
      expect(said['grpc-status']).toBe(String(status.DEADLINE_EXCEEDED));
    }
    session.destroy();
    const answer = clients.h2c.ask('unary', 'x', { 'x-api-key': own.key }, {}, '/hurried/test.Echo/Unary');
    expect(await answer).toMatchObject({ code: status.OK });
  });

  it('cancels at the upstream what the client cancels', async () => {
    const { cancelled } = upstream;
    const { call, messages, answer } = clients.TLS.begin('talk', key);
    call.write(Buffer.from('x'));
    await waitFor('an answer', () => messages.length === 1);
    call.cancel();
    expect(await answer).toMatchObject({ code: status.CANCELLED });
    await waitFor('the upstream to hear of it', () => upstream.cancelled > cancelled);
  });

  it('ends a stream with a status when its upstream goes away, and calls the next one that comes', async () => {
    const own = await setup.publisher();
    const first = await startGrpcUpstream();
    const service = await setup.service(own.id, first.url);
    const auth = { apiKey: true, jwt: false };
    await own.publish({ path: '/mortal', backends: [{ service }], stripPrefix: true, auth });
    const metadata = { 'x-api-key': own.key };
    const { call, messages, answer } = clients.h2c.begin('talk', metadata, {}, '/mortal/test.Echo/Talk');
    call.write(Buffer.from('x'));
    await waitFor('an answer', () => messages.length === 1);
    first.stop();
    const { code, details } = await answer;
    expect([code, details]).toEqual([status.UNAVAILABLE, expect.stringMatching(/^upstream_failed: /)]);
    const second = await startGrpcUpstream(undefined, { port: first.port });
    expect(await clients.h2c.ask('unary', 'x', metadata, {}, '/mortal/test.Echo/Unary')).toMatchObject({
      code: status.OK,
    });
    expect(second.metadata).toHaveLength(1);
  });

  it('ends an open stream with a status when its key is revoked', async () => {
    const { id, key: own } = await setup.key(publisher.id, {});
    const { call, messages, answer } = clients.h2c.begin('talk', { 'x-api-key': own });
    call.write(Buffer.from('x'));
    await waitFor('an answer', () => messages.length === 1);
    // From then on it is followed.
    await waitFor('an open stream', async () => {
      const { body } = await setup.gateway.admin('GET', '/metrics');
      return /^gateway_open_streams\S* [1-9]/m.test(body as string);
    });
    await setup.gateway.admin('DELETE', `/admin/tenants/${publisher.id}/api-keys/${id}`);
    expect((await answer).code).toBe(status.UNAUTHENTICATED);
  });
});

describe('an upstream over TLS', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is asked only if its certificate is trusted', async () => {
    const pair = makeCertificate(['localhost']);
    const [cert_chain, private_key] = [Buffer.from(pair.cert), Buffer.from(pair.key)];
    const secure = await startGrpcUpstream(undefined, {
      credentials: ServerCredentials.createSsl(null, [{ cert_chain, private_key }]),
    });
    const own = await setup.publisher();
    const service = await setup.service(own.id, secure.url);
    const auth = { apiKey: true, jwt: false };
    await own.publish({ path: '/secure', backends: [{ service }], stripPrefix: true, auth });
    const ask = () =>
      clients.TLS.ask('unary', 'hello', { 'x-api-key': own.key }, {}, '/secure/test.Echo/Unary');
    expect(await ask()).toMatchObject({ code: status.UNAVAILABLE });
    expect(secure.metadata).toEqual([]);
    const { connect } = tls;
    // As NODE_EXTRA_CA_CERTS would do it, which counts at the start of a process.
    jest
      .spyOn(tls, 'connect')
      .mockImplementation(((options: tls.ConnectionOptions) =>
        connect({ ...options, ca: pair.cert })) as typeof connect);
    expect(await ask()).toMatchObject({ code: status.OK });
    expect(secure.metadata).toHaveLength(1);
  });
});
