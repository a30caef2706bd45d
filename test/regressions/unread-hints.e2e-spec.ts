import { openConnection, requestHead, type ClientConnection } from '../support/connection';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { END_HEADERS, END_STREAM, HEADERS, fieldBlock } from '../support/http2-frames';

/**
 * Nothing holds an upstream back that sends interim responses without end: undici reads on whatever its handler says. What
 * a client does not read of them must not pile up in the gateway.
 */
const HINT = `HTTP/1.1 103 Early Hints\r\nLink: </${'x'.repeat(32_000)}>; rel=preload\r\n\r\n`;
const HINTS = 800;
const LAST = 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nthe end';
/** Far more than two sockets keep between them. */
const LIMIT_BYTES = (HINTS * HINT.length) / 2;

let forwarding: Forwarding;
beforeAll(async () => void (forwarding = await startForwarding({ HTTP2_CLEARTEXT: 'true' })));

/** An upstream that hints, and when the gateway has taken all of it. */
async function startHinting(): Promise<{ key: string; taken: Promise<void> }> {
  let done = (): void => undefined;
  const taken = new Promise<void>((resolve) => (done = resolve));
  const { key } = await forwarding.raw(({ socket }) => {
    for (let i = 0; i < HINTS; i++) socket.write(HINT);
    socket.write(LAST, () => done());
  });
  return { key, taken };
}

/** Reads what has come, to the end of the body. @returns how many bytes that is. */
function readAll({ socket }: ClientConnection): Promise<number> {
  return new Promise((resolve) => {
    let bytes = 0;
    let tail = '';
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      tail = (tail + chunk.toString('latin1')).slice(-100);
      if (tail.includes('the end')) resolve(bytes);
    });
  });
}

it('pile up for nobody over HTTP/1.1', async () => {
  const { key, taken } = await startHinting();
  const client = await openConnection(forwarding.gateway.port, { paused: true });
  await client.send(requestHead('GET /api/x', { 'X-API-Key': key }));
  await taken;
  const bytes = await readAll(client);
  expect(bytes).toBeGreaterThan(HINT.length);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
  client.destroy();
});

it('pile up for nobody over HTTP/2', async () => {
  const { key, taken } = await startHinting();
  const client = await openConnection(forwarding.gateway.port, { paused: true });
  const frame = (type: number, flags: number, stream: number, payload: Buffer): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.set([type, flags], 3);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const fields = fieldBlock([
    [':method', 'GET'],
    [':scheme', 'http'],
    [':authority', 'gateway.test'],
    [':path', '/api/x'],
    ['x-api-key', key],
  ]);
  await client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await client.send(frame(4, 0, 0, Buffer.alloc(0)));
  await client.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, fields));
  await taken;
  const bytes = await readAll(client);
  expect(bytes).toBeGreaterThan(HINT.length);
  expect(bytes).toBeLessThan(LIMIT_BYTES);
  client.destroy();
});
