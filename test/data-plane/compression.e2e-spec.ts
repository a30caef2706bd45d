import { hash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import * as zlib from 'node:zlib';
import { waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { decoded, rawAnswer, type RawAnswer } from '../support/raw-answer';
import { skipUnless } from '../support/skip';

const TEXT = 'The quick brown fox jumps over the lazy dog. '.repeat(100);
const JSON_TYPE = { 'Content-Type': 'application/json' };
const HAS_ZSTD = 'createZstdCompress' in zlib;

let forwarding: Forwarding;
let key: string;
let answer: (response: ServerResponse, url: string) => void;
let seen: Record<string, string | string[] | undefined>;
beforeAll(async () => {
  forwarding = await startForwarding();
  const upstream = await forwarding.upstream(
    (request, response) => {
      seen = request.headers;
      answer(response, request.url ?? '');
    },
    { compression: true },
  );
  key = upstream.key;
});
beforeEach(() => {
  answer = withHead({});
});

const get = (headers: Record<string, string> = {}, method = 'GET', path = '/x'): Promise<RawAnswer> =>
  rawAnswer(`${forwarding.gateway.url}/api${path}`, { 'X-API-Key': key, ...headers }, method);
const withHead =
  (headers: Record<string, string>, body: string | Buffer = TEXT, status = 200) =>
  (response: ServerResponse): void =>
    void response
      .writeHead(status, {
        ...JSON_TYPE,
        ...(status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) }),
        ...headers,
      })
      .end(body);

it.each([
  ['gzip', 'gzip'],
  ['br', 'br'],
  ['gzip, deflate, br', 'br'],
  ['gzip;q=1.0, br;q=0.5', 'gzip'],
  ['br;q=0, gzip', 'gzip'],
  ['x-gzip', 'gzip'],
  ['*', 'br'],
  ['*;q=0.5, br;q=0, zstd;q=0', 'gzip'],
  ['zstd, gzip', HAS_ZSTD ? 'zstd' : 'gzip'],
  ['deflate', undefined],
  ['', undefined],
  ['identity', undefined],
  ['identity, gzip;q=0.5', undefined],
  ['gzip;q=0', undefined],
  ['gzip;q=nonsense', undefined],
])('to whoever accepts "%s" it sends %s, and the same bytes after decoding', async (accepted, coding) => {
  const got = await get({ 'Accept-Encoding': accepted });
  expect(got).toMatchObject({ status: 200, complete: true });
  expect(got.headers['content-encoding']).toBe(coding);
  expect(got.headers.vary?.toLowerCase()).toContain('accept-encoding');
  expect(decoded(got).toString()).toBe(TEXT);
  expect(Number(got.headers['content-length'])).toBe(got.bytes.length);
});

it('sends plain what is asked for without Accept-Encoding', async () => {
  expect((await get()).headers).not.toHaveProperty('content-encoding');
});

it.each<[what: string, respond: (response: ServerResponse) => void, method?: string]>([
  ['what is short', withHead({}, 'short')],
  ['what has a coding already', withHead({ 'Content-Encoding': 'gzip' }, zlib.gzipSync(TEXT))],
  ['what must not be transformed', withHead({ 'Cache-Control': 'public, no-transform' })],
  ['what is compressed by its nature', withHead({ 'Content-Type': 'image/png' })],
  ['what does not say what it is', (response) => response.end(TEXT)],
  ['a part', withHead({ 'Content-Range': `bytes 0-${TEXT.length - 1}/9999` }, TEXT, 206)],
  ['no content', withHead({}, '', 204)],
  ['an event stream', withHead({ 'Content-Type': 'text/event-stream' })],
  ['nothing, to HEAD', withHead({ 'Content-Length': String(TEXT.length) }, ''), 'HEAD'],
])('leaves %s alone', async (_what, respond, method = 'GET') => {
  answer = respond;
  const [plain, got] = [await get({}, method), await get({ 'Accept-Encoding': 'gzip, br' }, method)];
  expect(got.bytes.equals(plain.bytes)).toBe(true);
  expect(got.headers['content-encoding']).toBe(plain.headers['content-encoding']);
  expect(got.headers['content-length']).toBe(plain.headers['content-length']);
});

it('compresses also a short body for whoever refuses plain ones, and no-transform of a request is heard', async () => {
  answer = withHead({}, '{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}');
  expect((await get({ 'Accept-Encoding': 'gzip, identity;q=0' })).headers['content-encoding']).toBe('gzip');
  answer = withHead({});
  const got = await get({ 'Accept-Encoding': 'gzip', 'Cache-Control': 'no-transform' });
  expect(got.headers).not.toHaveProperty('content-encoding');
});

it('does not say of the compressed body what is true of the plain one only', async () => {
  const about = { ETag: '"v1"', 'Accept-Ranges': 'bytes', 'Content-MD5': 'x', Digest: 'a=b', Vary: 'Cookie' };
  answer = withHead({ ...about, 'Content-Digest': 'sha-256=:x:', 'Repr-Digest': 'sha-256=:x:' });
  const { headers } = await get({ 'Accept-Encoding': 'gzip' });
  expect(headers).toMatchObject({ etag: 'W/"v1"', 'accept-ranges': 'none' });
  expect(headers.vary).toMatch(/^Cookie, .*Accept-Encoding$/);
  for (const name of ['content-md5', 'digest', 'content-digest', 'repr-digest'])
    expect(headers).not.toHaveProperty(name);
  const plain = await get({ 'Accept-Encoding': 'identity' });
  expect(plain.headers).toMatchObject({ etag: '"v1"', 'accept-ranges': 'bytes', digest: 'a=b' });
});

it('brings preconditions about a weakened tag back, and confirms it by the name that the client knows', async () => {
  answer = (response) => void response.writeHead(304, { ETag: '"v1"' }).end();
  const got = await get({ 'Accept-Encoding': 'gzip', 'If-None-Match': 'W/"v0", W/"v1"' });
  expect(seen['if-none-match']).toBe('W/"v0", "v0", W/"v1", "v1"');
  expect(got).toMatchObject({ status: 304, headers: { etag: 'W/"v1"' } });
  expect((await get({ 'If-None-Match': '"v1"' })).headers.etag).toBe('"v1"');
  answer = withHead({});
  await get({ 'If-Match': 'W/"v1"' }, 'PUT');
  expect(seen['if-match']).toBe('"v1"');
});

it('leaves a body plain that does not get shorter', async () => {
  const noise = Array.from({ length: 100 }, (_, i) => hash('sha256', String(i), 'buffer'));
  const packed = Buffer.concat(noise);
  answer = withHead({ ETag: '"v1"' }, packed);
  const got = await get({ 'Accept-Encoding': 'gzip' });
  expect(got.bytes.equals(packed)).toBe(true);
  expect(got.headers).toMatchObject({ etag: '"v1"', 'content-length': String(packed.length) });
  expect(got.headers).not.toHaveProperty('content-encoding');
});

it('is told in the access log and counted', async () => {
  const before = forwarding.gateway.logs.length;
  const got = await get({ 'Accept-Encoding': 'br' });
  const line = (): unknown => forwarding.gateway.logs.slice(before).find(({ msg }) => msg === 'request');
  await waitFor('the access log', () => line() !== undefined);
  expect(line()).toMatchObject({ coding: 'br', bytesOut: got.bytes.length });
  const metrics = await forwarding.gateway.admin('GET', '/metrics');
  expect(metrics.body).toMatch(/^gateway_compressed_responses_total\{coding="br"\} [1-9]/m);
  expect(metrics.body).toMatch(/^gateway_compressions 0$/m);
});

it('answers HTTP/1.0 plain, where nobody could tell a broken body from a whole one', async () => {
  answer = (response) => {
    response.writeHead(200, JSON_TYPE);
    response.write(TEXT);
    response.end();
  };
  const client = await forwarding.send(key, 'GET /api/x HTTP/1.0', { 'Accept-Encoding': 'gzip' });
  await client.closed;
  expect(client.received()).toContain(TEXT);
  expect(client.received()).not.toMatch(/content-encoding/i);
});

it('carries trailers that are still true', async () => {
  answer = (response) => {
    response.writeHead(200, { ...JSON_TYPE, Trailer: 'X-Sum, Content-Digest' });
    response.write(TEXT);
    response.addTrailers({ 'X-Sum': '5', 'Content-Digest': 'sha-256=:x:' });
    response.end();
  };
  const got = await get({ 'Accept-Encoding': 'gzip', TE: 'trailers', Connection: 'keep-alive, TE' });
  expect(got).toMatchObject({ complete: true, trailers: { 'x-sum': '5' } });
  expect(got.trailers).not.toHaveProperty('content-digest');
  expect(decoded(got).toString()).toBe(TEXT);
});

describe('who says whether', () => {
  const coding = async (at: Forwarding, tenant: object, path = '/x'): Promise<unknown> => {
    const upstream = await at.upstream((_request, response) => withHead({})(response), tenant);
    const headers = { 'X-API-Key': upstream.key, 'Accept-Encoding': 'gzip' };
    return (await rawAnswer(`${at.gateway.url}/api${path}`, headers)).headers['content-encoding'];
  };
  const routes = [{ path: '/' }, { path: '/secret', compression: false }, { path: '/in', compression: true }];

  it.each<[tenant: object, path: string, expected: string | undefined]>([
    [{}, '/x', undefined],
    [{ compression: false }, '/x', undefined],
    [{ compression: { minBytes: 1_000_000 } }, '/x', undefined],
    [{ compression: { types: ['text/*'] } }, '/x', undefined],
    [{ compression: { algorithms: ['br'] } }, '/x', undefined],
    [{ compression: true, allowedRoutes: routes }, '/secret/x', undefined],
    [{ allowedRoutes: routes }, '/in', 'gzip'],
  ])('%j on %s: %s', async (tenant, path, expected) => {
    expect(await coding(forwarding, tenant, path)).toBe(expected);
  });

  it('the gateway, where nobody else does; and no more at once than it is told', async () => {
    const all = await startForwarding({ COMPRESSION: 'true', COMPRESSION_MAX_CONCURRENT: '1' });
    expect(await coding(all, {})).toBe('gzip');
    expect(await coding(all, { compression: false })).toBe(undefined);
    let slow: ServerResponse | undefined;
    const upstream = await all.upstream((request, response) => {
      response.writeHead(200, JSON_TYPE);
      response.write(TEXT);
      if (request.url === '/slow') slow = response;
      else response.end();
    });
    const head = { 'Accept-Encoding': 'gzip' };
    const first = await all.send(upstream.key, 'GET /api/slow', head);
    expect(await first.until('\r\n\r\n')).toMatch(/content-encoding: gzip/i);
    const second = await rawAnswer(`${all.gateway.url}/api/x`, { 'X-API-Key': upstream.key, ...head });
    expect(second.headers).not.toHaveProperty('content-encoding');
    expect(second.headers.vary).toMatch(/accept-encoding/i);
    expect((await all.gateway.admin('GET', '/metrics')).body).toMatch(
      /^gateway_compression_skipped_total\{reason="busy"\} 1$/m,
    );
    slow?.end();
    await first.until('0\r\n\r\n');
    first.destroy();
    await once(first.socket, 'close');
  });
});

skipUnless(HAS_ZSTD, `zstd came with Node.js 22.15 and 23.8, this is ${process.version}`)('zstd', () => {
  it.each<[how: string, respond: (response: ServerResponse) => void, body: string]>([
    ['in one piece', withHead({}), TEXT],
    ['streamed, where it is long', withHead({}, TEXT.repeat(50)), TEXT.repeat(50)],
    [
      'streamed, where nobody knows how long',
      (response) => void response.writeHead(200, JSON_TYPE).end(TEXT),
      TEXT,
    ],
  ])('is sent %s to whoever prefers it', async (_how, respond, body) => {
    answer = respond;
    const got = await get({ 'Accept-Encoding': 'gzip;q=0.5, zstd' });
    expect(got).toMatchObject({ status: 200, complete: true });
    expect(got.headers['content-encoding']).toBe('zstd');
    expect(got.bytes.length).toBeLessThan(body.length / 5);
    expect(decoded(got).toString()).toBe(body);
  });
});
