import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { startChild, waitFor } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { describeRedis, startCluster, startRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { ADMIN_TOKEN, admin, call, mappingOf, tenantText } from '../support/traffic';

/** What the gateway promises: any change, by anyone, reaches every replica in this time (p99). */
const GUARANTEED_MS = 250;
const API_KEY = 'key-of-another-program';

let upstream: TestUpstream;
beforeAll(
  async () => void (upstream = await startUpstream((request, response) => void response.end(request.url))),
);
afterAll(() => upstream.stop());

/** A real redis-cli that is fed line by line: starting one per change would be measured along. */
async function startCli(port: number, ...args: string[]): Promise<(command: string) => void> {
  const server = process.env.TEST_REDIS_SERVER ?? '';
  const binary = join(dirname(server), basename(server).replace(/server$/, 'cli'));
  const libraries = process.env.TEST_REDIS_LIBS;
  const cli = await startChild(binary, ['-h', '127.0.0.1', '-p', String(port), ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) },
  });
  createInterface({ input: cli.process.stdout! }).on('line', (line) => {
    if (!/^(OK|1|-> Redirected.*)?$/.test(line)) throw new Error(`redis-cli: ${line}`);
  });
  return (command) => void cli.process.stdin!.write(`${command}\n`);
}

function startReplicas(env: Record<string, string>): Promise<TestProcess[]> {
  return Promise.all([1, 2].map(() => startProcess({ env: { ...env, ADMIN_TOKEN } })));
}

/** From the write to the end of the first request that shows it, on each replica. */
async function measure(
  replicas: TestProcess[],
  write: () => unknown,
  shows: (replica: TestProcess) => Promise<boolean>,
): Promise<number[]> {
  const writtenAt = performance.now();
  const written = write();
  const delays = await Promise.all(
    replicas.map(async (replica) => {
      // One request after the other, without a pause: what is measured is the gateway and not the polling.
      while (performance.now() - writtenAt < 5000) {
        if (await shows(replica)) return performance.now() - writtenAt;
      }
      return Infinity;
    }),
  );
  await written;
  return delays;
}

function report(title: string, delays: number[]): { p99: number } {
  const sorted = [...delays].sort((one, other) => one - other);
  const at = (share: number): number => sorted[Math.ceil(sorted.length * share) - 1] ?? NaN;
  const [p50, p99, max] = [at(0.5), at(0.99), at(1)].map((ms) => Math.round(ms * 10) / 10);
  process.stdout.write(
    `  ${title}: ${delays.length} observations, p50 ${p50} ms, p99 ${p99} ms, max ${max} ms\n`,
  );
  return { p99: at(0.99) };
}

describeRedis('a change reaches two processes on one Redis', () => {
  let cli: (command: string) => void;
  let replicas: TestProcess[] = [];
  let stop: () => Promise<void>;

  beforeAll(async () => {
    const redis = await startRedis();
    stop = () => redis.stop();
    cli = await startCli(redis.port);
    replicas = await startReplicas({ REDIS_URL: redis.url });
  }, 30_000);
  afterAll(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await stop();
  });

  const shows =
    (version: string) =>
    async (replica: TestProcess): Promise<boolean> => {
      const { status, body } = await call(replica, API_KEY, '/api/x');
      return status === 200 && body === `/${version}/x`;
    };

  it('within 250 ms (p99) when a tenant is written by hand as documented, for a key that has just been refused', async () => {
    const delays: number[] = [];
    for (let i = 0; i <= 50; i++) {
      const [id, key] = [i === 0 ? 'acme-123' : `by-hand-${i}`, i === 0 ? API_KEY : `by hand ${i}`];
      for (const replica of replicas) expect((await call(replica, key)).status).toBe(401);
      const write = (): void => {
        cli(`SET tenant:${id} '${tenantText(`${upstream.url}/v${i}`)}'`);
        cli(`SET ${mappingOf(key)} ${id}`);
      };
      const serves = async (replica: TestProcess): Promise<boolean> => {
        const { status, body } = await call(replica, key, '/api/x');
        return status === 200 && body === `/v${i}/x`;
      };
      const measured = await measure(replicas, write, serves);
      // The very first request a process forwards takes longer than all others, whoever wrote what.
      if (i > 0) delays.push(...measured);
    }
    expect(report('written by hand', delays).p99).toBeLessThan(GUARANTEED_MS);
  }, 60_000);

  it('within 250 ms (p99) when redis-cli makes it, over 200 changes', async () => {
    const delays: number[] = [];
    for (let i = 1; i <= 200; i++) {
      const text = tenantText(`${upstream.url}/cli${i}`);
      delays.push(...(await measure(replicas, () => cli(`SET tenant:acme-123 '${text}'`), shows(`cli${i}`))));
    }
    expect(report('redis-cli SET', delays).p99).toBeLessThan(GUARANTEED_MS);
  }, 60_000);

  it('within 250 ms (p99) when the admin API of one of them makes it, over 200 changes', async () => {
    const delays: number[] = [];
    for (let i = 0; i < 202; i++) {
      const by = replicas[i % 2] as TestProcess;
      const write = async (): Promise<void> => {
        const body = { upstreamBaseUrl: `${upstream.url}/api${i}` };
        expect((await admin(by, 'PATCH', '/admin/tenants/acme-123', body)).status).toBe(200);
      };
      const measured = await measure(replicas, write, shows(`api${i}`));
      // Not the very first one of each process.
      if (i >= 2) delays.push(...measured);
    }
    expect(report('admin API', delays).p99).toBeLessThan(GUARANTEED_MS);
  }, 60_000);

  it('within 250 ms (p99) when it is the end of a key, by the API or by DEL, and of a tenant', async () => {
    const delays: number[] = [];
    const refused =
      (key: string) =>
      async (replica: TestProcess): Promise<boolean> =>
        (await call(replica, key)).status === 401;
    for (let i = 0; i < 50; i++) {
      const made = await admin(replicas[0]!, 'POST', '/admin/tenants/acme-123/api-keys', {
        name: `key ${i}`,
      });
      const { id, key } = JSON.parse(made.body) as { id: string; key: string };
      for (const replica of replicas) expect((await call(replica, key)).status).toBe(200);
      const revoke = async (): Promise<void> => {
        const path = `/admin/tenants/acme-123/api-keys/${id}`;
        expect((await admin(replicas[1]!, 'DELETE', path)).status).toBe(204);
      };
      delays.push(
        ...(await measure(replicas, i % 2 ? revoke : () => cli(`DEL ${mappingOf(key)}`), refused(key))),
      );
    }
    delays.push(...(await measure(replicas, () => cli('DEL tenant:acme-123'), refused(API_KEY))));
    expect(report('revocation', delays).p99).toBeLessThan(GUARANTEED_MS);
  }, 60_000);

  it('at once when it is a document that cannot be served: that tenant only, and logged', async () => {
    const other = 'key-of-a-healthy-tenant';
    cli(`SET tenant:acme-123 '${tenantText(`${upstream.url}/v1`)}'`);
    cli(`SET tenant:healthy '${tenantText(`${upstream.url}/v2`)}'`);
    cli(`SET ${mappingOf(other)} healthy`);
    for (const replica of replicas) {
      await waitFor('both tenants', async () =>
        (await call(replica, other)).status === 200 && (await call(replica, API_KEY)).status === 200); // prettier-ignore
    }
    const broken = async (replica: TestProcess): Promise<boolean> => {
      const { status, body } = await call(replica, API_KEY);
      return status === 503 && body.includes('tenant_misconfigured');
    };
    const delays = await measure(replicas, () => cli(`SET tenant:acme-123 '{"id":"tenant-acme",'`), broken);
    expect(delays).not.toContain(Infinity);
    for (const replica of replicas) {
      expect((await call(replica, other)).status).toBe(200);
      await replica.waitForLog((line) => line.tenantId === 'acme-123' && line.level === 'error');
    }
  });
});

describeRedis('a change reaches two processes on a Redis Cluster', () => {
  it('within 250 ms (p99), whichever node holds it', async () => {
    const cluster = await startCluster();
    const [cli, replicas] = await Promise.all([
      startCli(cluster.nodes[0]!.port, '-c'),
      startReplicas({ REDIS_CLUSTER_NODES: cluster.addresses.join(',') }),
    ]);
    const shows = (i: number) => async (replica: TestProcess) =>
      (await call(replica, `key-${i % 4}`, '/api/x')).body === `/v${i}/x`;
    const write = async (i: number): Promise<void> => {
      const id = `tenant-${i % 4}`;
      if (i % 8 < 4) return cli(`SET tenant:${id} '${tenantText(`${upstream.url}/v${i}`)}'`);
      const body = { upstreamBaseUrl: `${upstream.url}/v${i}` };
      expect((await admin(replicas[i % 2]!, 'PATCH', `/admin/tenants/${id}`, body)).status).toBe(200);
    };
    // Four tenants lie in different slots, and so do their mappings. A replica dials a node when it first needs it,
    // and its first admin requests take longer than all others: those are not counted.
    for (let i = 0; i < 8; i++) {
      if (i < 4) cli(`SET ${mappingOf(`key-${i}`)} tenant-${i}`);
      await measure(replicas, () => write(i), shows(i));
    }
    const delays: number[] = [];
    for (let i = 8; i < 68; i++) delays.push(...(await measure(replicas, () => write(i), shows(i))));
    expect(report('cluster', delays).p99).toBeLessThan(GUARANTEED_MS);
    await Promise.all(replicas.map((replica) => replica.stop()));
    await cluster.stop();
  }, 60_000);
});
