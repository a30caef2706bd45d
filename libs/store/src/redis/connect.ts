import { Cluster, Redis, type RedisOptions } from 'ioredis';
import type { RedisConfig } from '#libs/config';

/** Waits 50 ms, 100 ms, … up to 1 s, with jitter so that replicas do not return in step. */
function backoff(attempt: number): number {
  return Math.min(1000, 50 * 2 ** Math.min(attempt, 6)) * (0.5 + Math.random() / 2);
}

/**
 * How long a connection may leave a command unanswered before ioredis gives it up. Several times what counts as being
 * away (see RedisHealth): its clock goes on while this process stands still, and would then take Redis for silent.
 */
function patienceMs(config: RedisConfig): number {
  return Math.max(2000, 4 * config.commandTimeoutMs);
}

/** Options of every single connection, whatever the topology. */
function connectionOptions(config: RedisConfig): RedisOptions {
  return {
    username: config.username,
    password: config.password,
    tls: config.tls,
    connectTimeout: 2000,
    // How long the other side gets to say goodbye; one that hangs must not hold up the next attempt.
    disconnectTimeout: 100,
    keepAlive: 10_000,
    commandTimeout: patienceMs(config),
    // Away must be noticed at once, not after a queue of commands has grown old.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: backoff,
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
  };
}

function sentinelOptions(config: RedisConfig): RedisOptions {
  if (config.topology !== 'sentinel') return { host: config.nodes[0]?.host, port: config.nodes[0]?.port };
  return {
    sentinels: [...config.nodes],
    name: config.sentinelMaster,
    sentinelPassword: config.sentinelPassword,
    sentinelRetryStrategy: backoff,
    // Without it a sentinel that hangs is waited for without end.
    sentinelCommandTimeout: patienceMs(config),
    enableTLSForSentinelMode: config.tls !== undefined,
    sentinelTLS: config.tls,
  };
}

/** The client that commands go through. It connects by itself and keeps reconnecting. */
export function connectCommands(config: RedisConfig): Redis | Cluster {
  if (config.topology === 'cluster') {
    return new Cluster([...config.nodes], {
      redisOptions: connectionOptions(config),
      enableOfflineQueue: false,
      enableAutoPipelining: true,
      // Auto-pipelining takes the first argument for the key, which here is the number of keys; and it would send a
      // charge (eval) later than it was asked for.
      autoPipeliningIgnoredCommands: ['gatehouseTake', 'gatehouseLease', 'eval'],
      clusterRetryStrategy: backoff,
      // A node that is gone or a cluster that is down is away; trying sixteen times would keep the request waiting.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      slotsRefreshInterval: 5000,
      // Certificates name hosts; without this the addresses that the cluster reports would be checked instead.
      dnsLookup: config.tls ? (address, callback) => callback(null, address) : undefined,
    });
  }
  return new Redis({
    ...connectionOptions(config),
    ...sentinelOptions(config),
    // RedisHealth watches over these commands. A timer in each would not only cost its making: ioredis deletes the
    // property that held it, and what V8 then makes of a command is garbage that lives until the next full collection.
    commandTimeout: undefined,
    db: config.db,
    // Buckets are batched by themselves; ioredis's batching costs more than it saves beside that.
    enableAutoPipelining: false,
  });
}

/** A connection of its own for subscriptions: to `node` in a cluster, else to wherever the master is. */
export function connectLink(config: RedisConfig, node?: { host: string; port: number }): Redis {
  return new Redis({
    ...connectionOptions(config),
    ...(node ?? sentinelOptions(config)),
    autoResubscribe: false,
  });
}

/** A connection to one of the sentinels, which have no roles, no users and a password of their own. */
export function connectSentinel(config: RedisConfig, node: { host: string; port: number }): Redis {
  return new Redis({
    ...connectionOptions(config),
    ...node,
    username: undefined,
    password: config.sentinelPassword,
    enableReadyCheck: false,
    autoResubscribe: false,
  });
}

/** Hangs up and dials again. Never while it is dialling: ioredis takes that for the end and does not try again. */
export function redial(connection: Redis | Cluster): void {
  if (connection.status === 'ready') connection.disconnect(true);
}
