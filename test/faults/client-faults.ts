import { request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../support/children';
import { residentBytes } from './descriptors';
import type { Fault, Scene } from './fault';
import type { Row } from './row';
import { startHttpUpstream, type FaultyUpstream } from './servers';

const WIDTH = 10;
/** More than both sockets and the gateway between them take in without being read. */
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x');
/** Half of what all clients of a repetition ask for: a gateway that holds that does not hold the upstream up. */
const HELD_BYTES = (WIDTH * LARGE.length) / 2;

/** A row about clients that do something to each of their requests; `upstream` says what they are asked for. */
function client(
  fault: Pick<Fault, 'name' | 'title' | 'gets' | 'may'>,
  upstream: Parameters<typeof startHttpUpstream>[0],
  misbehave: (row: Row, key: string, upstream: FaultyUpstream) => Promise<void>,
  half: [repetitions: number, short: number] = [100, 2],
): Fault {
  const open = async (row: Row): Promise<Scene> => {
    const started = await row.upstream(startHttpUpstream(upstream));
    const { key } = await row.tenant(started.url);
    return {
      async repeat() {
        await Promise.all(Array.from({ length: WIDTH }, () => misbehave(row, key, started)));
      },
      close: () => Promise.resolve(),
    };
  };
  return { ...fault, stage: 'standalone', repetitions: half[0], short: half[1], open };
}

const head = (key: string, more = ''): string =>
  `GET /api/ HTTP/1.1\r\nHost: gateway.test\r\nX-API-Key: ${key}\r\n${more}\r\n`;

/** Every upstream whose client has gone sees its connection close. */
function untilTold(row: Row, upstream: FaultyUpstream): Promise<unknown> {
  return waitFor(
    'the upstream to be told',
    () => upstream.abandoned() >= (row.tally.get('gone') ?? 0),
    5000,
    2,
  );
}

const abortsBefore = client(
  {
    name: 'client-aborts-before-answer',
    title: 'client goes away before the answer; the upstream is told',
    gets: ['gone'],
  },
  () => undefined,
  async (row, key, upstream) => {
    const known = upstream.requests();
    const socket = connect(row.stage.gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    row.connected(socket.localPort);
    socket.write(head(key));
    // All of them: each client goes when its own is there.
    await waitFor('the requests to arrive', () => upstream.requests() >= known + WIDTH, 5000, 2);
    socket.destroy();
    row.count('gone');
    await untilTold(row, upstream);
  },
);

function sendForEver(response: ServerResponse): void {
  const chunk = LARGE.subarray(0, 65_536);
  const send = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.on('drain', send);
  send();
}

const abortsMidBody = client(
  {
    name: 'client-aborts-mid-body',
    title: 'client goes away inside the body; the upstream is told',
    gets: ['gone'],
  },
  (_request, response) => sendForEver(response),
  async (row, key, upstream) => {
    const socket = connect(row.stage.gateway.port, '127.0.0.1');
    await once(socket, 'connect');
    row.connected(socket.localPort);
    socket.write(head(key));
    await once(socket, 'data');
    socket.resetAndDestroy();
    row.count('gone');
    await untilTold(row, upstream);
  },
);

const halfCloses = client(
  {
    name: 'client-half-closes',
    title: 'client closes its sending side after the request',
    // Whether it is answered or hung up on is the server's choice; what it gets, it gets whole.
    gets: [],
    may: ['200', 'closed'],
  },
  (_request, response) => void setTimeout(() => response.end('ok'), 20),
  async (row, key) => {
    const socket = connect({ port: row.stage.gateway.port, host: '127.0.0.1', allowHalfOpen: true });
    await once(socket, 'connect');
    row.connected(socket.localPort);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => undefined);
    socket.end(head(key));
    await once(socket, 'close');
    const whole = /^HTTP\/1\.1 200 OK\r\n/.test(text) && text.endsWith('ok');
    row.count(whole ? '200' : text === '' ? 'closed' : 'broken', whole);
  },
);

const slowReads = client(
  {
    name: 'client-reads-slowly',
    title: 'client reads 16 MiB slowly; the upstream is held up, not the memory filled',
    gets: ['200'],
  },
  (_request, response) => void response.end(LARGE),
  async (row, key) => {
    const sent = request({
      port: row.stage.gateway.port,
      host: '127.0.0.1',
      path: '/api/',
      headers: { 'X-API-Key': key },
    });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    row.connected(answer.socket.localPort);
    let received = 0;
    const residentBefore = residentBytes(row.stage.gateway.pid);
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      const before = received;
      received += chunk.length;
      // A pause for every MiB.
      if (received >> 20 > before >> 20) await delay(15);
    }
    const grown = residentBytes(row.stage.gateway.pid) - residentBefore;
    if (grown > HELD_BYTES) row.problems.add(`the gateway has taken in ${grown} bytes`);
    row.count(received === LARGE.length ? '200' : 'broken', received === LARGE.length);
  },
  [3, 1],
);

const slowBody = client(
  {
    name: 'client-sends-slowly',
    title: 'client sends its body byte by byte',
    gets: ['200'],
  },
  (incoming, response) => {
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => (bytes += chunk.length));
    incoming.on('end', () => response.end(String(bytes)));
  },
  async (row, key) => {
    const headers = { 'X-API-Key': key, 'Content-Length': '20' };
    const sent = request({
      port: row.stage.gateway.port,
      host: '127.0.0.1',
      path: '/api/',
      method: 'POST',
      headers,
    });
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
    for (let i = 0; i < 20; i++) {
      sent.write('x');
      await delay(10);
    }
    sent.end();
    const [answer] = await answered;
    row.connected(answer.socket.localPort);
    let text = '';
    for await (const chunk of answer.setEncoding('latin1') as AsyncIterable<string>) text += chunk;
    row.count(text === '20' ? String(answer.statusCode) : 'broken', answer.statusCode === 200);
  },
  [10, 2],
);

/** What clients may do. */
export const CLIENT_FAULTS: readonly Fault[] = [abortsBefore, abortsMidBody, halfCloses, slowReads, slowBody];
