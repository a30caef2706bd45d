import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientHttp2Stream } from 'node:http2';
import type { Transform } from 'node:stream';
import * as zlib from 'node:zlib';
import { waitFor } from '../support/children';
import type { Forwarding } from '../support/forwarding';
import { answerOf, openHttp2, outcomeOfStream } from '../support/http2-client';
import { openAnswer, rawAnswer } from '../support/raw-answer';
import { startTlsForwarding } from '../support/tls-forwarding';

const MEGABYTE = 1_048_576;
const JSON_TYPE = { 'Content-Type': 'application/json' };

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startTlsForwarding({ COMPRESSION: 'true' });
});

/** An upstream that leaves its response to the test, and its answer at the client. */
async function streamed(
  accepted: string,
  head: Record<string, string> = JSON_TYPE,
  tenant: object = {},
): Promise<{ response: ServerResponse; answer: IncomingMessage }> {
  let opened: (response: ServerResponse) => void;
  const response = new Promise<ServerResponse>((resolve) => (opened = resolve));
  const upstream = await forwarding.upstream((_request, response) => {
    response.writeHead(200, head);
    response.flushHeaders();
    opened(response);
  }, tenant);
  const headers = { 'X-API-Key': upstream.key, 'Accept-Encoding': accepted };
  const answer = await openAnswer(`${forwarding.gateway.url}/api/x`, headers);
  return { response: await response, answer };
}

const compressing = async (): Promise<string | undefined> => {
  const { body } = await forwarding.gateway.admin('GET', '/metrics');
  return /^gateway_compressions (\d+)$/m.exec(body as string)?.[1];
};

/** Everything decoded so far, and how the answer ended. */
function decode(answer: IncomingMessage, decoder: Transform): { text(): string; over: Promise<void> } {
  let text = '';
  decoder.on('data', (chunk: Buffer) => (text += chunk.toString()));
  decoder.on('error', () => undefined);
  answer.pipe(decoder);
  // Of the answer, if it breaks off; of what was decoded, if it is whole.
  const over = new Promise<void>((resolve) => {
    decoder.once('end', resolve);
    answer.once('aborted', resolve);
  });
  return { text: () => text, over };
}

it.each<[string, () => Transform]>([
  ['gzip', () => zlib.createGunzip()],
  ['br', () => zlib.createBrotliDecompress()],
])('a slow stream in %s is not held back', async (coding, decoder) => {
  const { response, answer } = await streamed(coding);
  expect(answer.headers['content-encoding']).toBe(coding);
  const got = decode(answer, decoder());
  for (let part = 1; part <= 3; part++) {
    response.write(`{"part":${part}}\n`);
    await waitFor(`part ${part}`, () => got.text().endsWith(`{"part":${part}}\n`));
  }
  response.end('end');
  await got.over;
  expect(answer.complete).toBe(true);
  expect(got.text()).toBe('{"part":1}\n{"part":2}\n{"part":3}\nend');
});

it('compresses event streams where it is told to, each event before the next', async () => {
  const events = { 'Content-Type': 'text/event-stream' };
  const plain = await streamed('gzip', events);
  expect(plain.answer.headers).not.toHaveProperty('content-encoding');
  plain.answer.destroy();
  const { response, answer } = await streamed('gzip', events, { compression: { events: true } });
  const got = decode(answer, zlib.createGunzip());
  for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
    response.write(event);
    await waitFor(event, () => got.text().endsWith(event));
  }
  answer.destroy();
  await once(response, 'close');
  await waitFor('the encoder to be let go of', async () => (await compressing()) === '0');
});

it.each(['gzip', 'br'])('breaks off in %s what its upstream breaks off', async (coding) => {
  const { response, answer } = await streamed(coding);
  const got = decode(answer, coding === 'br' ? zlib.createBrotliDecompress() : zlib.createGunzip());
  response.write('half of it');
  await waitFor('the first half', () => got.text() === 'half of it');
  response.destroy();
  await got.over;
  expect(answer.complete).toBe(false);
  expect(await compressing()).toBe('0');
});

it('says honestly of a short body that it was cut off, for nothing has been sent yet', async () => {
  const upstream = await forwarding.raw(
    'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5000\r\n\r\nhalf',
  );
  const headers = { 'X-API-Key': upstream.key, 'Accept-Encoding': 'gzip' };
  const got = await rawAnswer(`${forwarding.gateway.url}/api/x`, headers);
  expect(got).toMatchObject({ status: 502, complete: true });
  expect(got.headers).not.toHaveProperty('content-encoding');
  expect(await compressing()).toBe('0');
});

it.each([
  ['while it is held back', { ...JSON_TYPE, 'Content-Length': '5000' }, 'half'],
  ['in the middle of a stream', JSON_TYPE, 'half'],
])('lets go of everything when the client goes %s', async (_when, head, part) => {
  let upstreamGone: Promise<unknown> | undefined;
  const upstream = await forwarding.upstream((_request, response) => {
    response.writeHead(200, head);
    response.write(part);
    upstreamGone = once(response, 'close');
  });
  const client = await forwarding.send(upstream.key, 'GET /api/x', { 'Accept-Encoding': 'gzip' });
  await waitFor('the encoder', async () => (await compressing()) === '1');
  client.destroy();
  await waitFor('the encoder to be let go of', async () => (await compressing()) === '0');
  await upstreamGone;
});

it('holds the upstream back when the client does not read', async () => {
  // Not compressible, so that what is not read cannot hide in a small output.
  const noise = Buffer.alloc(MEGABYTE);
  for (let i = 0; i < noise.length; i += 32) createHash('sha256').update(String(i)).digest().copy(noise, i);
  let sent = 0;
  let stalled = false;
  const upstream = await forwarding.upstream((_request, response) => {
    response.writeHead(200, JSON_TYPE);
    const more = (): void => {
      while (!response.destroyed && sent < 200 * MEGABYTE) {
        sent += noise.length;
        if (!response.write(noise)) {
          stalled = true;
          response.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  const client = await forwarding.send(
    upstream.key,
    'GET /api/x',
    { 'Accept-Encoding': 'gzip' },
    { paused: true },
  );
  let before = -1;
  let times = 0;
  await waitFor('the upstream to be held back', () => {
    times = stalled && sent === before ? times + 1 : 0;
    before = sent;
    return times > 10;
  });
  expect(sent).toBeLessThan(64 * MEGABYTE);
  client.destroy();
  await waitFor('the encoder to be let go of', async () => (await compressing()) === '0');
});

it('streams 100 MB with the memory of a few, byte for byte', async () => {
  const block = Buffer.from('0123456789abcdef'.repeat(4096));
  const blocks = (100 * MEGABYTE) / block.length;
  const upstream = await forwarding.upstream(
    (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' });
      let left = blocks;
      const more = (): void => {
        while (left > 0) {
          left -= 1;
          if (!response.write(block)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    },
    { compression: { levels: { gzip: 1 } } },
  );
  const before = process.memoryUsage().rss;
  let peak = before;
  const headers = { 'X-API-Key': upstream.key, 'Accept-Encoding': 'gzip' };
  const answer = await openAnswer(`${forwarding.gateway.url}/api/x`, headers);
  const twice = Buffer.concat([block, block]);
  let bytes = 0;
  let same = true;
  for await (const chunk of answer.pipe(zlib.createGunzip()) as AsyncIterable<Buffer>) {
    const at = bytes % block.length;
    same &&= chunk.equals(twice.subarray(at, at + chunk.length));
    bytes += chunk.length;
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  expect([bytes, same]).toEqual([100 * MEGABYTE, true]);
  // Client, gateway and upstream together; garbage that is yet to be collected included.
  expect(peak - before).toBeLessThan(60 * MEGABYTE);
}, 15_000);

it('does the same for HTTP/2', async () => {
  let response: ServerResponse | undefined;
  const upstream = await forwarding.upstream((_request, answer) => {
    answer.writeHead(200, { ...JSON_TYPE, ETag: '"v1"' });
    answer.write('{"half":1}');
    response = answer;
  });
  const session = await openHttp2(forwarding.gateway.tlsPort);
  const open = async (): Promise<ClientHttp2Stream> => {
    const stream = session.request({
      ':path': '/api/x',
      'x-api-key': upstream.key,
      'accept-encoding': 'gzip',
    });
    const [headers] = (await once(stream, 'response')) as [Record<string, string>];
    expect(headers).toMatchObject({ 'content-encoding': 'gzip', etag: 'W/"v1"' });
    return stream;
  };
  const whole = await open();
  response?.end();
  const chunks: Buffer[] = [];
  for await (const chunk of whole as AsyncIterable<Buffer>) chunks.push(chunk);
  expect(zlib.gunzipSync(Buffer.concat(chunks)).toString()).toBe('{"half":1}');

  const broken = outcomeOfStream(answerOf(await open()));
  response?.destroy();
  expect(await broken).toMatch(/^NGHTTP2_\w+_ERROR$/);
  expect(await compressing()).toBe('0');
});
