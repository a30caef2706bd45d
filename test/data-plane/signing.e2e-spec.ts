import { createHmac } from 'node:crypto';
import { verify, type VerifyOptions } from '../../clients/signatures/typescript/gatehouse-signatures';
import type { SigningPolicy, Tenant } from '#libs/tenants';
import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { parseResponse, statusesOf } from '../support/raw-request';
import type { RawConnection, RecordedRequest, TestUpstream } from '../support/upstream';
import { outcomeOf } from '../support/outcomes';

const SECRETS = {
  first: 'the-first-secret-of-the-signing-tests',
  second: 'the-second-secret-of-the-signing-test',
};
const KEYS = { first: { secret: SECRETS.first }, second: { secret: SECRETS.second } };
const signing = (more: Partial<SigningPolicy> = {}): Partial<Tenant> => ({
  signatureKeys: KEYS,
  signing: { key: 'first', ...more },
});

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding({ BODY_BUFFER_MAX_BYTES: '4000' });
});

/** The key by which what the upstream got was signed; rejects where it was not. */
function signedBy(request: RecordedRequest, options?: VerifyOptions): Promise<string> {
  const { method, url: target, headers, bodyText } = request;
  const host = headers.host ?? '';
  return verify({ method, host, target, headers, body: Buffer.from(bodyText) }, SECRETS, options);
}

const bodySignature = (body: string): string =>
  `sha256=${createHmac('sha256', SECRETS.first).update(body).digest('hex')}`;

async function exchange(
  upstream: TestUpstream & { key: string },
  line: string,
  fields: Record<string, string | number> = {},
  body: string | string[] = '',
): Promise<ReturnType<typeof parseResponse>> {
  const client = await forwarding.send(upstream.key, line, { Connection: 'close', ...fields });
  for (const part of [body].flat()) if (part !== '') await client.send(part);
  await client.closed;
  return parseResponse(client.received());
}

const chunked = (...chunks: string[]): string =>
  [...chunks, ''].map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('');
const heldBytes = async (): Promise<string | undefined> =>
  /^gateway_held_body_bytes (\d+)$/m.exec(
    String((await forwarding.gateway.admin('GET', '/metrics')).body),
  )?.[1];

describe('a forwarded request is signed', () => {
  it.each<[string, string, Record<string, string | number>, string | string[], string]>([
    ['without a body', 'GET /api/a%20b?x=1&y=%2F', {}, '', ''],
    ['with a body', 'POST /api/orders', { 'Content-Length': 5 }, 'hello', 'hello'],
    ['with one of no length', 'POST /api/orders', { 'Content-Length': 0 }, '', ''],
    [
      'with a chunked body',
      'POST /api/orders',
      { 'Transfer-Encoding': 'chunked' },
      [chunked('he', 'llo')],
      'hello',
    ],
    ['with an empty chunked body', 'PUT /api/o', { 'Transfer-Encoding': 'chunked' }, [chunked()], ''],
    ['with a body on a DELETE', 'DELETE /api/o', { 'Transfer-Encoding': 'chunked' }, [chunked('x')], 'x'],
  ])('%s', async (_name, line, fields, sent, body) => {
    const upstream = await forwarding.upstream(undefined, signing());
    expect((await exchange(upstream, line, fields, sent)).status).toBe(200);
    const got = upstream.last();
    expect(got).toMatchObject({ method: line.split(' ')[0], bodyText: body });
    expect(got.headers['x-gateway-signature']).toBe(bodySignature(body));
    expect(await signedBy(got)).toBe('first');
    expect(Math.abs(Date.now() / 1000 - Number(got.headers['x-gateway-timestamp']))).toBeLessThan(30);
    expect(got.headers['content-digest']).toMatch(/^sha-256=:[\w+/]{43}=:$/);
    await expect(signedBy({ ...got, bodyText: `${body}!` })).rejects.toMatchObject({ code: 'invalid' });
    await expect(signedBy({ ...got, url: `${got.url}x` })).rejects.toMatchObject({ code: 'invalid' });
  });

  it('with headers that the policy names, and what clients claim of signatures is not theirs to claim', async () => {
    const upstream = await forwarding.upstream(
      undefined,
      signing({ headers: ['X-Forwarded-For', 'X-None'] }),
    );
    const forged = {
      'X-Gateway-Signature': bodySignature(''),
      x_gateway_signature: 'a',
      'X-Gateway-Signature-V2': 'keyid=first',
      'X-Gateway-Timestamp': '1',
      'X-Gateway-Verified-Key': 'first',
      'Content-Digest': 'sha-256=:AAAA:',
    };
    expect((await exchange(upstream, 'GET /api/x', forged)).status).toBe(200);
    const got = upstream.last();
    expect(await signedBy(got, { requiredHeaders: ['x-forwarded-for'] })).toBe('first');
    const names = got.rawHeaders.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase());
    expect(names.filter((name) => /gateway|digest/.test(name)).sort()).toEqual([
      'content-digest',
      'x-gateway-signature',
      'x-gateway-signature-v2',
      'x-gateway-timestamp',
    ]);
  });

  it('after the client was told to go on, once', async () => {
    const upstream = await forwarding.upstream(undefined, signing());
    const fields = { Expect: '100-continue', 'Content-Length': 5 };
    const client = await forwarding.send(upstream.key, 'POST /api/told', fields);
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    await client.send('hello');
    await client.until(/\r\n\r\n\{.*\}$/s);
    expect(statusesOf(client.received())).toEqual([100, 200]);
    expect(await signedBy(upstream.last())).toBe('first');
    expect((await outcomeOf(forwarding.gateway, '/api/told')).access).toMatchObject({ status: 200 });
  });

  it('anew when it is sent again', async () => {
    const heads: string[] = [];
    const upstream = await forwarding.raw((connection: RawConnection) => {
      const head = connection.text();
      if (!head.endsWith('\r\n\r\n')) return;
      heads.push(head);
      if (heads.length === 1) connection.socket.resetAndDestroy();
      else connection.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    }, signing());
    const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await client.closed;
    expect(statusesOf(client.received())).toEqual([200]);
    const nonces = heads.map((head) => /;nonce=([^;]+);/.exec(head)?.[1]);
    expect(nonces).toEqual([expect.any(String), expect.any(String)]);
    expect(nonces[0]).not.toBe(nonces[1]);
  });

  it('also where it opens a WebSocket', async () => {
    const upstream = await forwarding.raw(undefined, signing());
    const client = await forwarding.send(upstream.key, 'GET /api/ws?a=1', {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Version': '13',
    });
    await client.until('\r\n\r\nok');
    const lines = upstream.received().split('\r\n');
    const headers = Object.fromEntries(
      lines.slice(1).map((field) => {
        const colon = field.indexOf(':');
        return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
      }),
    );
    const request = { method: 'GET', host: headers.host ?? '', target: '/ws?a=1', headers };
    expect(await verify(request, SECRETS)).toBe('first');
    expect(headers['x-gateway-signature']).toBe(bodySignature(''));
  });
});

describe('a body above the cap', () => {
  it.each([
    ['of known length', { 'Content-Length': 11 }, 'hello world'],
    ['chunked', { 'Transfer-Encoding': 'chunked' }, chunked('hello ', 'world')],
  ])('%s is refused before the upstream hears of it', async (_name, fields, body) => {
    const upstream = await forwarding.upstream(undefined, signing({ maxBodyBytes: 10 }));
    const answer = await exchange(upstream, 'POST /api/x', fields, body);
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'body_not_signable' });
    expect(upstream.requests).toHaveLength(0);
  });

  it.each([
    ['of known length', { 'Content-Length': 11 }, ['hello', ' world']],
    ['chunked', { 'Transfer-Encoding': 'chunked' }, [chunked('hello').slice(0, -5), chunked(' world')]],
    ['that is not to be held at all', { 'Content-Length': 11 }, ['hello world']],
  ])('%s is streamed, with a signature that says so', async (_name, fields, body) => {
    const maxBodyBytes = _name.startsWith('that') ? 0 : 7;
    const upstream = await forwarding.upstream(undefined, signing({ maxBodyBytes, oversize: 'unsigned' }));
    const answer = await exchange(upstream, 'POST /api/x', fields, body);
    expect(answer.status).toBe(200);
    const got = upstream.last();
    expect(got.bodyText).toBe('hello world');
    expect(got.headers).not.toHaveProperty('x-gateway-signature');
    expect(got.headers).not.toHaveProperty('content-digest');
    expect(got.headers['x-gateway-signature-v2']).toContain(';digest=UNSIGNED-PAYLOAD;');
    expect(await signedBy(got, { acceptUnsignedPayload: true })).toBe('first');
    await expect(signedBy(got)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('memory', () => {
  it('is given back when the client goes away in the middle', async () => {
    const upstream = await forwarding.upstream(undefined, signing());
    const client = await forwarding.send(upstream.key, 'POST /api/gone', { 'Content-Length': 1000 });
    await client.send('x'.repeat(500));
    await waitFor('the body to be held', async () => (await heldBytes()) === '500');
    client.destroy();
    await waitFor('it to be given back', async () => (await heldBytes()) === '0');
    const { access } = await outcomeOf(forwarding.gateway, '/api/gone');
    expect(access).toMatchObject({ status: 499, decision: 'client_gone', bytesIn: 500 });
    expect(upstream.requests).toHaveLength(0);
  });

  it('is not held by a client that falls silent', async () => {
    const upstream = await forwarding.upstream(undefined, { ...signing(), timeouts: { idleMs: 100 } });
    const client = await forwarding.send(upstream.key, 'POST /api/x', { 'Content-Length': 1000 });
    await client.send('x');
    await client.closed;
    const answer = parseResponse(client.received());
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([408, { code: 'request_timeout' }]);
    expect(await heldBytes()).toBe('0');
  });

  it('has a bound over all requests, beyond which they are refused', async () => {
    const upstream = await forwarding.upstream(undefined, signing());
    const first = await forwarding.send(upstream.key, 'POST /api/x', {
      'Content-Length': 1501,
      Connection: 'close',
    });
    // Others were there a moment ago: to one tenant the bound is half of that of all.
    await first.send('x'.repeat(1500));
    await waitFor('the body to be held', async () => (await heldBytes()) === '1500');
    const answer = await exchange(upstream, 'POST /api/x', { 'Content-Length': 600 }, 'y'.repeat(600));
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([503, { code: 'body_buffers_full' }]);
    expect(answer.headers).toHaveProperty('retry-after', '1');
    await first.send('x');
    await first.closed;
    expect(statusesOf(first.received())).toEqual([200]);
    await waitFor('it to be given back', async () => (await heldBytes()) === '0');
    expect(String((await forwarding.gateway.admin('GET', '/metrics')).body)).toMatch(
      /gateway_signatures_total\{tenantId="[\w-]+",kind="signed_whole"\} \d+/,
    );
  });
});

describe('which policy decides', () => {
  it('that of the service before that of its tenant, and false is none', async () => {
    const upstream = await forwarding.upstream(undefined, { id: 'layers', ...signing() });
    const { gateway } = forwarding;
    const made = async (more: object): Promise<string> => {
      const fields = { name: 's', targets: [{ url: upstream.url }], ...more };
      const answer = await gateway.admin('POST', '/admin/tenants/layers/services', fields);
      return (answer.body as { id: string }).id;
    };
    const [own, none, same] = await Promise.all([
      made({ signing: { key: 'second' } }),
      made({ signing: false }),
      made({}),
    ]);
    const signerAt = async (path: string): Promise<string> => {
      expect((await exchange(upstream, `GET ${path}`)).status).toBe(200);
      return signedBy(upstream.last()).catch((error: { code: string }) => error.code);
    };
    expect(await signerAt('/api/x')).toBe('first');
    expect(await signerAt(`/proxy/${own}/x`)).toBe('second');
    expect(await signerAt(`/proxy/${none}/x`)).toBe('missing');
    expect(await signerAt(`/proxy/${same}/x`)).toBe('first');
    const routes = [
      { name: 'a', path: '/layers-a', backends: [{ service: own }], signing: { key: 'first' } },
      { name: 'b', path: '/layers-b', backends: [{ service: own }], signing: false },
      { name: 'c', path: '/layers-c', backends: [{ service: own }] },
    ];
    expect((await gateway.admin('PUT', '/admin/tenants/layers/publication', { routes })).status).toBe(200);
    await waitFor('the routes', async () => (await exchange(upstream, 'GET /layers-c')).status === 200);
    expect(await signerAt('/layers-a')).toBe('first');
    expect(await signerAt('/layers-b')).toBe('missing');
    expect(await signerAt('/layers-c')).toBe('second');
    // The key of the service is gone: nothing unsigned goes there instead.
    expect(
      (await gateway.admin('PATCH', '/admin/tenants/layers', { signatureKeys: { second: null } })).status,
    ).toBe(200);
    const seen = upstream.requests.length;
    expect((await exchange(upstream, `GET /proxy/${own}/x`)).status).toBe(503);
    expect(upstream.requests).toHaveLength(seen);
  });
});
