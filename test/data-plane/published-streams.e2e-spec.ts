import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WebSocket, WebSocketServer } from 'ws';
import { waitFor } from '../support/children';
import { openConnection, requestHead, type ClientConnection } from '../support/connection';
import { accessLines } from '../support/outcomes';
import { startPublished, type PublishedSetup, type Publisher } from './published-setup';

let setup: PublishedSetup;
let acme: Publisher;
let canary: string;
let canaryHeard = 0;
beforeAll(async () => {
  setup = await startPublished();
  const speak = ({ url = '' }: IncomingMessage, response: ServerResponse): void => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write(`data: ${url}\n\n`);
  };
  acme = await setup.publisher(speak);
  const second = await setup.upstream((request, response) => {
    canaryHeard += 1;
    speak(request, response);
  });
  canary = await setup.service(acme.id, second.url);
});

const open: ClientConnection[] = [];
afterEach(() => open.splice(0).forEach((connection) => connection.destroy()));

async function openEvents(path: string, headers: Record<string, string> = {}): Promise<ClientConnection> {
  const connection = await openConnection(setup.gateway.port);
  open.push(connection);
  await connection.send(requestHead(`GET ${path}`, headers));
  await connection.until(`data: ${path}`);
  return connection;
}

/** What is said of the requests that are over. */
const ended = (path: string): unknown[] => accessLines(setup.gateway, path).map(({ decision }) => decision);

/** Two look-ups: by a header that the upstream does not get, and the same without it. */
const ROUTES = [
  {
    path: '/beta',
    headers: { 'X-Track': 'beta' },
    requestHeaders: { 'X-Track': '' },
    auth: { jwt: false },
  },
  { path: '/beta', auth: { jwt: false, apiKey: true } },
];

it('an event stream stays on the route whose header the upstream does not get', async () => {
  await acme.publish(...ROUTES);
  const stream = await openEvents('/beta/events', { 'X-Track': 'beta' });
  expect(acme.upstream.last().headers).not.toHaveProperty('x-track');
  await acme.publish(...ROUTES);
  await acme.publish(...ROUTES);
  expect(ended('/beta/events')).toEqual([]);
  // It ends with its route, so it has been judged.
  await acme.publish(ROUTES[1] as object);
  await stream.closed;
  await waitFor('an access line', () => ended('/beta/events').length > 0);
  expect(ended('/beta/events')).toEqual(['missing_api_key']);
});

it('so does a WebSocket', async () => {
  const server = new WebSocketServer({ server: acme.upstream.server });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  await acme.publish(...ROUTES);
  const socket = new WebSocket(`${setup.gateway.url.replace('http', 'ws')}/beta/socket`, {
    headers: { 'X-Track': 'beta' },
  });
  await once(socket, 'open');
  await acme.publish(...ROUTES);
  socket.send('still there');
  const [data] = (await once(socket, 'message')) as [Buffer];
  expect(data.toString()).toBe('still there');
  const closed = once(socket, 'close') as Promise<[number, Buffer]>;
  await acme.publish(ROUTES[1] as object);
  expect((await closed)[1].toString()).toBe('missing_api_key');
  server.close();
});

it('takes nobody’s turn when it is judged again, and goes on with the service that it is with', async () => {
  const backends = [{ service: acme.service }, { service: canary }];
  await acme.publish({ path: '/split', backends });
  await openEvents('/split/0');
  await openEvents('/split/1');
  expect(canaryHeard).toBe(1);
  for (let turn = 0; turn < 10; turn++) await openEvents(`/split/${turn + 2}`);
  expect(canaryHeard).toBe(6);
});
