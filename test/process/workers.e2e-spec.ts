import { Agent, type ServerResponse } from 'node:http';
import { waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { childrenOf, describeWorkers, parentOf } from '../support/process-tree';
import { startRedis, type TestRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { ADMIN_TOKEN, admin, mappingOf, send, tally, tenantText, type Outcome } from '../support/traffic';

const API_KEY = 'key-for-workers';

describeWorkers('WORKERS=2', () => {
  let redis: TestRedis;
  let upstream: TestUpstream;
  const held: ServerResponse[] = [];

  beforeAll(async () => {
    redis = await startRedis();
    upstream = await startUpstream((request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('done');
    });
    await redis.cli('SET', 'tenant:acme', tenantText(upstream.url));
    await redis.cli('SET', mappingOf(API_KEY), 'acme');
  });
  afterAll(async () => {
    await Promise.all([upstream.stop(), redis.stop()]);
  });

  const start = async (env: Record<string, string> = {}): Promise<TestProcess> => {
    const gateway = await startProcess({ env: { WORKERS: '2', REDIS_URL: redis.url, ADMIN_TOKEN, ...env } });
    await waitFor('both workers', () => listening(gateway) === 2, 15_000);
    return gateway;
  };
  const listening = (gateway: TestProcess): number =>
    gateway.logs.filter(({ msg }) => msg === 'listening').length;

  /** On a connection of its own: they are dealt to the workers in turn. */
  const once = (gateway: TestProcess): Promise<Outcome> =>
    send(`${gateway.url}/api/x`, { agent: new Agent(), headers: { 'X-API-Key': API_KEY } });

  async function served(gateway: TestProcess): Promise<number> {
    const { body } = await admin(gateway, 'GET', '/metrics');
    return Number(/^gateway_requests_total\{tenantId="acme",status="200"\} (\d+)/m.exec(body)?.[1] ?? 0);
  }

  it('share the port and the limits, and any of them answers a scrape for all', async () => {
    const gateway = await start();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => once(gateway)));
    expect(tally(outcomes)).toEqual({ 200: 100 });
    await waitFor('the sum over both', async () => (await served(gateway)) === 100);
    // The same sum, whichever worker is asked.
    for (let i = 0; i < 6; i++) expect(await served(gateway)).toBe(100);
    expect((await admin(gateway, 'GET', '/metrics')).body).toContain('process_cpu_user_seconds_total');
    await waitFor('both in the fleet', async () => (await redis.cli('ZCARD', 'gatehouse:replicas')) === '2');
    await waitFor('all of the usage', async () => (await redis.cli('HGET', 'gatehouse:{acme}:ledger:totals', 'requests')) === '100'); // prettier-ignore

    const workers = childrenOf(gateway.pid);
    expect(workers).toHaveLength(2);
    process.kill(workers[0] as number, 'SIGKILL');
    await gateway.waitForLog(({ msg, pid }) => msg === 'a worker died and is replaced' && pid === workers[0]);
    // What the dead one had counted is gone with it: a part of the sum, and not all of it.
    const left = await served(gateway);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThan(100);
    expect((await once(gateway)).status).toBe(200);
    await waitFor('the new worker', () => listening(gateway) === 3, 15_000);
    const replaced = childrenOf(gateway.pid);
    expect(replaced).toHaveLength(2);
    expect(replaced).toContain(workers[1]);

    expect(await gateway.stop('SIGTERM')).toBe(0);
    expect(replaced.filter((pid) => parentOf(String(pid)) !== undefined)).toEqual([]);
    expect(gateway.otherOutput).toEqual([]);
    expect(gateway.stderr()).toBe('');
  }, 40_000);

  it('finish what is in flight when a terminal signals the whole group, and refuse new connections last', async () => {
    const gateway = await start({ SHUTDOWN_TIMEOUT_MS: '6000' });
    held.splice(0);
    const slow = [1, 2].map(() =>
      send(`${gateway.url}/api/held`, { agent: new Agent(), headers: { 'X-API-Key': API_KEY } }),
    );
    await waitFor('both requests', () => held.length === 2);
    for (const pid of [...childrenOf(gateway.pid), gateway.pid]) process.kill(pid, 'SIGINT');
    const draining = (): boolean =>
      gateway.logs.filter(({ msg }) => /shutting down/.test(msg ?? '')).length === 2;
    await waitFor('both to drain', draining);
    const outcomes: Outcome[] = [];
    for (let i = 0; i < 20; i++) outcomes.push(await once(gateway));
    expect(tally(outcomes)).toEqual({ 200: 20 });
    for (const response of held) response.end('late');
    for (const outcome of await Promise.all(slow))
      expect(outcome).toMatchObject({ status: 200, body: 'late' });
    expect(await gateway.exited).toEqual({ code: 0, signal: null });
  }, 30_000);

  it('lose no request to SIGTERM under load', async () => {
    const gateway = await start({ SHUTDOWN_TIMEOUT_MS: '2000' });
    const outcomes: Outcome[] = [];
    const clients = Array.from({ length: 20 }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      // Bounded, should nobody ever refuse.
      for (let i = 0; i < 20_000; i++) {
        const outcome = await send(`${gateway.url}/api/x`, { agent, headers: { 'X-API-Key': API_KEY } });
        outcomes.push(outcome);
        if (outcome.error !== undefined) break;
      }
      agent.destroy();
    });
    await waitFor('traffic', () => outcomes.length > 300);
    const ended = gateway.stop('SIGTERM');
    await Promise.all(clients);
    expect(await ended).toBe(0);
    // Refused, or in the queue of a listener that was closed: in neither case was there a connection.
    const refused = outcomes.filter(
      ({ error, reused }) => error === 'ECONNREFUSED' || (error === 'ECONNRESET' && !reused),
    );
    expect(refused).toHaveLength(20);
    expect(tally(outcomes.filter((outcome) => !refused.includes(outcome)))).toEqual({
      200: outcomes.length - 20,
    });
  }, 30_000);

  it('say once that the port is in use, and end', async () => {
    const taken = await startUpstream();
    const env = { WORKERS: '2', REDIS_URL: redis.url, ADMIN_TOKEN, PORT: String(taken.port) };
    const gateway = await startProcess({ env, until: 'spawned' });
    expect(await gateway.exited).toEqual({ code: 1, signal: null });
    expect(gateway.stderr()).toBe(
      `gatehouse: port ${taken.port} is in use: set PORT, ADMIN_PORT or TLS_PORT to another one\n`,
    );
    await taken.stop();
  }, 20_000);
});
