import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, scratchFolder, waitFor } from './children';
import { type RedisOptions, type TestRedis, startRedis } from './redis';

const SLOTS = 16_384;

export interface TestCluster {
  nodes: TestRedis[];
  /** `host:port` of every node. */
  addresses: string[];
  /** redis-cli that follows redirections (-c). */
  cli(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Three masters without replicas on loopback, every slot served. */
export async function startCluster(
  options: Pick<RedisOptions, 'aof' | 'password'> = {},
): Promise<TestCluster> {
  const settings = { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000' };
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis({ ...options, settings })));
  const [first, ...others] = nodes as [TestRedis, ...TestRedis[]];
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  try {
    // What `redis-cli --cluster create` does, without its pauses (3 s).
    await Promise.all(
      nodes.map(async (node, index) => {
        await node.cli('CLUSTER', 'ADDSLOTS', ...slotsOf(index, nodes.length));
        await node.cli('CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
      }),
    );
    for (const other of others) await first.cli('CLUSTER', 'MEET', other.host, String(other.port));
    for (const node of nodes) {
      const isReady = async (): Promise<boolean> => {
        const info = await node.cli('CLUSTER', 'INFO');
        return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${nodes.length}`);
      };
      await waitFor(`cluster_state:ok on port ${node.port}`, isReady, 15_000);
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    nodes,
    addresses: nodes.map((node) => `${node.host}:${node.port}`),
    cli: (...args) => first.cli('-c', ...args),
    stop,
  };
}

function slotsOf(index: number, count: number): string[] {
  const from = Math.ceil((index * SLOTS) / count);
  const to = Math.ceil(((index + 1) * SLOTS) / count);
  return Array.from({ length: to - from }, (_unused, offset) => String(from + offset));
}

export interface TestSentinel {
  /** The name the sentinels know the master by. */
  name: string;
  master: TestRedis;
  replica: TestRedis;
  sentinels: TestRedis[];
  /** `host:port` of every sentinel. */
  addresses: string[];
  /** The port of the master as the sentinels see it now. */
  masterPort(): Promise<number>;
  /** Waits until the replica has what has been written so far: what it has not, a fail-over loses. */
  caughtUp(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * A master, its replica and `sentinels` watchers (one by default, which is enough to fail over). A dead master is
 * noticed after one second; `master` and `replica` keep naming the processes, whatever role they have by then.
 */
export async function startSentinel(
  options: Pick<RedisOptions, 'aof' | 'password'> & { sentinels?: number } = {},
): Promise<TestSentinel> {
  const name = 'mymaster';
  const { aof, password, sentinels: count = 1 } = options;
  const running: TestRedis[] = [];
  const stop = async () => void (await Promise.all(running.map((redis) => redis.stop())));
  try {
    const fast = { 'repl-diskless-sync-delay': '0', ...(password ? { masterauth: password } : {}) };
    const master = await startRedis({ aof, password, settings: fast });
    running.push(master);
    const replica = await startRedis({
      aof,
      password,
      settings: { ...fast, replicaof: `${master.host} ${master.port}` },
    });
    running.push(replica);
    const linked = async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up');
    await waitFor('the replica to be in step', linked, 10_000);
    const sentinels = await Promise.all(
      Array.from({ length: count }, () => startOneSentinel(name, master, count)),
    );
    running.push(...sentinels);
    const [first] = sentinels as [TestRedis];
    const addressOf = async () => (await first.cli('SENTINEL', 'get-master-addr-by-name', name)).split('\n');
    for (const sentinel of sentinels) {
      await waitFor('the sentinel to know the replica', async () =>
        (await sentinel.cli('SENTINEL', 'replicas', name)).includes(String(replica.port)),
      );
    }
    return {
      name,
      master,
      replica,
      sentinels,
      addresses: sentinels.map((sentinel) => `${sentinel.host}:${sentinel.port}`),
      masterPort: async () => Number((await addressOf())[1]),
      async caughtUp() {
        const written = await offsetOf(master, 'master_repl_offset');
        await waitFor('the replica to have what was written', async () => {
          const got = await offsetOf(replica, 'slave_repl_offset');
          return got >= written;
        });
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function offsetOf(redis: TestRedis, field: string): Promise<number> {
  const info = await redis.cli('INFO', 'replication');
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
}

async function startOneSentinel(name: string, master: TestRedis, count: number): Promise<TestRedis> {
  const port = await freePort();
  const folder = scratchFolder('sentinel');
  const configFile = join(folder, 'sentinel.conf');
  const lines = [
    'bind 127.0.0.1',
    `port ${port}`,
    `dir ${folder}`,
    `sentinel monitor ${name} ${master.host} ${master.port} ${Math.floor(count / 2) + 1}`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
    ...(master.password ? [`sentinel auth-pass ${name} ${master.password}`] : []),
  ];
  writeFileSync(configFile, `${lines.join('\n')}\n`);
  return startRedis({ port, configFile, mode: ['--sentinel'], readyLine: /\+monitor master/ });
}
