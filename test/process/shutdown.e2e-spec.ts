import { Agent, type ServerResponse } from 'node:http';
import { waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { ADMIN_TOKEN, admin, call, send, type Outcome } from '../support/traffic';

let upstream: TestUpstream;
/** Requests to /held wait here until they are answered. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    if (request.url === '/held') held.push(response);
    else response.end('done');
  });
});
beforeEach(() => void held.splice(0));
afterAll(() => upstream.stop());

/** A gateway with a tenant, and the key of it. */
async function startServing(env: Record<string, string>): Promise<{ gateway: TestProcess; key: string }> {
  const gateway = await startProcess({ env: { ADMIN_TOKEN, ...env } });
  const rateLimit = { windowSeconds: 1, maxRequests: 1_000_000 };
  const tenant = {
    id: 't',
    name: 't',
    upstreamBaseUrl: upstream.url,
    allowedRoutes: [{ path: '/' }],
    rateLimit,
  };
  expect((await admin(gateway, 'POST', '/admin/tenants', tenant)).status).toBe(201);
  const made = await admin(gateway, 'POST', '/admin/tenants/t/api-keys', { name: 'test' });
  return { gateway, key: (JSON.parse(made.body) as { key: string }).key };
}

/** A request that the upstream has got and not answered yet. */
async function hold(
  gateway: TestProcess,
  key: string,
): Promise<{ outcome: Promise<Outcome>; response: ServerResponse }> {
  const outcome = call(gateway, key, '/api/held');
  const response = await waitFor('the request to arrive', () => held[0]);
  return { outcome, response };
}

const readiness = async (gateway: TestProcess): Promise<number> =>
  (await send(`${gateway.url}/readyz`, { agent: new Agent() })).status;

/** A connection that never was one: not accepted, or still in the queue of the listener when that was closed. */
const isRefused = ({ error, reused }: Outcome): boolean =>
  error === 'ECONNREFUSED' || (error === 'ECONNRESET' && !reused);

describe('SIGTERM', () => {
  it('under the load of 50 keep-alive clients fails readiness first and no request', async () => {
    const { gateway, key } = await startServing({ SHUTDOWN_TIMEOUT_MS: '3000' });
    const outcomes: (Outcome & { startedAt: number })[] = [];
    const agents = Array.from({ length: 50 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    const clients = agents.map(async (agent) => {
      // Bounded, should nobody ever refuse.
      for (let i = 0; i < 20_000; i++) {
        const startedAt = Date.now();
        const outcome = await send(`${gateway.url}/api/x`, { agent, headers: { 'X-API-Key': key } });
        outcomes.push({ ...outcome, startedAt });
        if (outcome.error !== undefined) return;
      }
    });
    await waitFor('traffic', () => outcomes.length > 500);
    const { outcome: slow, response } = await hold(gateway, key);

    const ended = gateway.stop('SIGTERM');
    await waitFor('readiness to fail', async () => (await readiness(gateway)) === 503);
    const atFailure = outcomes.length;
    await waitFor('new requests to be served nevertheless', () => outcomes.length > atFailure + 100);
    expect(outcomes.at(-1)).toMatchObject({ status: 200, headers: { connection: 'close' } });
    expect((await send(`${gateway.url}/livez`, { agent: new Agent() })).status).toBe(200);
    response.end('late');
    expect(await slow).toMatchObject({ status: 200, body: 'late' });

    await Promise.all(clients);
    expect(await ended).toBe(0);
    const failed = outcomes.filter((outcome) => outcome.status !== 200);
    expect(failed.filter((outcome) => !isRefused(outcome))).toEqual([]);
    // Each client ended with its first refusal.
    expect(failed).toHaveLength(50);
    const firstRefusal = Math.min(...failed.map(({ startedAt }) => startedAt));
    process.stdout.write(
      `  shutdown: ${outcomes.length - failed.length} requests served, refused ${Date.now() - firstRefusal} ms before the end\n`,
    );
    expect(gateway.logs.at(-1)).toMatchObject({ msg: 'stopped' });
    agents.forEach((agent) => agent.destroy());
  }, 30_000);

  it('lets a request finish that takes nearly the whole time, and accepts others meanwhile', async () => {
    const { gateway, key } = await startServing({ SHUTDOWN_TIMEOUT_MS: '2000' });
    const { outcome, response } = await hold(gateway, key);
    const startedAt = Date.now();
    const ended = gateway.stop('SIGTERM');
    await waitFor('readiness to fail', async () => (await readiness(gateway)) === 503);
    expect((await call(gateway, key)).status).toBe(200);
    await waitFor('the listener to close', async () => (await readiness(gateway)) === 0);
    expect(Date.now() - startedAt).toBeLessThan(2000);
    response.end('late');
    expect(await outcome).toMatchObject({ status: 200, body: 'late' });
    expect(await ended).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(2500);
  });

  it('cuts off a request that never ends when its time is up, and exits with 0', async () => {
    const { gateway, key } = await startServing({ SHUTDOWN_TIMEOUT_MS: '500' });
    const { outcome } = await hold(gateway, key);
    const startedAt = Date.now();
    expect(await gateway.stop('SIGTERM')).toBe(0);
    expect(Date.now() - startedAt).toBeLessThan(3000);
    expect((await outcome).status).toBe(0);
  });

  it('leaves the listener open for SHUTDOWN_DELAY_MS, also when there is nothing to wait for', async () => {
    const { gateway, key } = await startServing({ SHUTDOWN_DELAY_MS: '700' });
    const startedAt = Date.now();
    const ended = gateway.stop('SIGTERM');
    await waitFor('readiness to fail', async () => (await readiness(gateway)) === 503);
    while (Date.now() - startedAt < 600) expect((await call(gateway, key)).status).toBe(200);
    expect(await ended).toBe(0);
    expect(Date.now() - startedAt).toBeGreaterThanOrEqual(700);
  });
});

describe('SIGINT', () => {
  it('is an orderly end as well; repeated in earnest it ends the process at once', async () => {
    const { gateway, key } = await startServing({ SHUTDOWN_TIMEOUT_MS: '60000' });
    const { outcome } = await hold(gateway, key);
    const startedAt = Date.now();
    process.kill(gateway.pid, 'SIGINT');
    // What npm passes on although the terminal has sent it already.
    process.kill(gateway.pid, 'SIGINT');
    await waitFor('readiness to fail', async () => (await readiness(gateway)) === 503);
    let exit: { code: number | null } | undefined;
    void gateway.exited.then((ended) => (exit = ended));
    await waitFor('the end', () => {
      if (!exit && Date.now() - startedAt > 1200) process.kill(gateway.pid, 'SIGINT');
      return exit;
    });
    expect(exit).toEqual({ code: 130, signal: null });
    expect(Date.now() - startedAt).toBeGreaterThan(1000);
    expect((await outcome).status).toBe(0);
  });

  it('alone ends it with 0', async () => {
    const gateway = await startProcess({ env: { ADMIN_TOKEN } });
    expect(await gateway.stop('SIGINT')).toBe(0);
    expect(gateway.otherOutput).toEqual([]);
  });
});
