import { openConnection, requestHead } from '../support/connection';
import { startForwarding } from '../support/forwarding';

const UPGRADE = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

it('a WebSocket carries headers that objects have members of the same names as, both ways', async () => {
  const forwarding = await startForwarding();
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];
  const seen: string[][] = [];
  const upstream = await forwarding.upstream(undefined, {
    allowedRoutes: [{ path: '/', responseHeaders: { 'X-Own': 'own' } }],
  });
  upstream.server.on('upgrade', (request, socket) => {
    seen.push(request.rawHeaders);
    const said = names.map((name) => `${name}: from-${name}\r\n`).join('');
    socket.on('error', () => undefined).on('end', () => socket.end());
    socket.resume();
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${said}\r\n`,
    );
  });
  const raw = await openConnection(forwarding.gateway.port);
  const lines = [...names.map((name) => `${name}: to-${name}`), 'constructor: again'];
  await raw.send(
    requestHead('GET /api/x', { 'X-API-Key': upstream.key, ...UPGRADE }).replace(
      '\r\n\r\n',
      `\r\n${lines.join('\r\n')}\r\n\r\n`,
    ),
  );
  const answer = await raw.until('\r\n\r\n');
  raw.destroy();
  const got = seen.at(-1) ?? [];
  const valueOf = (name: string): string | undefined =>
    got[got.findIndex((each, at) => at % 2 === 0 && each.toLowerCase() === name.toLowerCase()) + 1];
  expect(names.map(valueOf)).toEqual([
    'to-constructor, again',
    ...names.slice(1).map((name) => `to-${name}`),
  ]);
  // Node.js itself drops `__proto__` of what it reads from an upstream.
  for (const name of names.filter((each) => each !== '__proto__'))
    expect(answer.toLowerCase()).toContain(`\r\n${name.toLowerCase()}: from-${name.toLowerCase()}\r\n`);
  expect(answer).not.toMatch(/native code|\[object/);
  expect(answer.toLowerCase()).toContain('\r\nx-own: own\r\n');
});
