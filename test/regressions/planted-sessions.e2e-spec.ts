import { startCached, type CacheSetup } from '../data-plane/cache-setup';
import { send } from '../support/traffic';

/** A tenant's upstream that signs browsers in to the dashboard, on the same host, as somebody of its choice. */
const COOKIES = [
  'gatehouse-session=t.planted; Path=/',
  '__Host-gatehouse-session=t.planted; Path=/; Secure',
  'theme=dark',
];

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

let setup: CacheSetup;
beforeAll(async () => void (setup = await startCached()));

it('is not helped by a response that may be stored, nor by one that confirms it', async () => {
  const { get, asked } = await setup.cached({}, (request) => ({
    status: request.headers['if-none-match'] === undefined ? 200 : 304,
    headers: {
      'Cache-Control': request.url?.includes('confirmed') ? 'public, no-cache' : 'public, max-age=60',
      ETag: '"1"',
      'Set-Cookie': COOKIES,
    },
  }));
  for (const [path, times] of [
    ['/api/stored', 1],
    ['/api/confirmed', 2],
  ] as const) {
    const before = asked();
    for (let i = 0; i < 2; i++) expect((await get(path)).headers['set-cookie']).toEqual(['theme=dark']);
    expect(asked() - before).toBe(times);
  }
});

it('is not helped by the head of a WebSocket', async () => {
  const upstream = await setup.upstream();
  upstream.server.on('upgrade', (_request, socket) => {
    socket.on('error', () => undefined).on('end', () => socket.end());
    socket.resume();
    const said = COOKIES.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join('');
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${said}\r\n`,
    );
  });
  const client = await setup.send(upstream.key, 'GET /api/x', UPGRADE);
  const answer = await client.until('\r\n\r\n');
  client.destroy();
  expect(answer.match(/^set-cookie: .*$/gim)).toEqual(['set-cookie: theme=dark']);
  expect((await send(`${setup.gateway.url}/livez`)).status).toBe(200);
});
