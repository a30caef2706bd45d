import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import https from 'node:https';
import { connect } from 'node:tls';
import { makeCertificate } from '../support/certificate-maker';
import { scratchFolder, waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { childrenOf, describeWorkers } from '../support/process-tree';
import { startRedis, type TestRedis } from '../support/redis';
import { writePair } from '../support/tls-forwarding';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { ADMIN_TOKEN, mappingOf, tenantText } from '../support/traffic';

const API_KEY = 'key-for-https-workers';
/** Connections are dealt to the workers in turn; so many never all fall to one of two. */
const CONNECTIONS = 40;

describeWorkers('HTTPS with WORKERS=2', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  let gateway: TestProcess;
  const folder = scratchFolder('certificates');
  const first = makeCertificate(['localhost']);

  beforeAll(async () => {
    [redis, upstream] = await Promise.all([
      startRedis(),
      startUpstream((_request, response) => void response.end('done')),
    ]);
    await redis.cli('SET', 'tenant:acme', tenantText(upstream.url));
    await redis.cli('SET', mappingOf(API_KEY), 'acme');
    writePair(folder, 'default', first);
    const env = { WORKERS: '2', REDIS_URL: redis.url, ADMIN_TOKEN, TLS_PORT: '0', TLS_CERT_DIR: folder };
    gateway = await startProcess({ env });
    await waitFor('both workers', () => listening().length === 2, 15_000);
  }, 40_000);
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([upstream.stop(), redis.stop()]);
  });

  const listening = () => gateway.logs.filter(({ msg }) => msg === 'listening');
  const port = (): number => Number(listening()[0]?.tlsPort);

  /** A request on a connection of its own. */
  const get = (path: string): Promise<number> =>
    new Promise((resolve, reject) => {
      const options = { rejectUnauthorized: false, agent: false, headers: { 'X-API-Key': API_KEY } };
      https
        .get(`https://127.0.0.1:${port()}${path}`, options, (response) => {
          response.resume().on('end', () => resolve(response.statusCode ?? 0));
        })
        .on('error', reject);
    });

  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const options = { port: port(), host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false };
      const socket = connect(options, () => {
        resolve(socket.getPeerCertificate().fingerprint256);
        socket.destroy();
      });
      socket.on('error', reject);
    });
  /** A connection that is open. */
  const keep = (): Promise<{ closed: boolean; destroy: () => void }> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port: port(), host: '127.0.0.1', rejectUnauthorized: false }, () =>
        resolve(kept),
      );
      const kept = { closed: false, destroy: () => void socket.destroy() };
      socket.on('error', reject).on('close', () => (kept.closed = true));
      socket.resume();
    });
  /** An HTTP/2 session of its own. */
  const session = async () => {
    const opened = connectHttp2(`https://127.0.0.1:${port()}`, { rejectUnauthorized: false });
    opened.on('error', () => undefined);
    await once(opened, 'connect');
    /** 0 where no whole response comes, for its worker is gone. */
    const ask = (): Promise<number> =>
      new Promise((resolve) => {
        let status = 0;
        const stream = opened.request({ ':path': '/api/over-http2', 'x-api-key': API_KEY });
        stream.on('response', (headers) => (status = headers[':status'] ?? 0));
        stream.on('error', () => undefined).on('close', () => resolve(stream.readableEnded ? status : 0));
        stream.resume();
      });
    return { ask, closed: () => opened.closed || opened.destroyed, close: () => opened.destroy() };
  };
  const many = <T>(what: () => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: CONNECTIONS }, what));

  it('share one port, and each of them serves', async () => {
    expect(new Set(listening().map(({ tlsPort }) => tlsPort))).toEqual(new Set([port()]));
    expect(new Set(await many(() => get('/api/over-https')))).toEqual(new Set([200]));
    // Connections that are kept end with their worker, and only with theirs.
    const kept = await many(keep);
    const ended = (): number => kept.filter(({ closed }) => closed).length;
    expect(ended()).toBe(0);
    process.kill(childrenOf(gateway.pid)[0] as number, 'SIGKILL');
    await waitFor('the end of some', () => ended() > 0);
    expect((await many(() => get('/api/x'))).every((status) => status === 200)).toBe(true);
    expect(ended()).toBeLessThan(CONNECTIONS);
    for (const { destroy } of kept) destroy();
    await waitFor('the new worker', () => listening().length === 3, 15_000);
  }, 30_000);

  it('each serve HTTP/2, and open sessions outlive a new certificate', async () => {
    const sessions = await many(session);
    const statuses = (): Promise<number[]> => Promise.all(sessions.map(({ ask }) => ask()));
    expect(new Set(await statuses())).toEqual(new Set([200]));
    // Which worker has a session shows when one of them goes: others have the rest.
    const next = makeCertificate(['localhost']);
    writePair(folder, 'default', next);
    await waitFor(
      'the new certificate from every worker',
      async () => (await many(shown)).every((fingerprint) => fingerprint === next.fingerprint),
      15_000,
    );
    expect(new Set(await statuses())).toEqual(new Set([200]));
    expect(sessions.filter(({ closed }) => closed())).toEqual([]);
    const before = listening().length;
    process.kill(childrenOf(gateway.pid)[0] as number, 'SIGKILL');
    await waitFor('the end of some', () => sessions.some(({ closed }) => closed()));
    // Those of the worker that is gone end one after the other.
    const left = async (): Promise<number[]> => {
      const answers = await Promise.all(
        sessions.filter(({ closed }) => !closed()).map(async (one) => ({ one, status: await one.ask() })),
      );
      return answers.filter(({ one }) => !one.closed()).map(({ status }) => status);
    };
    expect(new Set(await left())).toEqual(new Set([200]));
    for (const { close } of sessions) close();
    await waitFor('the new worker', () => listening().length === before + 1, 15_000);
  }, 30_000);

  it('all show a new certificate, and refuse nobody meanwhile', async () => {
    const before = new Set(await many(shown));
    expect(before.size).toBe(1);
    const next = makeCertificate(['localhost']);
    writePair(folder, 'default', next);
    const statuses: number[] = [];
    await waitFor(
      'the new certificate from every worker',
      async () => {
        statuses.push(...(await Promise.all([get('/api/x'), get('/api/x')])));
        return (await many(shown)).every((fingerprint) => fingerprint === next.fingerprint);
      },
      15_000,
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(new Set(await many(shown))).toEqual(new Set([next.fingerprint]));
  }, 30_000);
});
