import type { ErrorCode } from '#libs/errors';
import { openConnection, requestHead } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { accessLines, allOver, metric } from '../support/outcomes';
import { parseResponse } from '../support/raw-request';

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({ MAX_BODY_BYTES: '1000' });
});

interface Refusal {
  code: ErrorCode;
  status: number;
  guard: string;
  line?: string;
  fields?: Record<string, string | number>;
  tenant?: 'suspended' | 'down' | 'hanging' | 'broken' | 'limited';
}

const UPGRADE = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Key': 'x' };

const REFUSALS: Refusal[] = [
  { code: 'bad_request', status: 400, guard: 'admission', fields: { Host: 'a b' } },
  { code: 'bad_request_target', status: 400, guard: 'admission', line: 'GET /api/%zz' },
  { code: 'ambiguous_framing', status: 400, guard: 'admission', fields: { Content_Length: 5 } },
  { code: 'upgrade_not_supported', status: 400, guard: 'admission', fields: { ...UPGRADE, Upgrade: 'h2c' } },
  { code: 'missing_api_key', status: 401, guard: 'api_key', fields: { 'X-API-Key': '' } },
  { code: 'invalid_api_key', status: 401, guard: 'api_key', fields: { 'X-API-Key': 'gh_live_wrong' } },
  { code: 'route_not_allowed', status: 403, guard: 'route', line: 'GET /api/closed' },
  { code: 'tenant_suspended', status: 403, guard: 'api_key', tenant: 'suspended' },
  { code: 'not_found', status: 404, guard: 'admission', line: 'GET /elsewhere' },
  { code: 'method_not_allowed', status: 405, guard: 'admission', line: 'TRACE /api/open' },
  {
    code: 'body_too_large',
    status: 413,
    guard: 'admission',
    line: 'POST /api/open',
    fields: { 'Content-Length': 1001 },
  },
  { code: 'target_too_long', status: 414, guard: 'admission', line: `GET /api/${'x'.repeat(9000)}` },
  { code: 'expectation_failed', status: 417, guard: 'admission', fields: { Expect: 'more' } },
  { code: 'rate_limited', status: 429, guard: 'rate_limit', tenant: 'limited' },
  {
    code: 'headers_too_large',
    status: 431,
    guard: 'admission',
    fields: Object.fromEntries(Array.from({ length: 201 }, (_, n) => [`X-${n}`, n])),
  },
  { code: 'upstream_unreachable', status: 502, guard: 'upstream', tenant: 'down' },
  { code: 'upstream_failed', status: 502, guard: 'upstream', tenant: 'broken' },
  { code: 'upstream_timeout', status: 504, guard: 'upstream', tenant: 'hanging' },
];

async function startTenant(kind: Refusal['tenant']): Promise<string> {
  const upstream = await forwarding.raw(
    kind === 'broken' ? 'rubbish\r\n\r\n' : kind === 'hanging' ? () => undefined : undefined,
    {
      allowedRoutes: [{ path: '/open' }],
      suspended: kind === 'suspended',
      timeouts: { firstByteMs: 100 },
      ...(kind === 'limited' && { rateLimit: { windowSeconds: 3600, maxRequests: 1 } }),
    },
  );
  if (kind === 'down') await upstream.stop();
  if (kind === 'limited')
    await (
      await forwarding.send(upstream.key, 'GET /api/open', { Connection: 'close' })
    ).closed;
  return upstream.key;
}

describe('every refusal is a problem document that names its code, its status and the request', () => {
  it.each(REFUSALS)(
    '$status $code',
    async ({ code, status, guard, line = 'GET /api/open', fields, tenant }) => {
      const key = await startTenant(tenant);
      const id = `refused-${code}`;
      const client = await forwarding.send(key, line, { Connection: 'close', 'X-Request-Id': id, ...fields });
      await client.closed;

      const response = parseResponse(client.received());
      // Where the request could not even be read, the id is the gateway's own.
      const requestId = response.headers['x-request-id'];
      expect(requestId).toBeTruthy();
      expect(response).toMatchObject({
        status,
        headers: {
          'content-type': 'application/problem+json',
          'content-length': String(response.body.length),
          'cache-control': 'no-store',
        },
      });
      expect(JSON.parse(response.body)).toMatchObject({
        type: `urn:gatehouse:error:${code}`,
        code,
        status,
        requestId,
      });

      await allOver(forwarding.gateway);
      const lines = forwarding.gateway.logs.filter(
        (entry) => entry.requestId === requestId && entry.category !== 'admin',
      );
      expect(lines).toMatchObject([
        { msg: 'refused', decision: 'deny', reason: code, guard },
        { msg: 'request', category: 'request', status, decision: code },
      ]);
      expect(JSON.stringify(lines)).not.toContain(key);
    },
  );

  it('also for bytes that are no HTTP request, which have no id', async () => {
    const client = await openConnection(forwarding.gateway.port);
    await client.send('what is this?\r\n\r\n');
    await client.closed;
    const response = parseResponse(client.received());
    expect(response).toMatchObject({ status: 400, headers: { 'content-type': 'application/problem+json' } });
    expect(JSON.parse(response.body)).toMatchObject({ code: 'bad_request', status: 400 });
  });

  it('also for a head beyond MAX_HEADER_BYTES', async () => {
    const client = await openConnection(forwarding.gateway.port);
    client.socket.write(requestHead('GET /api/open', { 'X-Long': 'x'.repeat(20_000) }));
    await client.closed;
    expect(parseResponse(client.received()).status).toBe(431);
  });
});

it('all were counted once: as many requests as access lines, by tenant and status', async () => {
  await allOver(forwarding.gateway);
  const expected = new Map<string, number>();
  for (const { msg, tenantId, status } of forwarding.gateway.logs) {
    if (msg !== 'request') continue;
    const labels = `tenantId="${(tenantId as string | undefined) ?? 'unknown'}",status="${String(status)}"`;
    expected.set(labels, (expected.get(labels) ?? 0) + 1);
  }
  expect(expected.size).toBeGreaterThan(10);
  for (const [labels, count] of expected) {
    expect([labels, await metric(forwarding.gateway, 'gateway_requests_total', labels)]).toEqual([
      labels,
      count,
    ]);
    expect([labels, await metric(forwarding.gateway, 'gateway_latency_ms_count', labels)]).toEqual([
      labels,
      count,
    ]);
  }
});

it('failed credentials are counted by their reason', async () => {
  const failures = (reason: ErrorCode): Promise<number> =>
    metric(forwarding.gateway, 'gateway_auth_failures_total', `tenantId="unknown",reason="${reason}"`);
  const before = [await failures('missing_api_key'), await failures('invalid_api_key')];
  for (const key of ['', 'gh_live_wrong', 'gh_live_wrong']) {
    await (
      await forwarding.send(key, 'GET /api/credentials', { Connection: 'close' })
    ).closed;
  }
  await allOver(forwarding.gateway);
  expect(accessLines(forwarding.gateway, '/api/credentials')).toHaveLength(3);
  expect([await failures('missing_api_key'), await failures('invalid_api_key')]).toEqual([
    before[0]! + 1,
    before[1]! + 2,
  ]);
});
