import {
  startCluster,
  startRedis,
  startSentinel,
  type TestCluster,
  type TestRedis,
  type TestSentinel,
} from '../support/redis';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';

/** A Redis, of whatever shape, that a gateway is given and that is written to behind its back. */
export interface Topology {
  /** The gateway's settings. */
  readonly env: Record<string, string>;
  /** redis-cli at whoever can be written to now. */
  cli(...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** One Redis that forgets nothing, behind a wire that can be cut, clogged and stretched. */
export interface WiredRedis extends Topology {
  readonly redis: TestRedis;
  readonly wire: TcpProxy;
}

export async function wiredRedis(): Promise<WiredRedis> {
  const redis = await startRedis({ aof: true });
  const wire = await startTcpProxy(redis.port);
  return {
    redis,
    wire,
    env: { REDIS_URL: `redis://127.0.0.1:${wire.port}` },
    cli: (...args) => redis.cli(...args),
    stop: async () => {
      await wire.stop();
      await redis.stop();
    },
  };
}

/** A master and its replica, watched by three sentinels. */
export interface Watched extends Topology {
  readonly sentinel: TestSentinel;
}

export async function watchedRedis(): Promise<Watched> {
  const sentinel = await startSentinel({ aof: true, sentinels: 3 });
  const { master, replica } = sentinel;
  return {
    sentinel,
    env: { REDIS_SENTINELS: sentinel.addresses.join(','), REDIS_SENTINEL_MASTER: sentinel.name },
    cli: async (...args) => {
      const port = await sentinel.masterPort();
      return (port === master.port ? master : replica).cli(...args);
    },
    stop: () => sentinel.stop(),
  };
}

/** Three masters without replicas, which forget nothing. */
export interface Clustered extends Topology {
  readonly cluster: TestCluster;
}

export async function clusteredRedis(): Promise<Clustered> {
  const cluster = await startCluster({ aof: true });
  return {
    cluster,
    env: { REDIS_CLUSTER_NODES: cluster.addresses.join(',') },
    cli: (...args) => cluster.cli(...args),
    stop: () => cluster.stop(),
  };
}
