import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startLoad } from './client';
import type { Fault, Scene } from './fault';
import type { Row } from './row';
import { startHttpUpstream, startRawUpstream, type FaultyUpstream } from './servers';

/** Requests at a time. */
const WIDTH = 10;
/** Short, so that a row need not wait for what a tenant would. */
const PATIENCE = { firstByteMs: 400, idleMs: 400 };
const OK_HEAD = 'HTTP/1.1 200 OK\r\n';
const OK = `${OK_HEAD}Content-Length: 2\r\n\r\nok`;
/** Of ten requests of the idempotent kind and the other kind each, so that retries are part of every row. */
const METHODS = ['GET', 'POST'];

interface Broken extends Pick<Fault, 'name' | 'title' | 'gets' | 'may'> {
  readonly react: (socket: Socket, number: number) => void;
  /** Of the tenant. */
  readonly timeouts?: object;
  readonly expects?: string;
  readonly half?: [repetitions: number, short: number];
}

/** A row about an upstream that breaks every exchange in the same way. */
function broken({ react, timeouts = PATIENCE, expects, half = [100, 2], ...fault }: Broken): Fault {
  const [repetitions, short] = half;
  const open = async (row: Row): Promise<Scene> => {
    const upstream = await row.upstream(startRawUpstream(react));
    const { key } = await row.tenant(upstream.url, { timeouts });
    return {
      async repeat() {
        const asked = Array.from({ length: WIDTH }, (_unused, i) => {
          const method = METHODS[i % METHODS.length] as string;
          return row.ask({ key, method, expects, body: method === 'POST' ? '{"a":1}' : undefined });
        });
        await Promise.all(asked);
      },
      close: () => Promise.resolve(checkRetries(row, upstream)),
    };
  };
  return { ...fault, stage: 'standalone', repetitions, short, open };
}

/** What an ailing upstream gets on top: a tenth, and a handful of retries at the start. */
function checkRetries(row: Row, upstream: FaultyUpstream): void {
  const most = row.requests * 1.1 + 10;
  if (upstream.requests() > most)
    row.problems.add(`${upstream.requests()} requests of ${row.requests} sent on`);
}

const NEVER = (): void => undefined;

/** Three ways in which a body can be delimited, in turns; each breaks off in the middle. */
const UNFINISHED = [
  'Content-Length: 100000\r\n\r\nsome of it',
  'Transfer-Encoding: chunked\r\n\r\n8\r\nsome of \r\n',
  'Connection: close\r\n\r\nsome of it',
];
const unfinished = (number: number): string => OK_HEAD + (UNFINISHED[number % UNFINISHED.length] as string);

const refuses: Fault = {
  name: 'upstream-refuses',
  title: 'upstream refuses connections',
  stage: 'standalone',
  gets: ['502'],
  repetitions: 100,
  short: 2,
  async open(row) {
    const upstream = await row.upstream(startRawUpstream(NEVER));
    await upstream.crash();
    const { key } = await row.tenant(upstream.url);
    return {
      repeat: async () => void (await Promise.all(Array.from({ length: WIDTH }, () => row.ask({ key })))),
      close: () => Promise.resolve(),
    };
  },
};

const restarts: Fault = {
  name: 'upstream-restarts',
  title: 'upstream crashes and restarts under load',
  stage: 'standalone',
  gets: ['200', '502'],
  repetitions: 5,
  short: 1,
  async open(row) {
    const upstream = await row.upstream(startHttpUpstream((_request, response) => void response.end('ok')));
    const { key } = await row.tenant(upstream.url);
    return {
      async repeat() {
        const load = startLoad(8, 2, (agent) => row.ask({ key, agent, expects: 'ok' }));
        await delay(200);
        await upstream.crash();
        await delay(200);
        await upstream.restart();
        await delay(200);
        await load.stop();
        const after = await row.ask({ key });
        if (after.outcome !== '200') row.problems.add(`${after.outcome} after the restart`);
      },
      close: () => Promise.resolve(),
    };
  },
};

const closesIdle: Fault = {
  name: 'upstream-closes-idle',
  title: 'upstream closes idle connections: GET races with it',
  stage: 'standalone',
  gets: ['200'],
  // A retry that meets the same fate is not tried a third time.
  may: ['502'],
  repetitions: 10,
  short: 2,
  async open(row) {
    const upstream = await row.upstream(
      startRawUpstream((socket, number) => {
        socket.write(OK);
        if (number % 5 === 0) setTimeout(() => socket.destroy(), number % 4);
      }),
    );
    const { key } = await row.tenant(upstream.url);
    return {
      async repeat() {
        const load = startLoad(4, 1, (agent) => row.ask({ key, agent, expects: 'ok' }));
        await delay(300);
        await load.stop();
      },
      close() {
        const failed = row.tally.get('502') ?? 0;
        if (failed > row.requests / 100) row.problems.add(`${failed} of ${row.requests} failed, 1 % may`);
        return Promise.resolve();
      },
    };
  },
};

const slow: Fault = {
  ...broken({
    name: 'upstream-slow',
    title: 'upstream sends 1 byte per second: half of the answers end within the total time, half do not',
    gets: ['200', 'broken'],
    timeouts: { idleMs: 2500, totalMs: 3500 },
    half: [2, 0],
    react: (socket, number) => {
      socket.write(`${OK_HEAD}Content-Length: ${number % 2 ? 2 : 60}\r\n\r\n`);
      let left = number % 2 ? 2 : 60;
      const timer = setInterval(() => {
        if (socket.destroyed || left-- === 0) return clearInterval(timer);
        socket.write('x');
      }, 1000);
    },
  }),
};

/** What may be wrong with an upstream. */
export const UPSTREAM_FAULTS: readonly Fault[] = [
  refuses,
  broken({
    name: 'upstream-resets-before-head',
    title: 'upstream resets before the head',
    gets: ['502'],
    react: (socket) => void socket.resetAndDestroy(),
  }),
  broken({
    name: 'upstream-resets-inside-head',
    title: 'upstream resets inside the head',
    gets: ['502'],
    react: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le', () => socket.resetAndDestroy()),
  }),
  broken({
    name: 'upstream-resets-mid-body',
    title: 'upstream resets inside the body (length, chunked, until close)',
    gets: ['broken'],
    react: (socket, number) =>
      socket.write(unfinished(number), () => setTimeout(() => socket.resetAndDestroy(), 20)),
  }),
  broken({
    name: 'upstream-hangs-before-head',
    title: 'upstream hangs before the head',
    gets: ['504'],
    react: NEVER,
    half: [10, 2],
  }),
  broken({
    name: 'upstream-hangs-mid-body',
    title: 'upstream hangs inside the body',
    gets: ['broken'],
    react: (socket, number) => socket.write(unfinished(number)),
    half: [10, 2],
  }),
  broken({
    name: 'upstream-garbage',
    title: 'upstream answers in another protocol',
    gets: ['502'],
    react: (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n\x00\x01\x02\r\n\r\n'),
  }),
  broken({
    name: 'upstream-oversized-head',
    title: 'upstream sends a head of 128 KiB',
    gets: ['502'],
    react: (socket) => socket.write(`${OK_HEAD}X-Long: ${'x'.repeat(131_072)}\r\nContent-Length: 0\r\n\r\n`),
  }),
  broken({
    name: 'upstream-too-short',
    title: 'upstream sends less than its Content-Length',
    gets: ['broken'],
    react: (socket) => socket.end(`${OK_HEAD}Content-Length: 100\r\n\r\nhalf of it`),
  }),
  broken({
    name: 'upstream-too-long',
    title: 'upstream sends more than its Content-Length: a second answer nobody asked for',
    gets: ['200'],
    expects: 'mine',
    react: (socket) =>
      socket.write(`${OK_HEAD}Content-Length: 4\r\n\r\nmine${OK_HEAD}Content-Length: 6\r\n\r\nothers`),
  }),
  slow,
  closesIdle,
  restarts,
];
