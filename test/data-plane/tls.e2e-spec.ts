import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import WebSocket, { WebSocketServer } from 'ws';
import { makeCertificate, type MadeCertificate } from '../support/certificate-maker';
import { scratchFolder, waitFor } from '../support/children';
import { startForwarding, type Forwarding } from '../support/forwarding';
import { metric, outcomeOf } from '../support/outcomes';
import { writePair } from '../support/tls-forwarding';
import type { TestGateway } from '../support/gateway';

const localhost = makeCertificate(['localhost', '127.0.0.1']);

/** The fingerprint of the certificate that a client is shown; `refused` when the handshake fails. */
function shown(gateway: TestGateway, servername: string, more: object = {}): Promise<string> {
  return new Promise((resolve) => {
    const options = {
      port: gateway.tlsPort,
      host: '127.0.0.1',
      servername,
      rejectUnauthorized: false,
      ...more,
    };
    const socket: TLSSocket = connect(options, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', () => resolve('refused'));
    socket.on('close', () => resolve('refused'));
  });
}

interface Got {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

function get(gateway: TestGateway, path: string, options: https.RequestOptions = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const url = `https://127.0.0.1:${gateway.tlsPort}${path}`;
    const request = https.get(url, { rejectUnauthorized: false, agent: false, ...options }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, body }));
      response.on('error', reject);
    });
    request.on('error', reject);
  });
}

describe('HTTP/1.1 over TLS', () => {
  let forwarding: Forwarding;
  beforeAll(async () => {
    const folder = scratchFolder('certificates');
    writePair(folder, 'default', localhost);
    forwarding = await startForwarding({ TLS_PORT: '0', TLS_CERT_DIR: folder });
  });

  it('goes through the same door', async () => {
    const upstream = await forwarding.upstream();
    const headers = { 'X-API-Key': upstream.key };
    expect(await get(forwarding.gateway, '/api/over-tls', { headers })).toMatchObject({ status: 200 });
    expect(upstream.last().headers).toMatchObject({
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(await get(forwarding.gateway, '/api/x')).toMatchObject({ status: 401 });
    expect(await get(forwarding.gateway, '/ping')).toMatchObject({ status: 200, body: 'OK' });
    const { access } = await outcomeOf(forwarding.gateway, '/api/over-tls');
    expect(access).toMatchObject({ protocol: 'HTTP/1.1', scheme: 'https', decision: 'allow' });
  });

  it('speaks no version of TLS before 1.2', async () => {
    expect(await shown(forwarding.gateway, 'localhost', { maxVersion: 'TLSv1.2' })).toBe(
      localhost.fingerprint,
    );
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' };
    expect(await shown(forwarding.gateway, 'localhost', old)).toBe('refused');
  });

  it('carries WebSockets', async () => {
    const echo = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    await new Promise((resolve) => echo.once('listening', resolve));
    const { port } = echo.address() as { port: number };
    const key = await forwarding.keyFor(`http://127.0.0.1:${port}`);
    const client = new WebSocket(`wss://127.0.0.1:${forwarding.gateway.tlsPort}/api/ws`, {
      headers: { 'X-API-Key': key },
      rejectUnauthorized: false,
    });
    const answer = new Promise<string>((resolve, reject) => {
      client.on('open', () => client.send('hello'));
      client.on('message', (data: Buffer) => resolve(data.toString()));
      client.on('error', reject);
    });
    expect(await answer).toBe('hello');
    client.terminate();
    await new Promise((resolve) => echo.close(resolve));
  });

  it('answers bytes that are no TLS with nothing, and serves on', async () => {
    const response = await fetch(`http://127.0.0.1:${forwarding.gateway.tlsPort}/livez`).catch(
      () => 'refused',
    );
    expect(response).toBe('refused');
    expect(await get(forwarding.gateway, '/livez')).toMatchObject({ status: 200 });
  });
});

describe('the certificate that a client is shown', () => {
  const exact = makeCertificate(['api.example.test']);
  const wildcard = makeCertificate(['*.example.test']);
  const folder = scratchFolder('by-name');
  writePair(folder, 'default', localhost);
  writePair(folder, 'exact', exact);
  writePair(folder, 'wild/', wildcard);

  it.each([
    ['false', localhost.fingerprint],
    ['true', 'refused'],
  ])('is the one for its name, with TLS_STRICT_SNI=%s', async (TLS_STRICT_SNI, otherwise) => {
    const { gateway } = await startForwarding({ TLS_PORT: '0', TLS_CERT_DIR: folder, TLS_STRICT_SNI });
    expect(await shown(gateway, 'api.example.test')).toBe(exact.fingerprint);
    expect(await shown(gateway, 'other.example.test')).toBe(wildcard.fingerprint);
    expect(await shown(gateway, 'localhost')).toBe(localhost.fingerprint);
    expect(await shown(gateway, 'a.b.example.test')).toBe(otherwise);
    expect(await shown(gateway, 'example.test')).toBe(otherwise);
    expect(await shown(gateway, '')).toBe(otherwise);
  });
});

describe('a change of certificates', () => {
  const made = (): MadeCertificate => makeCertificate(['localhost']);

  it('is taken up without a failed request, twenty times over', async () => {
    const folder = scratchFolder('swapped');
    writePair(folder, 'default', localhost);
    const forwarding = await startForwarding({ TLS_PORT: '0', TLS_CERT_DIR: folder });
    const { gateway } = forwarding;
    const upstream = await forwarding.upstream((_request, response) => void response.end('ok'));
    const headers = { 'X-API-Key': upstream.key };
    const agent = new https.Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false });
    let loading = true;
    const outcomes: unknown[] = [];
    const load = async (own: https.RequestOptions): Promise<void> => {
      while (loading)
        outcomes.push(await get(gateway, '/api/x', { headers, ...own }).then(({ status }) => status, String));
    };
    const running = [load({ agent }), load({ agent }), load({}), load({})];
    for (let swap = 0; swap < 20; swap++) {
      const next = made();
      writePair(folder, 'default', next);
      await waitFor(
        'the new certificate',
        async () => (await shown(gateway, 'localhost')) === next.fingerprint,
      );
    }
    loading = false;
    await Promise.all(running);
    agent.destroy();
    expect(outcomes.filter((outcome) => outcome !== 200)).toEqual([]);
    expect(outcomes.length).toBeGreaterThan(100);
  });

  it('is refused when it is bad, with the old one going on', async () => {
    const folder = scratchFolder('spoiled');
    const cert = join(folder, 'a.crt');
    const key = join(folder, 'a.key');
    writePair(folder, 'a', localhost);
    const { gateway } = await startForwarding({ TLS_PORT: '0', TLS_CERT_FILE: cert, TLS_KEY_FILE: key });
    const refusal = (reason: string) =>
      waitFor(reason, () =>
        gateway.logs.find(
          ({ msg, reason: given }) => /refused/.test(msg ?? '') && String(given).includes(reason),
        ),
      );
    writeFileSync(key, made().key);
    expect(await refusal('belongs to another certificate')).toMatchObject({
      level: 'error',
      msg: 'certificate refused: the one before it goes on serving',
      certFile: cert,
    });
    writeFileSync(cert, 'nonsense');
    await refusal('no PEM certificate');
    rmSync(cert);
    await refusal('ENOENT');
    const expired = makeCertificate(['localhost'], { validFrom: 0, expiresAt: Date.now() - 1000 });
    writePair(folder, 'a', expired);
    await refusal('not valid now');
    expect(await shown(gateway, 'localhost')).toBe(localhost.fingerprint);
    const next = made();
    writePair(folder, 'a', next);
    await waitFor('the new one', async () => (await shown(gateway, 'localhost')) === next.fingerprint);
  });

  it('is seen through the links of a Kubernetes volume', async () => {
    const folder = scratchFolder('secret');
    const generation = (name: string, certificate: MadeCertificate): void => {
      mkdirSync(join(folder, name));
      writePair(join(folder, name), 'tls', certificate);
      symlinkSync(name, join(folder, '..next'));
      renameSync(join(folder, '..next'), join(folder, '..data'));
    };
    generation('..1', localhost);
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name));
    const { gateway } = await startForwarding({ TLS_PORT: '0', TLS_CERT_DIR: folder });
    expect(await shown(gateway, 'localhost')).toBe(localhost.fingerprint);
    const next = made();
    generation('..2', next);
    await waitFor('the new one', async () => (await shown(gateway, 'localhost')) === next.fingerprint);
  });

  it('adds and takes away names', async () => {
    const folder = scratchFolder('growing');
    writePair(folder, 'default', localhost);
    const { gateway } = await startForwarding({ TLS_PORT: '0', TLS_CERT_DIR: folder });
    const added = makeCertificate(['added.test']);
    writePair(folder, 'added', added);
    await waitFor('the new name', async () => (await shown(gateway, 'added.test')) === added.fingerprint);
    rmSync(join(folder, 'added.key'));
    await waitFor('its end', async () => (await shown(gateway, 'added.test')) === localhost.fingerprint);
  });
});

it('tells when a certificate expires, and warns in the last fourteen days', async () => {
  const folder = scratchFolder('expiring');
  const DAY_MS = 86_400_000;
  const soon = Math.floor(Date.now() / 1000) * 1000 + 13 * DAY_MS;
  writePair(folder, 'default', localhost);
  writePair(folder, 'soon', makeCertificate(['soon.test'], { expiresAt: soon }));
  const { gateway } = await startForwarding({ TLS_PORT: '0', TLS_CERT_DIR: folder });
  const name = 'gateway_certificate_expiry_timestamp_seconds';
  expect(await metric(gateway, name, 'host="soon.test"')).toBe(soon / 1000);
  expect(gateway.logs.filter(({ msg }) => msg === 'a certificate expires soon')).toEqual([
    expect.objectContaining({ level: 'warn', certificate: 'soon', daysLeft: 12 }),
  ]);
});

describe('a start without a usable certificate is refused', () => {
  it.each<[title: string, env: (folder: string) => Record<string, string>, line: RegExp]>([
    [
      'a key of another certificate',
      (folder) => {
        writePair(folder, 'a', { ...localhost, key: makeCertificate(['x.test']).key });
        return { TLS_CERT_FILE: join(folder, 'a.crt'), TLS_KEY_FILE: join(folder, 'a.key') };
      },
      /^TLS_CERT_FILE and TLS_KEY_FILE cannot be used: the key belongs to another certificate$/,
    ],
    [
      'no such file',
      (folder) => ({ TLS_CERT_FILE: join(folder, 'a.crt'), TLS_KEY_FILE: join(folder, 'a.key') }),
      /^TLS_CERT_FILE and TLS_KEY_FILE cannot be used: ENOENT.*a\.crt'$/,
    ],
    [
      'no such folder',
      (folder) => ({ TLS_CERT_DIR: join(folder, 'x') }),
      /^TLS_CERT_DIR cannot be used: ENOENT/,
    ],
    ['nothing in the folder', (folder) => ({ TLS_CERT_DIR: folder }), /^TLS_CERT_DIR has no certificate/],
  ])('%s', async (_, env, line) => {
    const start = startForwarding({ TLS_PORT: '0', ...env(scratchFolder('unusable')) });
    await expect(start).rejects.toThrow(line);
  });
});
