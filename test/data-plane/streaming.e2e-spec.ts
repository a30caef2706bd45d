import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { waitFor } from '../support/children';
import { openConnection, requestHead, settled } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { outcomeOf } from '../support/outcomes';
import { startProcess } from '../support/process';
import { parseResponse } from '../support/raw-request';
import { startUpstream } from '../support/upstream';

const MIB = 1024 * 1024;

let forwarding: Forwarding;
beforeAll(async () => {
  forwarding = await startForwarding();
});

describe('a body of 200 MiB', () => {
  const TOTAL = 200 * MIB;
  /** Far below the body, far above what buffers, the heap's slack and compiled code take. */
  const MAX_GROWTH = 80 * MIB;
  const BLOCK = randomBytes(MIB);
  const SHA256 = digestOf(Array<Buffer>(TOTAL / MIB).fill(BLOCK));
  const ADMIN = { 'X-Admin-Token': 'an-admin-token-for-tests', 'Content-Type': 'application/json' };

  async function start() {
    const gateway = await startProcess({
      env: { NODE_ENV: 'production', ADMIN_TOKEN: ADMIN['X-Admin-Token'], ALLOW_PRIVATE_UPSTREAMS: 'true' },
    });
    const upstream = await startUpstream((incoming, response, recorded) => {
      if (incoming.method === 'GET') return void writeBlocks(response, BLOCK, TOTAL);
      void recorded.ended.then(() => response.end('stored'));
    });
    const tenant = { id: 'big', name: 'big', upstreamBaseUrl: upstream.url, allowedRoutes: [{ path: '/' }] };
    const post = async (path: string, body: object): Promise<{ key: string }> => {
      const init = { method: 'POST', headers: ADMIN, body: JSON.stringify(body) };
      return (await (await fetch(`${gateway.adminUrl}${path}`, init)).json()) as { key: string };
    };
    await post('/admin/tenants', tenant);
    const { key } = await post('/admin/tenants/big/api-keys', { name: 'test' });
    const residentBytes = async (): Promise<number> => {
      const text = await (await fetch(`${gateway.adminUrl}/metrics`, { headers: ADMIN })).text();
      return Number(/^process_resident_memory_bytes (\d+)/m.exec(text)?.[1]);
    };
    return { gateway, upstream, key, residentBytes };
  }

  /** Runs `transfer` and returns by how much the process grew at most, sampled all the while. */
  async function growthDuring(
    residentBytes: () => Promise<number>,
    transfer: Promise<void>,
  ): Promise<number> {
    const before = await residentBytes();
    let most = before;
    let running = true;
    const ended = transfer.finally(() => (running = false));
    while (running) {
      most = Math.max(most, await residentBytes());
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    await ended;
    return most - before;
  }

  it('passes down and up, whole, in constant memory', async () => {
    const { gateway, upstream, key, residentBytes } = await start();
    const options = { headers: { 'X-API-Key': key } };

    const download = async (): Promise<void> => {
      const [response] = (await once(request(`${gateway.url}/api/down`, options).end(), 'response')) as [
        IncomingMessage,
      ];
      expect(await digestOfStream(response)).toBe(SHA256);
    };
    const upload = async (): Promise<void> => {
      const outgoing = request(`${gateway.url}/api/up`, { ...options, method: 'PUT' });
      const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
      await writeBlocks(outgoing, BLOCK, TOTAL);
      const [response] = await answered;
      expect(response.statusCode).toBe(200);
      response.resume();
      expect(upstream.last()).toMatchObject({ bodyBytes: TOTAL, bodySha256: SHA256 });
    };
    for (const transfer of [download, upload]) {
      const growth = await growthDuring(residentBytes, transfer());
      process.stdout.write(
        `${transfer.name} of 200 MiB: the process grew by ${Math.round(growth / MIB)} MiB\n`,
      );
      expect(growth).toBeLessThan(MAX_GROWTH);
    }
    await gateway.stop();
    await upstream.stop();
  }, 60_000);
});

describe('back-pressure', () => {
  const TOTAL = 128 * MIB;
  /** Two hops of kernel buffers, which grow to some 10 MiB each on loopback, and some in the process. */
  const MAX_BUFFERED = 48 * MIB;
  const BLOCK = Buffer.alloc(MIB, 'x');

  it('of a client that does not read reaches the upstream, and lifts when it reads again', async () => {
    let accepted = 0;
    const upstream = await forwarding.upstream((_request, response) => {
      response.writeHead(200, { 'Content-Length': TOTAL });
      void writeBlocks(response, BLOCK, TOTAL, (bytes) => (accepted += bytes));
    });
    const client = await forwarding.send(upstream.key, 'GET /api/slow-client', {}, { paused: true });
    expect(await settled(() => accepted)).toBeLessThan(MAX_BUFFERED);
    let got = 0;
    client.socket.on('data', (chunk: Buffer) => (got += chunk.length));
    await waitFor('the rest', () => got > TOTAL);
    expect(accepted).toBe(TOTAL);
    client.destroy();
    expect((await outcomeOf(forwarding.gateway, '/api/slow-client')).access).toMatchObject({
      status: 200,
      bytesOut: TOTAL,
    });
  });

  it('of an upstream that does not read reaches the client, and lifts when it reads again', async () => {
    const upstream = await forwarding.upstream((incoming, response, recorded) => {
      incoming.pause();
      resume = () => incoming.resume();
      void recorded.ended.then(() => response.end());
    });
    let resume = (): unknown => undefined;
    let accepted = 0;
    const client = await forwarding.send(upstream.key, 'POST /api/slow-upstream', {
      'Content-Length': TOTAL,
    });
    const sent = writeBlocks(client.socket, BLOCK, TOTAL, (bytes) => (accepted += bytes), false);
    expect(await settled(() => accepted)).toBeLessThan(MAX_BUFFERED);
    resume();
    await sent;
    await client.until(/^HTTP\/1\.1 200 /);
    expect(upstream.last()).toMatchObject({ bodyBytes: TOTAL, aborted: false });
    expect((await outcomeOf(forwarding.gateway, '/api/slow-upstream')).access).toMatchObject({
      status: 200,
      bytesIn: TOTAL,
    });
  });
});

describe('framing', () => {
  const framing = (headers: Record<string, unknown>): unknown =>
    headers['content-length'] ?? headers['transfer-encoding'];

  it.each([
    ['Content-Length', { 'Content-Length': 11 }, 'hello world', '11'],
    ['chunks', { 'Transfer-Encoding': 'chunked' }, '6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n', 'chunked'],
  ])('a request body with %s stays so', async (_, fields, body, expected) => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, 'PUT /api/x', { ...fields, Connection: 'close' });
    await client.send(body);
    await client.closed;
    expect(upstream.last().bodyText).toBe('hello world');
    expect(framing(upstream.last().headers)).toBe(expected);
  });

  it.each([
    ['Content-Length', 'Content-Length: 11\r\n\r\nhello world', '11', 'hello world'],
    [
      'chunks',
      'Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n',
      'chunked',
      'b\r\nhello world\r\n0\r\n\r\n',
    ],
    ['nothing but the end of the connection', '\r\nhello world', 'chunked', 'b\r\nhello world\r\n0\r\n\r\n'],
  ])('a response body with %s arrives whole', async (_, rest, expected, body) => {
    const upstream = await forwarding.raw(`HTTP/1.1 200 OK\r\n${rest}`);
    const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await client.closed;
    const response = parseResponse(client.received());
    expect(framing(response.headers)).toBe(expected);
    expect(response.body).toBe(body);
  });

  it.each([
    ['a length of 0', 'POST', { 'Content-Length': 0 }, '', '0'],
    [
      'no chunk',
      'POST',
      { 'Transfer-Encoding': 'chunked' },
      '0\r\n\r\n',
      expect.stringMatching(/^(0|chunked)$/),
    ],
    ['no framing at all', 'GET', {}, '', undefined],
  ])('an empty request body with %s is passed as empty', async (_, method, fields, body, expected) => {
    const upstream = await forwarding.upstream();
    const client = await forwarding.send(upstream.key, `${method} /api/x`, {
      ...fields,
      Connection: 'close',
    });
    await client.send(body);
    await client.closed;
    expect(upstream.last()).toMatchObject({ bodyBytes: 0, aborted: false });
    expect(framing(upstream.last().headers)).toEqual(expected);
  });

  it.each([
    ['a length of 0', 'Content-Length: 0\r\n\r\n', ''],
    ['no chunk', 'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '0\r\n\r\n'],
  ])('an empty response body with %s is passed as empty', async (_, rest, body) => {
    const upstream = await forwarding.raw(`HTTP/1.1 200 OK\r\n${rest}`);
    const client = await forwarding.send(upstream.key, 'GET /api/x', { Connection: 'close' });
    await client.closed;
    expect(parseResponse(client.received())).toMatchObject({ status: 200, body });
  });

  it.each(['GET', 'DELETE', 'OPTIONS'])(
    'the body of a %s is passed, by length and in chunks',
    async (method) => {
      const upstream = await forwarding.upstream();
      for (const [fields, body] of [
        [{ 'Content-Length': 5 }, 'hello'],
        [{ 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n0\r\n\r\n'],
      ] as const) {
        const client = await forwarding.send(upstream.key, `${method} /api/x`, {
          ...fields,
          Connection: 'close',
        });
        await client.send(body);
        await client.closed;
        expect(upstream.last()).toMatchObject({ method, bodyText: 'hello' });
        expect(framing(upstream.last().headers)).toBe(String(Object.values(fields)[0]));
      }
      expect(upstream.requests).toHaveLength(2);
    },
  );

  it.each([256, 16_384, 16_640, 100_000])(
    'a body of %i bytes keeps every byte value both ways',
    async (size) => {
      const body = Buffer.from(Array.from({ length: size }, (_, index) => index % 256));
      const upstream = await forwarding.upstream((_request, response, recorded) =>
        recorded.ended.then(() => void response.end(body)),
      );
      const headers = { 'X-API-Key': upstream.key };
      const response = await fetch(`${forwarding.gateway.url}/api/x`, { method: 'POST', headers, body });
      expect(digestOf([Buffer.from(await response.arrayBuffer())])).toBe(digestOf([body]));
      expect(upstream.last().bodySha256).toBe(digestOf([body]));
    },
  );
});

describe('an upstream that answers before it has read the body', () => {
  it.each([
    ['a small answer', 'too much'],
    ['an answer larger than the buffers of a connection', 'x'.repeat(4 * MIB)],
  ])('is heard while the client is still sending: %s', async (_, answer) => {
    const upstream = await forwarding.upstream((incoming, response) => {
      incoming.pause();
      response.writeHead(413, { 'Content-Type': 'text/plain', 'Content-Length': answer.length });
      response.end(answer);
    });
    const client = await openConnection(forwarding.gateway.port);
    await client.send(
      requestHead('POST /api/early', { 'X-API-Key': upstream.key, 'Content-Length': 64 * MIB }),
    );
    // Most of it will never be taken; what the connection's end does to it is not the point.
    void writeBlocks(client.socket, Buffer.alloc(MIB), 64 * MIB).catch(() => undefined);
    await client.closed;
    const response = parseResponse(client.received());
    expect(response).toMatchObject({ status: 413, body: answer });
    // The rest of the body must not be taken for another request.
    expect(response.headers).toMatchObject({ connection: 'close' });
  });

  it('may also stream its answer while the request goes on', async () => {
    const upstream = await forwarding.upstream((incoming, response) => {
      response.flushHeaders();
      incoming.on('data', (chunk: Buffer) => response.write(chunk));
      incoming.on('end', () => response.end());
    });
    const client = await forwarding.send(upstream.key, 'POST /api/echo', { 'Transfer-Encoding': 'chunked' });
    for (const word of ['one', 'two', 'six']) {
      await client.send(`3\r\n${word}\r\n`);
      await client.until(`3\r\n${word}\r\n`);
    }
    await client.send('0\r\n\r\n');
    await client.until('\r\n0\r\n\r\n');
  });
});

interface Sink {
  write(chunk: Buffer, callback: (error?: Error | null) => void): boolean;
  end(): unknown;
}

/** Writes `block` until `total` is reached, each when the one before was accepted, and ends unless told otherwise. */
async function writeBlocks(
  sink: Sink | ServerResponse,
  block: Buffer,
  total: number,
  onAccepted: (bytes: number) => void = () => undefined,
  end = true,
): Promise<void> {
  for (let sent = 0; sent < total; sent += block.length) {
    await new Promise<void>((resolve, reject) => {
      sink.write(block, (error?: Error | null) => (error ? reject(error) : resolve()));
    });
    onAccepted(block.length);
  }
  if (end) sink.end();
}

function digestOf(chunks: Buffer[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

async function digestOfStream(stream: AsyncIterable<Buffer>): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk);
  return hash.digest('hex');
}
