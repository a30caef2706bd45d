import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { makeCertificate } from '../support/certificate-maker';
import { scratchFolder } from '../support/children';
import { openConnection } from '../support/connection';
import { startGateway, type TestGateway } from '../support/gateway';
import { ask } from '../support/http2-client';
import { metric } from '../support/outcomes';
import { writePair } from '../support/tls-forwarding';
import { startUpstream, type TestUpstream } from '../support/upstream';

const V1 = 'PROXY TCP4 203.0.113.7 10.0.0.1 40000 443\r\n';
/** 198.51.100.9, as the second version says it. */
const V2 = Buffer.from('0d0a0d0a000d0a515549540a2111000cc63364090a00000101bb0050', 'hex');
const V6 = 'PROXY TCP6 2001:db8::5 ::1 40000 443\r\n';
const GET = 'GET /x HTTP/1.1\r\nHost: edge.test\r\n\r\n';

const folder = scratchFolder('tls');
writePair(folder, 'default', makeCertificate(['localhost', '127.0.0.1']));
let central: TestUpstream;
beforeAll(async () => void (central = await startUpstream()));
afterAll(() => central.stop());

function start(env: Record<string, string>): Promise<TestGateway> {
  return startGateway({
    CENTRAL_API_URL: central.url, TRUSTED_PROXIES: '127.0.0.1,192.0.2.0/24', TLS_PORT: '0', TLS_CERT_DIR: folder, ...env,
  }); // prettier-ignore
}

/** What the upstream was told about the client of a request that began with these bytes. */
async function clientOf(gateway: TestGateway, ...parts: (string | Buffer)[]): Promise<unknown> {
  const connection = await openConnection(gateway.port);
  for (const part of parts) await connection.send(part);
  await connection.until(/HTTP\/1\.1 200 OK[^]*\r\n\r\n[^]/);
  connection.destroy();
  return central.last().headers['x-forwarded-for'];
}

/** How a connection ends that begins with these bytes, and what was said to it. */
async function endOf(gateway: TestGateway, bytes: string | Buffer): Promise<string> {
  const connection = await openConnection(gateway.port);
  await connection.send(bytes);
  await connection.closed;
  return connection.received();
}

describe('where connections may begin with a header', () => {
  let gateway: TestGateway;
  beforeAll(async () => void (gateway = await start({ PROXY_PROTOCOL: 'accept', IP_DENYLIST: '203.0.113.66' })));
  afterAll(() => gateway.close());

  it.each<[title: string, parts: (string | Buffer)[], client: string]>([
    ['in text', [V1 + GET], '203.0.113.7'],
    ['of IPv6', [V6 + GET], '2001:db8::5'],
    ['in binary', [Buffer.concat([V2, Buffer.from(GET)])], '198.51.100.9'],
    ['alone, the request later', [V1, GET], '203.0.113.7'],
    ['byte by byte', [...(V1 + GET)], '203.0.113.7'],
    ['in binary, byte by byte', [...V2].map((byte) => Buffer.from([byte])).concat(Buffer.from(GET)), '198.51.100.9'],
    ['that announces nobody', [`PROXY UNKNOWN\r\n${GET}`], '127.0.0.1'],
    ['that is not there', [GET], '127.0.0.1'],
    ['that is not there, with a request like one', [`P${GET.replace('GET', 'OST')}`], '127.0.0.1'],
  ])('one %s', async (_, parts, client) => {
    expect(await clientOf(gateway, ...parts)).toBe(client);
  }); // prettier-ignore

  it('it counts for the whole connection, and a second one is a request that cannot be read', async () => {
    const connection = await openConnection(gateway.port);
    await connection.send(V1 + GET);
    await connection.until(/200 OK[^]*"url":"\/x"/);
    await connection.send(GET.replace('/x', '/second'));
    await connection.until('/second');
    expect(central.last().headers['x-forwarded-for']).toBe('203.0.113.7');
    await connection.send(V6 + GET);
    await connection.until('HTTP/1.1 400');
    await connection.closed;
  });

  it('what is announced is no proxy that is believed: its X-Forwarded-For is a forgery', async () => {
    const forged = GET.replace('\r\n\r\n', '\r\nX-Forwarded-For: 10.9.9.9\r\nForwarded: for=10.8.8.8\r\n\r\n');
    expect(await clientOf(gateway, V1 + forged)).toBe('203.0.113.7');
    // One that is, in front of the one that announces it, is.
    expect(await clientOf(gateway, V1.replace('203.0.113.7', '192.0.2.4') + forged)).toBe('10.9.9.9, 192.0.2.4');
  });

  it('is held to limits and lists by the announced address', async () => {
    const connection = await openConnection(gateway.port);
    await connection.send(V1.replace('203.0.113.7', '203.0.113.66') + GET);
    expect(await connection.until('address_not_allowed')).toContain('HTTP/1.1 403');
  });

  it.each([
    ['malformed', 'PROXY TCP4 203.0.113.7\r\n'],
    ['malformed', `PROXY TCP4 ${'1'.repeat(200)}`],
    ['too_large', Buffer.concat([V2.subarray(0, 14), Buffer.from([0xff, 0xff])])],
  ])('a bad one closes the connection without a word: %s', async (reason, bytes) => {
    const before = await metric(gateway, 'gateway_proxy_protocol_refusals_total', `reason="${reason}"`);
    expect(await endOf(gateway, bytes)).toBe('');
    expect(await metric(gateway, 'gateway_proxy_protocol_refusals_total', `reason="${reason}"`)).toBe(before + 1);
  });

  it('half of one whose sender ends is refused; a connection that only looks is not counted', async () => {
    const count = (): Promise<number> => metric(gateway, 'gateway_proxy_protocol_refusals_total', 'reason="malformed"');
    const before = await count();
    for (const bytes of ['', 'PROXY TCP4 ']) {
      const connection = await openConnection(gateway.port, { halfOpen: true });
      if (bytes) await connection.send(bytes);
      connection.socket.end();
      await connection.closed;
    }
    expect(await count()).toBe(before + 1);
  });

  describe('before TLS', () => {
    const opened: Socket[] = [];
    afterAll(() => opened.forEach((socket) => socket.destroy()));
    /** A connection to the TLS port that has begun with a header. */
    const announced = (header: string | Buffer): Socket => {
      const socket = connectTcp({ port: gateway.tlsPort, host: '127.0.0.1' });
      opened.push(socket);
      socket.write(header);
      return socket;
    };

    it('the address is that of HTTP/1.1', async () => {
      const tls = connectTls({ socket: announced(V1), rejectUnauthorized: false });
      opened.push(tls);
      const text = await new Promise<string>((resolve) => {
        tls.once('data', (chunk: Buffer) => resolve(chunk.toString()));
        tls.write(GET);
      });
      expect(text).toContain('200 OK');
      expect(central.last().headers).toMatchObject({ 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' });
    });

    it('and that of HTTP/2', async () => {
      const session = connectHttp2(`https://127.0.0.1:${gateway.tlsPort}`, {
        createConnection: () => connectTls({ socket: announced(V2), rejectUnauthorized: false, ALPNProtocols: ['h2'] }),
      });
      expect((await ask(session, { ':path': '/h2' })).status).toBe(200);
      expect(central.last().headers).toMatchObject({ 'x-forwarded-for': '198.51.100.9', 'x-forwarded-proto': 'https' });
      session.destroy();
    });
  });
}); // prettier-ignore

describe('where they must', () => {
  it('closes what has none, and what comes from elsewhere whatever it has', async () => {
    const required = await start({ PROXY_PROTOCOL: 'require' });
    expect(await clientOf(required, V1 + GET)).toBe('203.0.113.7');
    expect(await endOf(required, GET)).toBe('');
    await required.close();

    const elsewhere = await start({ PROXY_PROTOCOL: 'require', TRUSTED_PROXIES: '192.0.2.1' });
    expect(await endOf(elsewhere, V1 + GET)).toBe('');
    await elsewhere.close();
  });
});

it('from others than trusted proxies a header is a request that cannot be read', async () => {
  const gateway = await start({ PROXY_PROTOCOL: 'accept', TRUSTED_PROXIES: '192.0.2.1' });
  expect(await endOf(gateway, V1 + GET)).toContain('HTTP/1.1 400');
  expect(await clientOf(gateway, GET)).toBe('127.0.0.1');
  await gateway.close();
});

it('a connection that is waited for does not hold up the end', async () => {
  const gateway = await start({ PROXY_PROTOCOL: 'require' });
  const connection = await openConnection(gateway.port);
  await connection.send('PROXY ');
  await gateway.close();
  await connection.closed;
  expect(connection.received()).toBe('');
});
