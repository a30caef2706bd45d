import { connect, type ClientHttp2Session } from 'node:http2';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { ask, outcomeOfStream } from '../support/http2-client';
import { openConnection } from '../support/connection';
import { waitFor } from '../support/children';
import { metric, outcomeOf } from '../support/outcomes';
import type { TestGateway } from '../support/gateway';

let forwarding: Forwarding;
let gateway: TestGateway;
beforeAll(async () => {
  forwarding = await startForwarding({ HTTP2_CLEARTEXT: 'true', CLIENT_HEAD_TIMEOUT_MS: '400' });
  ({ gateway } = forwarding);
});

const sessions: ClientHttp2Session[] = [];
afterAll(() => sessions.forEach((session) => session.destroy()));

/** A session that begins with the preface. */
async function cleartext(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  sessions.push(session);
  session.on('error', () => undefined);
  await new Promise((resolve, reject) => {
    session.once('remoteSettings', resolve);
    session.once('close', () => reject(new Error('closed')));
  });
  return session;
}

it('takes HTTP/2 with prior knowledge, by plain http, under the same guards', async () => {
  const upstream = await forwarding.upstream();
  const session = await cleartext(gateway.port);
  expect(await ask(session, { ':path': '/api/x' })).toMatchObject({ status: 401 });
  const [one, two] = await Promise.all([
    ask(session, { ':path': '/api/one', ':method': 'POST', 'x-api-key': upstream.key }, 'body'),
    ask(session, { ':path': '/livez' }),
  ]);
  expect([one.status, two.status]).toEqual([200, 200]);
  expect(upstream.last()).toMatchObject({ method: 'POST', url: '/one', bodyText: 'body' });
  expect(upstream.last().headers).toMatchObject({ 'x-forwarded-proto': 'http' });
  const { access } = await outcomeOf(gateway, '/api/one');
  expect(access).toMatchObject({ protocol: 'HTTP/2.0', scheme: 'http', ip: '127.0.0.1' });
});

it.each([
  ['in one piece', [/.*/s]],
  ['with a first byte that could be the preface', [/^P/s, /.*/s]],
  ['byte by byte', Array<RegExp>(12).fill(/^./s).concat(/.*/s)],
])('goes on to take HTTP/1.1: %s', async (_, pieces) => {
  const upstream = await forwarding.upstream();
  const client = await openConnection(gateway.port);
  let rest = `PROPFIND /api/a HTTP/1.1\r\nHost: x\r\nX-API-Key: ${upstream.key}\r\n\r\n`;
  rest += rest.replace('/api/a', '/api/b').replace('Host', 'Connection: close\r\nHost');
  for (const piece of pieces) {
    const [part = ''] = piece.exec(rest) ?? [];
    rest = rest.slice(part.length);
    await client.send(part);
  }
  await client.closed;
  expect(client.received().match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
  expect(upstream.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
    'PROPFIND /a',
    'PROPFIND /b',
  ]);
});

it.each([
  ['with settings', 'Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'],
  ['without', 'Connection: Upgrade\r\n'],
])('refuses an upgrade to h2c: %s', async (_, fields) => {
  const upstream = await forwarding.upstream();
  const client = await openConnection(gateway.port);
  await client.send(
    `GET /api/x HTTP/1.1\r\nHost: x\r\nX-API-Key: ${upstream.key}\r\n${fields}Upgrade: h2c\r\n\r\n` +
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  );
  await client.closed;
  expect(client.received()).toMatch(/^HTTP\/1\.1 400 [^]*upgrade_not_supported/);
  expect(client.received()).not.toContain(' 101 ');
  expect(upstream.requests).toEqual([]);
});

it('gives those that say nothing, or half of the preface, no more time than others', async () => {
  for (const said of ['', 'PRI * HTTP/2.0\r\n']) {
    const client = await openConnection(gateway.port);
    if (said) await client.send(said);
    await client.closed;
    expect(client.received()).toMatch(/^HTTP\/1\.1 4\d\d /);
  }
});

it('sends a body whole whose start came with the preface', async () => {
  const upstream = await forwarding.upstream();
  const session = connect(`http://127.0.0.1:${gateway.port}`);
  sessions.push(session);
  // At once: before anybody has answered.
  const body = 'x'.repeat(300_000);
  const answer = await ask(
    session,
    { ':path': '/api/x', ':method': 'POST', 'x-api-key': upstream.key },
    body,
  );
  expect(answer.status).toBe(200);
  expect(upstream.last().bodyBytes).toBe(300_000);
});

it('takes none where it is not asked for', async () => {
  const plain = await startForwarding();
  const client = await openConnection(plain.gateway.port);
  await client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
  await client.closed;
  expect(client.received()).not.toContain('\0\0\0\x04\x01');
});

it('takes the address from a PROXY header before it', async () => {
  const behind = await startForwarding({ HTTP2_CLEARTEXT: 'true', PROXY_PROTOCOL: 'require', TRUSTED_PROXIES: '127.0.0.1', ADMIN_PORT: '0' }); // prettier-ignore
  const upstream = await behind.upstream();
  const client = await openConnection(behind.gateway.port);
  await client.send('PROXY TCP4 203.0.113.9 192.0.2.1 5555 80\r\n');
  const session = connect('http://gateway.test', { createConnection: () => client.socket });
  client.socket.removeAllListeners('data');
  sessions.push(session);
  await ask(session, { ':path': '/api/proxied', 'x-api-key': upstream.key });
  const { access } = await outcomeOf(behind.gateway, '/api/proxied');
  expect(access).toMatchObject({ ip: '203.0.113.9', protocol: 'HTTP/2.0' });
});

it('counts and lets go of its sessions, and ends them when it drains', async () => {
  const own = await startForwarding({
    HTTP2_CLEARTEXT: 'true',
    SHUTDOWN_TIMEOUT_MS: '5000',
    ADMIN_PORT: '0',
  });
  const upstream = await own.upstream((_req, res, recorded) => {
    if (recorded.url !== '/held') res.end('ok');
    else void waitFor('the gateway to drain', () => draining).then(() => res.end('held'));
  });
  let draining = false;
  const session = await cleartext(own.gateway.port);
  const idle = await openConnection(own.gateway.port);
  const held = ask(session, { ':path': '/api/held', 'x-api-key': upstream.key });
  await waitFor('the request', () => upstream.requests.length === 1);
  expect(await metric(own.gateway, 'gateway_client_connections')).toBe(2);
  const closing = own.gateway.close();
  draining = true;
  expect(await outcomeOfStream(held)).toMatchObject({ status: 200, body: 'held' });
  await Promise.all([closing, idle.closed]);
  await waitFor('the session to close', () => session.destroyed);
});
