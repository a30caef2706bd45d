import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { waitFor } from '../../../test/support/children';
import { endUnread } from './unread-connections';

const TIMEOUT_MS = 60_000;
const LOOK_MS = 15_000;
const PIECE = Buffer.alloc(65_536);
const MEGABYTE = 1_048_576;

let server: Server;
let client: Socket;
let served: Socket;

/** A connection, looked at from its beginning. @param write what its server does at once. */
async function connected(write: (socket: Socket) => void): Promise<void> {
  server = createServer();
  endUnread(server, TIMEOUT_MS);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => undefined);
  [served] = (await once(server, 'connection')) as [Socket];
  served.on('error', () => undefined);
  write(served);
}

/** Before its client there is always one piece. */
function flood(socket: Socket): void {
  const more = (): void => {
    // What the system takes at once is no piece that waits.
    while (socket.write(PIECE));
  };
  socket.on('drain', more);
  more();
}

/** The client reads so many bytes, and no more. */
async function take(bytes: number): Promise<void> {
  let taken = 0;
  await new Promise<void>((resolve) => {
    const count = (chunk: Buffer): void => {
      taken += chunk.length;
      if (taken < bytes) return;
      client.off('data', count).pause();
      resolve();
    };
    client.on('data', count).resume();
  });
}

beforeEach(
  () =>
    void jest.useFakeTimers({
      doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'clearTimeout', 'Date'],
    }),
);
afterEach(() => {
  client.destroy();
  served.destroy();
  server.close();
  jest.useRealTimers();
});

it('ends a connection before which something waits that its client does not read', async () => {
  await connected(flood);
  await take(MEGABYTE);
  let written = 0;
  await waitFor('the system to take no more', () => written === (written = served.bytesWritten));
  jest.advanceTimersByTime(2 * TIMEOUT_MS - LOOK_MS);
  expect(served.destroyed).toBe(false);
  // The client may have come further up to the first look.
  jest.advanceTimersByTime(3 * LOOK_MS);
  expect(served.destroyed).toBe(true);
});

it('leaves one that is read slowly, however alike what waits at every look', async () => {
  await connected(flood);
  for (let i = 0; i < 30; i++) {
    await take(MEGABYTE);
    jest.advanceTimersByTime(LOOK_MS);
  }
  expect(served.destroyed).toBe(false);
});

it('leaves one for which there is nothing to read', async () => {
  await connected(() => undefined);
  jest.advanceTimersByTime(60 * TIMEOUT_MS);
  expect(served.destroyed).toBe(false);
});
