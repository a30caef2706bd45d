import type { ClientHttp2Session } from 'node:http2';
import {
  sign,
  signBody,
  type SignOptions,
  type SignedRequest,
} from '../../clients/signatures/typescript/gatehouse-signatures';
import type { InboundSignature } from '#libs/tenants';
import { scratchFolder, waitFor } from '../support/children';
import { makeCertificate } from '../support/certificate-maker';
import { openConnection, requestHead } from '../support/connection';
import { startGateway, type TestGateway } from '../support/gateway';
import { ask, openHttp2 } from '../support/http2-client';
import { metric, outcomeOf } from '../support/outcomes';
import { parseResponse } from '../support/raw-request';
import { describeRedis, startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { writePair } from '../support/tls-forwarding';

const SECRET = 'the-secret-that-a-partner-signs-with';
const NEXT = 'the-next-secret-of-the-same-partner!';
const HOST = 'gateway.test';
const STRICT: InboundSignature = { keys: ['partner', 'next'] };

interface Trial {
  method?: string;
  target?: string;
  body?: string;
  headers?: Record<string, string>;
}

interface Sent {
  status: number;
  code: string | undefined;
}

describeRedis('signatures of requests that come in, by two replicas on one Redis', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let replicas: [TestGateway, TestGateway];
  let apiKey: string;
  let session: ClientHttp2Session;
  const paths = new Map<string, InboundSignature | false>([
    ['/strict', STRICT],
    ['/optional', { ...STRICT, required: false }],
    ['/covered', { ...STRICT, headers: ['X-Order'] }],
    ['/small', { ...STRICT, maxBodyBytes: 10 }],
    ['/uploads', { ...STRICT, acceptUnsignedPayload: true }],
    ['/body-only', { ...STRICT, acceptBodyOnly: true }],
    ['/none', false],
  ]);

  beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startUpstream()]);
    const folder = scratchFolder('tls');
    writePair(folder, 'default', makeCertificate(['localhost', HOST, '127.0.0.1']));
    const tls = { TLS_PORT: '0', TLS_CERT_DIR: folder };
    const common = { REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT_MS: '200' };
    replicas = await Promise.all([startGateway({ ...common, ...tls }), startGateway(common)]);
    apiKey = await replicas[0].addTenant({
      id: 'acme',
      upstreamBaseUrl: upstream.url,
      rateLimit: { windowSeconds: 1, maxRequests: 1_000_000 },
      signatureKeys: {
        partner: { secret: SECRET },
        next: { secret: NEXT },
        theirs: { secret: 'x'.repeat(8) + NEXT },
      },
      inboundSignature: STRICT,
      allowedRoutes: [
        { path: '/' },
        ...[...paths].map(([path, inboundSignature]) => ({ path, inboundSignature })),
      ],
    });
    session = await openHttp2(replicas[0].tlsPort);
  });
  afterAll(async () => {
    session.destroy();
    await Promise.all([...replicas.map((replica) => replica.close()), upstream.stop()]);
    await redis.stop();
  });

  const request = ({
    method = 'POST',
    target = '/api/strict?a=1',
    body = '',
    headers = {},
  }: Trial = {}): SignedRequest => ({
    method,
    host: HOST,
    target,
    headers,
    body: Buffer.from(body),
  });
  const signed = (trial: Trial = {}, options: SignOptions = {}, keyId = 'partner', secret = SECRET): string =>
    sign(request(trial), keyId, secret, options);

  /** Sends a request with header lines as they are spelt; the body as it is framed by them. */
  async function sendRaw(line: string, lines: string[], body = '', replica = replicas[0]): Promise<Sent> {
    const head = requestHead(line, { 'X-API-Key': apiKey, Connection: 'close' }).slice(0, -2);
    const client = await openConnection(replica.port);
    await client.send(`${head}${lines.map((one) => `${one}\r\n`).join('')}\r\n${body}`);
    await client.closed;
    const { status, body: answer } = parseResponse(client.received());
    return { status, code: status === 200 ? undefined : (JSON.parse(answer) as { code: string }).code };
  }
  const send = (trial: Trial, signature: string | undefined, replica = replicas[0]): Promise<Sent> => {
    const { method, target, headers } = request(trial);
    const { body = '' } = trial;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
    if (signature !== undefined) lines.push(`X-Gateway-Signature-V2: ${signature}`);
    if (body !== '') lines.push(`Content-Length: ${body.length}`);
    return sendRaw(`${method} ${target}`, lines, body, replica);
  };
  const refused = async (sent: Promise<Sent>, code: string, status = 401): Promise<void> => {
    const before = upstream.requests.length;
    expect(await sent).toEqual({ status, code });
    expect(upstream.requests).toHaveLength(before);
  };

  it.each<[string, Trial, SignOptions]>([
    ['without a body', { method: 'GET' }, {}],
    ['with a body', { body: '{"amount":12}' }, {}],
    [
      'with a covered header',
      { target: '/api/covered', headers: { 'x-order': '7' } },
      { covered: ['X-Order'] },
    ],
    [
      'with more covered than is asked for',
      { headers: { 'content-type': 'a/b' } },
      { covered: ['content-type'] },
    ],
    [
      'whose body is not covered, where that is accepted',
      { target: '/api/uploads', body: 'x' },
      { unsignedPayload: true },
    ],
  ])('let a request pass %s, and the upstream is told by whom', async (_name, trial, options) => {
    expect(await send(trial, signed(trial, options))).toEqual({ status: 200, code: undefined });
    expect(upstream.last()).toMatchObject({
      bodyText: trial.body ?? '',
      headers: { 'x-gateway-verified-key': 'partner' },
    });
    expect(upstream.last().headers).not.toHaveProperty('x-gateway-signature-v2');
  });

  it('are taken by either key while one is being changed', async () => {
    expect(await send({}, signed({}, {}, 'next', NEXT))).toMatchObject({ status: 200 });
    expect(upstream.last().headers['x-gateway-verified-key']).toBe('next');
  });

  const GOOD: Trial = { body: '{"amount":12}' };
  it.each<[string, Trial, string]>([
    ['another body of the same length', { ...GOOD, body: '{"amount":13}' }, 'signature_invalid'],
    ['a body that is cut off', { ...GOOD, body: '{"amount":12' }, 'signature_invalid'],
    ['no body', {}, 'signature_invalid'],
    ['another path', { ...GOOD, target: '/api/other?a=1' }, 'signature_invalid'],
    ['another query', { ...GOOD, target: '/api/strict?a=2' }, 'signature_invalid'],
    ['no query', { ...GOOD, target: '/api/strict' }, 'signature_invalid'],
    ['another method', { ...GOOD, method: 'PUT' }, 'signature_invalid'],
  ])('refuse %s', async (_name, sent, code) => {
    await refused(send(sent, signed(GOOD)), code);
  });

  const seconds = Math.floor(Date.now() / 1000);
  it.each<[string, string | undefined, string]>([
    ['no signature', undefined, 'signature_missing'],
    ['an old one', signed({}, { timestamp: seconds - 310 }), 'signature_expired'],
    ['one from the future', signed({}, { timestamp: seconds + 600 }), 'signature_expired'],
    ['a key nobody knows', signed({}, {}, 'unknown', SECRET), 'signature_invalid'],
    [
      'a key of the tenant that is not accepted here',
      signed({}, {}, 'theirs', 'x'.repeat(8) + NEXT),
      'signature_invalid',
    ],
    ['another secret', signed({}, {}, 'partner', NEXT), 'signature_invalid'],
    ['another host', sign({ ...request(), host: 'elsewhere.test' }, 'partner', SECRET), 'signature_invalid'],
    ['a body that is not covered', signed({}, { unsignedPayload: true }), 'signature_invalid'],
    ['rubbish', 'keyid=partner;t=1', 'signature_invalid'],
  ])('refuse %s', async (_name, signature, code) => {
    await refused(send({}, signature), code);
  });

  it('refuse a replay, here and at the other replica', async () => {
    const trial = { body: 'once' };
    const signature = signed(trial);
    expect(await send(trial, signature)).toMatchObject({ status: 200 });
    await refused(send(trial, signature), 'signature_replayed');
    await refused(send(trial, signature, replicas[1]), 'signature_replayed');
    const [key = ''] = (await redis.cli('KEYS', `*nonce*${/nonce=([^;]+)/.exec(signature)?.[1]}`)).split(
      '\n',
    );
    expect(Number(await redis.cli('PTTL', key))).toBeGreaterThan(300_000);
  });

  it('let one of many pass that are sent to both at once', async () => {
    const signature = signed();
    const sent = await Promise.all(
      Array.from({ length: 10 }, (_, i) => send({}, signature, replicas[i % 2])),
    );
    const statuses = sent.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 401)]);
  });

  it('do not spend what was spoilt on its way: it may be sent again as it was', async () => {
    const signature = signed(GOOD);
    await refused(send({ ...GOOD, body: '{"amount":99}' }, signature), 'signature_invalid');
    expect(await send(GOOD, signature)).toMatchObject({ status: 200 });
  });

  it.each([
    ['given twice', ['X-Gateway-Signature-V2: good', 'X-Gateway-Signature-V2: good'], 'signature_invalid'],
    [
      'given twice, in another case',
      ['X-Gateway-Signature-V2: good', 'x-gateway-signature-v2: x'],
      'signature_invalid',
    ],
    ['under a name that only looks like it', ['X_Gateway_Signature_V2: good'], 'signature_missing'],
    ['with a list behind it', ['X-Gateway-Signature-V2: good, good'], 'signature_invalid'],
    ['and nothing in it', ['X-Gateway-Signature-V2: '], 'signature_invalid'],
    ['of the body alone', [`X-Gateway-Signature: ${signBody(undefined, SECRET)}`], 'signature_missing'],
  ])('refuse a header %s', async (_name, lines, code) => {
    const good = signed();
    await refused(
      sendRaw(
        'POST /api/strict?a=1',
        lines.map((line) => line.replaceAll('good', good)),
      ),
      code,
    );
  });

  it('see a covered header that was put in, taken out or changed', async () => {
    const trial = { target: '/api/covered', headers: { 'x-order': '7' } };
    const signature = signed(trial, { covered: ['x-order'] });
    const given = `X-Gateway-Signature-V2: ${signature}`;
    const line = 'POST /api/covered';
    await refused(sendRaw(line, [given]), 'signature_invalid');
    await refused(sendRaw(line, [given, 'X-Order: 8']), 'signature_invalid');
    await refused(sendRaw(line, [given, 'X-Order: 7', 'X-Order: 8']), 'signature_invalid');
    await refused(send(trial, signed(trial)), 'signature_invalid');
    expect(await send(trial, signature)).toMatchObject({ status: 200 });
  });

  it('are judged over a chunked body, and over one that is told to go on', async () => {
    const trial = { body: 'hello world' };
    const chunks = '6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n';
    const given = (): string => `X-Gateway-Signature-V2: ${signed(trial)}`;
    const line = 'POST /api/strict?a=1';
    expect(await sendRaw(line, [given(), 'Transfer-Encoding: chunked'], chunks)).toMatchObject({
      status: 200,
    });
    expect(upstream.last().bodyText).toBe('hello world');
    const spoilt = chunks.replace('world', 'w0rld');
    await refused(sendRaw(line, [given(), 'Transfer-Encoding: chunked'], spoilt), 'signature_invalid');
    const client = await openConnection(replicas[0].port);
    const fields = { 'X-API-Key': apiKey, Expect: '100-continue', 'Content-Length': 11 };
    await client.send(requestHead(line, fields).slice(0, -2) + `${given()}\r\n\r\n`);
    await client.until('HTTP/1.1 100 Continue\r\n\r\n');
    await client.send(trial.body);
    expect(await client.until(/HTTP\/1\.1 200 /)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    client.destroy();
  });

  it('forward nothing of a body that never comes to its end', async () => {
    const before = upstream.requests.length;
    const trial = { target: '/api/strict?cut=1', body: 'hello world' };
    const client = await openConnection(replicas[0].port);
    const fields = { 'X-API-Key': apiKey, 'Content-Length': 11, 'X-Gateway-Signature-V2': signed(trial) };
    await client.send(requestHead('POST /api/strict?cut=1', fields) + 'hello');
    await waitFor(
      'the body to be held',
      async () => (await metric(replicas[0], 'gateway_held_body_bytes')) === 5,
    );
    client.destroy();
    await waitFor(
      'it to be given back',
      async () => (await metric(replicas[0], 'gateway_held_body_bytes')) === 0,
    );
    expect(upstream.requests).toHaveLength(before);
  });

  it('have bodies of a bounded size, and no bad one is read', async () => {
    const trial = { target: '/api/small', body: 'hello world' };
    await refused(send(trial, signed(trial)), 'body_not_signable', 413);
    // The head alone tells: whoever has no key makes nobody hold a body.
    await refused(send(trial, signed(trial, {}, 'partner', NEXT)), 'signature_invalid');
  });

  it('may be absent where none is required, but not wrong', async () => {
    const trial = { target: '/api/optional' };
    expect(await send(trial, undefined)).toMatchObject({ status: 200 });
    expect(upstream.last().headers).not.toHaveProperty('x-gateway-verified-key');
    await refused(send(trial, signed({ target: '/api/other' })), 'signature_invalid');
    expect(await send({ target: '/api/none' }, 'rubbish')).toMatchObject({ status: 200 });
  });

  it('of the body alone count only where they are accepted, and may be sent again there', async () => {
    const line = 'POST /api/body-only';
    const given = [`X-Gateway-Signature: ${signBody(Buffer.from('hello'), SECRET)}`, 'Content-Length: 5'];
    for (const replica of replicas)
      expect(await sendRaw(line, given, 'hello', replica)).toMatchObject({ status: 200 });
    await refused(sendRaw(line, given, 'hullo'), 'signature_invalid');
    await refused(sendRaw('POST /api/strict', given, 'hello'), 'signature_missing');
  });

  it('hold over HTTP/2 as well', async () => {
    const trial = { target: '/api/strict?h2=1', body: 'hello' };
    const signature = signed(trial);
    const headers = {
      ':method': 'POST',
      ':path': trial.target,
      ':authority': HOST,
      'x-api-key': apiKey,
      'x-gateway-signature-v2': signature,
    };
    expect(await ask(session, headers, 'hello')).toMatchObject({ status: 200 });
    expect(upstream.last().headers['x-gateway-verified-key']).toBe('partner');
    for (const [fields, body, code] of [
      [headers, 'hello', 'signature_replayed'],
      [headers, 'hullo', 'signature_invalid'],
      [{ ...headers, ':path': '/api/strict?h2=2' }, 'hello', 'signature_invalid'],
      [{ ...headers, 'x-gateway-signature-v2': [signature, signature] }, 'hello', 'signature_invalid'],
    ] as const) {
      const { status, body: answer } = await ask(session, fields as typeof headers, body);
      expect([status, JSON.parse(answer)]).toMatchObject([401, { code }]);
    }
  });

  it('are seen in the logs, the metrics and by explain', async () => {
    const trial = { target: '/api/strict/seen' };
    const [gateway] = replicas;
    const signature = signed(trial);
    expect(await send(trial, signature)).toMatchObject({ status: 200 });
    expect((await outcomeOf(gateway, '/api/strict/seen')).access).toMatchObject({
      decision: 'allow',
      signedBy: 'partner',
    });
    expect(
      await metric(gateway, 'gateway_signatures_total', 'tenantId="acme",kind="verified_v2"'),
    ).toBeGreaterThan(0);
    await send({ target: '/api/strict/unseen' }, undefined);
    const { access, refusal } = await outcomeOf(gateway, '/api/strict/unseen');
    expect([access, refusal]).toMatchObject([
      { status: 401, decision: 'signature_missing' },
      { category: 'auth', guard: 'signature', reason: 'signature_missing' },
    ]);
    const labels = 'tenantId="acme",reason="signature_missing"';
    expect(await metric(gateway, 'gateway_auth_failures_total', labels)).toBeGreaterThan(0);
    const explained = async (given: string): Promise<unknown> => {
      const headers = { Host: HOST, 'X-API-Key': apiKey, 'X-Gateway-Signature-V2': given };
      const question = { method: 'POST', path: trial.target, headers };
      const { judgements } = (await gateway.admin('POST', '/admin/explain', question)).body as {
        judgements: Array<{ guard: string }>;
      };
      return judgements.find(({ guard }) => guard === 'signature');
    };
    // Explaining spends nothing, and is not told that it was.
    expect(await explained(signature)).toMatchObject({
      verdict: 'pass',
      details: { keyId: 'partner', scheme: 'v2' },
    });
    expect(await explained(signed({ target: '/api/x' }))).toMatchObject({
      verdict: 'refuse',
      code: 'signature_invalid',
    });
  });

  it('let nobody pass while the nonces cannot be asked about', async () => {
    redis.pause();
    try {
      await waitFor('Redis to be away', async () => {
        const { code } = await send({}, signed());
        return code === 'store_unavailable';
      });
      await refused(send({}, signed()), 'store_unavailable', 503);
      await refused(send({}, signed({ target: '/api/x' })), 'signature_invalid');
    } finally {
      redis.resume();
    }
    await waitFor('Redis to be back', async () => (await send({}, signed())).status === 200);
  });
});
