import { randomBytes } from 'node:crypto';
import { WebSocketServer, WebSocket } from 'ws';
import { waitFor } from '../support/children';
import { metric } from '../support/outcomes';
import { SpanCollector } from '../support/span-collector';
import { QUICK, REFUSING, answer, ok, reset, startRetries, type RetrySetup } from './retry-setup';

const collector = new SpanCollector();
let setup: RetrySetup;

beforeAll(async () => {
  await collector.start();
  setup = await startRetries({
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/base/`,
    OTEL_EXPORTER_OTLP_HEADERS: 'X-Collector-Key=s%20ecret',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
    OTEL_BSP_SCHEDULE_DELAY: '20',
  });
});
afterAll(() => collector.stop());

const newTrace = (): string => randomBytes(16).toString('hex');
const CALLER = 'b7ad6b7169203331';

/** Sends a request that its caller records, or does not. */
async function send(path: string, headers: Record<string, string> = {}, flags = '01', method = 'GET') {
  const traceId = newTrace();
  const traceparent = `00-${traceId}-${CALLER}-${flags}`;
  const key = { 'X-API-Key': setup.owner.key };
  const response = await fetch(`${setup.gateway.url}${path}`, {
    method,
    headers: { ...key, traceparent, ...headers },
  });
  return { traceId, status: response.status, text: await response.text() };
}

it('makes a span of the request, of its guards and of its upstream, each the child of the one it is part of', async () => {
  const { path, upstream } = await setup.oneTarget(QUICK, [ok]);
  const before = BigInt(Date.now() - 1000) * 1_000_000n;
  const { traceId } = await send(`${path}/things?token=s3cret`, { tracestate: 'rojo=1,congo=2' });
  const trace = await collector.trace(traceId);
  const { server, attempts } = trace;

  expect(server).toMatchObject({ name: `GET ${path}`, parentSpanId: CALLER, status: 0 });
  expect(server.attributes).toMatchObject({
    'http.request.method': 'GET',
    'url.path': `${path}/things`,
    'url.scheme': 'http',
    'http.route': path,
    'http.response.status_code': 200,
    'server.address': '127.0.0.1',
    'server.port': setup.gateway.port,
    'client.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'gatehouse.tenant': setup.owner.id,
    'gatehouse.decision': 'allow',
  });
  expect(server.resource).toMatchObject({
    'service.name': 'gatehouse',
    'deployment.environment.name': 'test',
  });
  expect(trace.guards).toEqual(['api_key', 'route', 'jwt', 'concurrency', 'rate_limit']);
  expect(attempts).toHaveLength(1);
  const [attempt] = attempts;
  expect(attempt).toMatchObject({ name: 'GET', parentSpanId: server.spanId, status: 0 });
  expect(attempt!.attributes).toEqual({
    'http.request.method': 'GET',
    'url.full': `${upstream.url}/things`,
    'server.address': '127.0.0.1',
    'server.port': upstream.port,
    'http.response.status_code': 200,
  });
  for (const span of trace.spans) {
    if (span !== server) expect(span.parentSpanId).toBe(server.spanId);
    expect([span.start >= server.start, span.end <= server.end, span.start <= span.end]).toEqual([
      true,
      true,
      true,
    ]);
    expect(span.start > before).toBe(true);
  }
  // The upstream's own spans become children of the attempt.
  const { headers, rawHeaders } = upstream.last();
  expect(headers.traceparent).toBe(`00-${traceId}-${attempt!.spanId}-01`);
  expect(headers.tracestate).toBe('rojo=1,congo=2');
  expect(rawHeaders.filter((name) => /^trace/i.test(name))).toHaveLength(2);
});

it('says nothing of secrets, and sends its own credential along', async () => {
  const { path } = await setup.oneTarget(QUICK, [ok]);
  const secret = `s3cret-${newTrace()}`;
  const { traceId } = await send(`${path}?q=${secret}`, {
    Authorization: `Bearer ${secret}`,
    Cookie: secret,
  });
  const { spans } = await collector.trace(traceId);
  const text = JSON.stringify(spans, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  );
  expect(text).not.toContain(secret);
  expect(text).not.toContain(setup.owner.key);
  expect(collector.requests.at(-1)).toMatchObject({
    url: '/base/v1/traces',
    headers: { 'x-collector-key': 's ecret' },
  });
});

it('makes a span of each attempt, and each has its own name to the upstream', async () => {
  const { path, upstream } = await setup.oneTarget(QUICK, [answer(503), reset, ok]);
  const { traceId, status } = await send(path);
  const { server, attempts } = await collector.trace(traceId);
  expect(status).toBe(200);
  expect(server.attributes['gatehouse.attempts']).toBe(3);
  expect(attempts.map((one) => [one.attributes['http.response.status_code'], one.attributes['error.type'], one.status])).toEqual([
    [503, 'status', 2],
    [undefined, 'broken', 2],
    [200, undefined, 0],
  ]); // prettier-ignore
  expect(attempts.map((one) => one.attributes['http.request.resend_count'])).toEqual([undefined, 1, 2]);
  expect(upstream.requests.map(({ headers }) => headers.traceparent)).toEqual(
    attempts.map(({ spanId }) => `00-${traceId}-${spanId}-01`),
  );
  for (const [i, one] of attempts.entries()) if (i > 0) expect(one.start >= attempts[i - 1]!.end).toBe(true);
});

it('makes spans of the repetition that there is without a policy', async () => {
  const upstream = await setup.upstream(reset, ok);
  const path = `/proxy/${await setup.service(setup.owner.id, upstream.url)}`;
  const { traceId, status } = await send(path);
  const { attempts } = await collector.trace(traceId);
  expect(status).toBe(200);
  expect(attempts.map(({ attributes }) => attributes['error.type'])).toEqual(['broken', undefined]);
  expect(new Set(upstream.requests.map(({ headers }) => headers.traceparent)).size).toBe(2);
});

it('says which guard has refused, and gives the trace to whoever asks why', async () => {
  const { traceId, status, text } = await send('/api/x', { 'X-API-Key': 'nobody' });
  const trace = await collector.trace(traceId);
  expect(status).toBe(401);
  expect(JSON.parse(text)).toMatchObject({ code: 'invalid_api_key', traceId });
  expect(trace.server.attributes).toMatchObject({
    'http.response.status_code': 401,
    'error.type': 'invalid_api_key',
    'gatehouse.decision': 'invalid_api_key',
  });
  expect(trace.server.name).toBe('GET');
  expect(trace.guards).toEqual(['api_key']);
  expect(trace.guard('api_key').attributes).toMatchObject({ 'error.type': 'invalid_api_key' });
  const line = await waitFor('its access line', () =>
    setup.gateway.logs.find((one) => one.traceId === traceId),
  );
  expect(line).toMatchObject({ msg: 'request', decision: 'invalid_api_key' });
});

it.each([
  ['a target that refuses connections', '/bad-target', 502, 'upstream_unreachable'],
  ['a request that was refused at the door', '/nowhere', 404, 'not_found'],
])('records %s', async (_, what, expected, code) => {
  const path = what === '/bad-target' ? `/proxy/${await setup.service(setup.owner.id, REFUSING)}` : what;
  const { traceId, status } = await send(path);
  const { server, attempts } = await collector.trace(traceId);
  expect([status, server.attributes['error.type'], server.status]).toEqual([
    expected,
    code,
    expected >= 500 ? 2 : 0,
  ]);
  expect(attempts.map(({ attributes }) => attributes['error.type'])).toEqual(expected >= 500 ? [code] : []);
});

it('keeps of a long path only its beginning', async () => {
  const path = `/api/${'x'.repeat(3000)}`;
  const { traceId } = await send(path, { 'X-API-Key': 'nobody' });
  const { server } = await collector.trace(traceId);
  expect(server.attributes['url.path']).toBe(path.slice(0, 1024));
});

it('counts methods of clients as one', async () => {
  const { traceId } = await send('/api/x', {}, '01', 'PROPFIND');
  const { server } = await collector.trace(traceId);
  expect(server.attributes).toMatchObject({
    'http.request.method': '_OTHER',
    'http.request.method_original': 'PROPFIND',
  });
});

it('records nothing where the caller does not, but its trace goes on', async () => {
  const { path, upstream } = await setup.oneTarget(QUICK, [ok]);
  const { traceId } = await send(path, { tracestate: 'a=1' }, '00');
  const { headers } = upstream.last();
  expect(headers.traceparent).toMatch(new RegExp(`^00-${traceId}-(?!${CALLER})[0-9a-f]{16}-00$`));
  expect(headers.tracestate).toBe('a=1');
  const later = await send(path);
  await collector.trace(later.traceId);
  expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
});

it('begins a trace where there is none that can be believed', async () => {
  const { path, upstream } = await setup.oneTarget(QUICK, [ok]);
  await send(path, { traceparent: '00-not-a-trace-01', tracestate: 'a=1' });
  const { headers } = upstream.last();
  expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  expect(headers.tracestate).toBeUndefined();
});

it('follows a WebSocket to its end', async () => {
  const upstream = await setup.upstream(ok);
  const sockets = new WebSocketServer({ server: upstream.server });
  const seen = new Promise<string>((resolve) =>
    sockets.on('connection', (_, request) => resolve(String(request.headers.traceparent))),
  );
  const path = `/proxy/${await setup.service(setup.owner.id, upstream.url)}`;
  const traceId = newTrace();
  const headers = { 'X-API-Key': setup.owner.key, traceparent: `00-${traceId}-${CALLER}-01` };
  const client = new WebSocket(`${setup.gateway.url.replace('http', 'ws')}${path}`, { headers });
  await new Promise((resolve) => client.once('open', resolve));
  expect(collector.spans.filter((span) => span.traceId === traceId)).toEqual([]);
  client.close();
  const { server, attempts } = await collector.trace(traceId);
  expect(server.attributes['http.response.status_code']).toBe(101);
  expect(attempts.map(({ attributes }) => attributes['http.response.status_code'])).toEqual([101]);
  expect(await seen).toBe(`00-${traceId}-${attempts[0]!.spanId}-01`);
  sockets.close();
});

it('counts what was delivered', async () => {
  await waitFor('all spans to be counted', async () => {
    const counted = await metric(setup.gateway, 'gateway_trace_spans_total', 'outcome="exported"');
    return counted > 0 && counted === collector.spans.length;
  });
});
