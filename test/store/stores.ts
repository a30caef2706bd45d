import { Redis } from 'ioredis';
import Database from 'libsql';
import { join } from 'node:path';
import { loadConfig } from '#libs/config';
import { createLogging } from '#libs/logging';
import { openStore, type Store } from '#libs/store';
import { scratchFolder } from '../support/children';
import type { LogLine } from '../support/process';
import {
  contractRedis,
  describeRedis,
  describeRedisTls,
  startCluster,
  startRedis,
  startSentinel,
} from '../support/redis';

/** A program that knows nothing of Gatehouse and writes to the same place. */
export interface ForeignProgram {
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  /** Deletes everything at once: FLUSHALL, or a DELETE without a condition. */
  flush(): Promise<void>;
}

/** One place where state is kept, and ways into it. */
export interface Premises {
  /** The settings that lead there. */
  readonly env: Record<string, string>;
  foreign: ForeignProgram;
  stop(): Promise<void>;
}

/** A store with what it logs. */
export interface OpenedStore extends Store {
  readonly logs: LogLine[];
}

/** What a suite is given: called in hooks and tests, not while it is being described. */
export interface Stage {
  readonly premises: Premises;
  /** Another client of the same state. */
  open(env?: Record<string, string>): Promise<OpenedStore>;
}

interface Variant {
  readonly title: string;
  readonly describe: (title: string, block: () => void) => void;
  readonly start: () => Promise<Premises>;
}

const VARIANTS = {
  embedded: { title: 'embedded', describe, start: startEmbedded },
  standalone: { title: 'Redis', describe, start: startStandalone },
  tls: { title: 'Redis with password and TLS', describe: describeRedisTls, start: () => startTls(true) },
  unverified: {
    title: 'Redis with TLS, unverified',
    describe: describeRedisTls,
    start: () => startTls(false),
  },
  cluster: { title: 'Redis Cluster', describe: describeRedis, start: startClusterPremises },
  sentinel: { title: 'Redis Sentinel', describe: describeRedis, start: startSentinelPremises },
} satisfies Record<string, Variant>;

export type VariantName = keyof typeof VARIANTS;

/** The same suite once for every kind of store, or for the kinds named. */
export function describeStores(
  title: string,
  block: (stage: Stage, variant: VariantName) => void,
  names = Object.keys(VARIANTS) as VariantName[],
): void {
  for (const name of names) {
    const variant: Variant = VARIANTS[name];
    variant.describe(`${title} (${variant.title})`, () => {
      let premises: Premises | undefined;
      beforeAll(async () => void (premises = await variant.start()), 30_000);
      afterAll(async () => {
        await closeAll();
        await premises?.stop();
      });
      const stage: Stage = {
        get premises() {
          if (!premises) throw new Error('used before beforeAll');
          return premises;
        },
        open: (env) => openTestStore({ ...stage.premises.env, ...env }),
      };
      block(stage, name);
    });
  }
}

const open = new Set<Store>();

/** Whatever a test leaves open would keep its connections, and with them jest, alive. */
async function closeAll(): Promise<void> {
  await Promise.all([...open].map((store) => store.close()));
}

afterAll(closeAll);

/** A store by its settings, reached unless told otherwise; closed after the test file at the latest. */
export async function openTestStore(
  env: Record<string, string>,
  until: 'ready' | 'opened' = 'ready',
): Promise<OpenedStore> {
  const logs: LogLine[] = [];
  const stream = { write: (line: string) => void logs.push(JSON.parse(line) as LogLine) };
  const config = loadConfig({ DATA_DIR: scratchFolder('data'), LOG_LEVEL: 'info', ...env });
  const store = openStore(config, createLogging(config, stream).logger);
  const close = store.close.bind(store);
  store.close = async () => {
    if (open.delete(store)) await close();
  };
  open.add(store);
  if (until === 'ready') await store.ready();
  return Object.assign(store, { logs });
}

async function startEmbedded(): Promise<Premises> {
  const folder = scratchFolder('embedded');
  const env = { DATA_DIR: folder };
  // The first opening makes the schema that the foreign program writes to.
  await (await openTestStore(env)).close();
  const database = new Database(join(folder, 'gatehouse.db'), { timeout: 5000 });
  const run = (sql: string, ...values: string[]): Promise<void> => {
    database.prepare(sql).run(...values);
    return Promise.resolve();
  };
  return {
    env,
    foreign: {
      set: (key, value) => run('INSERT OR REPLACE INTO documents VALUES (?, ?)', key, value),
      delete: (key) => run('DELETE FROM documents WHERE key = ?', key),
      flush: () => run('DELETE FROM documents'),
    },
    stop: () => Promise.resolve(void database.close()),
  };
}

async function startStandalone(): Promise<Premises> {
  const redis = await contractRedis();
  const client = new Redis(redis.url);
  return {
    env: { REDIS_URL: redis.url },
    foreign: {
      set: async (key, value) => void (await client.set(key, value)),
      delete: async (key) => void (await client.del(key)),
      flush: () => redis.flush(),
    },
    stop: async () => {
      client.disconnect();
      await redis.stop();
    },
  };
}

async function startTls(verified: boolean): Promise<Premises> {
  const redis = await startRedis({ tls: true, password: 'pässword/with:odd@characters' });
  const env = {
    REDIS_HOST: redis.host,
    REDIS_PORT: String(redis.port),
    REDIS_PASSWORD: redis.password ?? '',
    REDIS_TLS: 'true',
  };
  return {
    env: verified
      ? { ...env, REDIS_TLS_CA_FILE: redis.certificates?.caFile ?? '' }
      : { ...env, REDIS_TLS_REJECT_UNAUTHORIZED: 'false' },
    foreign: foreignCli((...args) => redis.cli(...args)),
    stop: () => redis.stop(),
  };
}

async function startClusterPremises(): Promise<Premises> {
  const cluster = await startCluster({ password: 'secret' });
  return {
    // One address is enough to find the others.
    env: { REDIS_CLUSTER_NODES: cluster.addresses[1] ?? '', REDIS_PASSWORD: 'secret' },
    foreign: {
      ...foreignCli((...args) => cluster.cli(...args)),
      flush: async () => void (await Promise.all(cluster.nodes.map((node) => node.cli('FLUSHALL')))),
    },
    stop: () => cluster.stop(),
  };
}

async function startSentinelPremises(): Promise<Premises> {
  const group = await startSentinel({ password: 'secret' });
  return {
    env: {
      REDIS_SENTINELS: group.addresses.join(','),
      REDIS_SENTINEL_MASTER: group.name,
      REDIS_PASSWORD: 'secret',
    },
    foreign: foreignCli((...args) => group.master.cli(...args)),
    stop: () => group.stop(),
  };
}

/** The real redis-cli. */
function foreignCli(cli: (...args: string[]) => Promise<string>): ForeignProgram {
  return {
    set: async (key, value) => void (await cli('SET', key, value)),
    delete: async (key) => void (await cli('DEL', key)),
    flush: async () => void (await cli('FLUSHALL')),
  };
}
