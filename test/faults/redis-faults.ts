import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../support/children';
import type { TestRedis } from '../support/redis';
import { startLoad, type Load } from './client';
import type { Fault, Scene, StageKind } from './fault';
import { Row } from './row';
import { startHttpUpstream } from './servers';
import type { Clustered, Watched, WiredRedis } from './topologies';

const CLIENTS = 4;
const PAUSE_MS = 4;
/** How long a fault lasts at the least. */
const OUTAGE_MS = 800;
const RECOVERY_MS = 20_000;
/** Tokens of a tenant that must not get more because nobody counts, and how many it asks for. */
const SMALL_LIMIT = 10;
const MANY = 40;

/** Of a Redis Cluster. */
const SLOTS = 16_384;

/** What a fault does to Redis, and how it is undone. */
interface Trouble {
  /** The fault begins; resolves when it has. */
  strike(row: Row, stranger: string): Promise<unknown> | void;
  mend(row: Row): Promise<unknown> | void;
}

/** Everything around the fault: callers of three kinds, and their upstream. */
class Callers {
  private constructor(
    private readonly row: Row,
    private readonly upstreamUrl: string,
    private readonly known: { id: string; key: string },
  ) {}

  static async of(row: Row): Promise<Callers> {
    const upstream = await row.upstream(startHttpUpstream((_request, response) => void response.end('ok')));
    const known = await row.tenant(upstream.url);
    const callers = new Callers(row, upstream.url, known);
    await callers.ask(known.key, 'known ');
    return callers;
  }

  get tenant(): string {
    return this.known.id;
  }

  get key(): string {
    return this.known.key;
  }

  /** Those who were served before go on asking. */
  load(): Load {
    const { key } = this.known;
    return startLoad(CLIENTS, PAUSE_MS, (agent) => this.row.ask({ key, agent, expects: 'ok' }, 'known '));
  }

  /** A valid key that this gateway has never seen. */
  stranger(): Promise<string> {
    return this.row.key(this.known.id);
  }

  async ask(key: string, who: string): Promise<string> {
    return (await this.row.ask({ key, expects: 'ok' }, who)).outcome;
  }

  /** A caller with a small limit, known to the gateway. */
  async limited(): Promise<string> {
    const rateLimit = { windowSeconds: 86_400, maxRequests: SMALL_LIMIT };
    const { key } = await this.row.tenant(this.upstreamUrl, { rateLimit });
    await this.ask(key, 'limited ');
    return key;
  }

  /** Asks for more than the limit, all at once. */
  async press(key: string): Promise<void> {
    const outcomes = await Promise.all(Array.from({ length: MANY }, () => this.ask(key, 'limited ')));
    const passed = outcomes.filter((outcome) => outcome === '200').length;
    if (passed > SMALL_LIMIT) this.row.problems.add(`${passed} requests passed a limit of ${SMALL_LIMIT}`);
  }

  /** Asks until it is served, which says that everything is as before. */
  recovered(key: string): Promise<unknown> {
    const isServed = async (): Promise<boolean> => (await this.ask(key, 'unknown ')) === '200';
    return waitFor('unknown callers to be served again', isServed, RECOVERY_MS, 100);
  }
}

/** A row in which Redis is away for a while. */
function away(
  fault: Pick<Fault, 'name' | 'title'> & { stage: StageKind; half?: [repetitions: number, short: number] },
  trouble: Trouble,
): Fault {
  const { half = [3, 0] } = fault;
  const gets = ['known 200', 'unknown 503', 'unknown 200', 'limited 200', 'limited 429'];
  const open = async (row: Row): Promise<Scene> => {
    const callers = await Callers.of(row);
    return {
      async repeat() {
        const [stranger, limited] = [await callers.stranger(), await callers.limited()];
        const load = callers.load();
        try {
          await delay(200);
          await trouble.strike(row, stranger);
          const lasting = delay(OUTAGE_MS);
          await waitFor(
            'unknown callers to be put off',
            async () => (await callers.ask(stranger, 'unknown ')) === '503',
          );
          await callers.press(limited);
          await lasting;
          await trouble.mend(row);
          await callers.recovered(stranger);
          await delay(200);
        } finally {
          await load.stop();
        }
      },
      close: async () => void (await trouble.mend(row)),
    };
  };
  const { name, title, stage } = fault;
  return { name, title, stage, gets, repetitions: half[0], short: half[1], open };
}

const wired = ({ stage }: Row): WiredRedis => stage.topology as WiredRedis;

const slow: Fault = {
  name: 'redis-slow',
  title: 'Redis answers 200 ms late',
  stage: 'redis',
  gets: ['known 200', 'unknown 200', 'limited 200', 'limited 429'],
  repetitions: 3,
  short: 0,
  async open(row) {
    const callers = await Callers.of(row);
    return {
      async repeat() {
        const [stranger, limited] = [await callers.stranger(), await callers.limited()];
        const load = callers.load();
        await delay(100);
        // Each way.
        wired(row).wire.delay(100);
        await callers.ask(stranger, 'unknown ');
        await callers.press(limited);
        await delay(OUTAGE_MS);
        wired(row).wire.mend();
        await load.stop();
      },
      close: () => Promise.resolve(wired(row).wire.mend()),
    };
  },
};

/** With its data Redis has lost who the callers are: they are unknown, and nobody is let in for that. */
const flushed: Fault = {
  name: 'redis-flushed',
  title: 'Redis is flushed, and its tenants are written again; what was billed comes back from the journal',
  stage: 'redis',
  gets: ['known 200', 'known 401'],
  repetitions: 3,
  short: 0,
  async open(row) {
    const callers = await Callers.of(row);
    return {
      async repeat() {
        const { topology } = row.stage;
        const load = callers.load();
        await delay(200);
        const document = await topology.cli('GET', `tenant:${callers.tenant}`);
        await topology.cli('FLUSHALL');
        const isRefused = async (): Promise<boolean> => (await callers.ask(callers.key, 'known ')) === '401';
        await waitFor('the loss to be noticed', isRefused);
        await topology.cli('SET', `tenant:${callers.tenant}`, document);
        await row.key(callers.tenant, callers.key);
        const isServed = async (): Promise<boolean> => (await callers.ask(callers.key, 'known ')) === '200';
        await waitFor('the tenant to be served again', isServed, RECOVERY_MS);
        await load.stop();
      },
      close: () => Promise.resolve(),
    };
  },
};

const failover: Fault = away(
  {
    name: 'redis-failover',
    title: 'Redis master killed, Sentinel promotes the replica',
    stage: 'sentinel',
    half: [1, 0],
  },
  {
    strike: async (row) => (await masterOf(row)).kill(),
    async mend(row) {
      const { sentinel } = row.stage.topology as Watched;
      const dead = [sentinel.master, sentinel.replica].find((redis) => redis.hasEnded());
      if (!dead) return;
      for (const one of sentinel.sentinels) await failedOver(one, sentinel.name, dead.port);
      await dead.restart();
      const isReplica = async (): Promise<boolean> =>
        (await dead.cli('INFO', 'replication')).includes('master_link_status:up');
      await waitFor('the old master to follow the new one', isReplica, RECOVERY_MS, 100);
    },
  },
);

/** Until then a master that comes back is taken for one that was never away, and its replica follows it again. */
function failedOver(one: TestRedis, name: string, deadPort: number): Promise<unknown> {
  const isOver = async (): Promise<boolean> => {
    const master = await one.cli('SENTINEL', 'master', name);
    return !master.includes('failover_in_progress') && !master.includes(`\nport\n${deadPort}\n`);
  };
  return waitFor('the failover', isOver, RECOVERY_MS, 100);
}

async function masterOf(row: Row): Promise<Watched['sentinel']['master']> {
  const { sentinel } = row.stage.topology as Watched;
  const port = await sentinel.masterPort();
  return port === sentinel.master.port ? sentinel.master : sentinel.replica;
}

const nodeLost: Fault = away(
  {
    name: 'redis-node-lost',
    title: 'the node of a Redis Cluster (no replicas) that knows the unknown caller killed and restarted',
    stage: 'cluster',
    half: [2, 0],
  },
  {
    async strike(row, stranger) {
      const { nodes } = clusterOf(row);
      const slot = Number(await row.stage.topology.cli('CLUSTER', 'KEYSLOT', Row.mappingOf(stranger)));
      // startCluster gives out the slots evenly and in order.
      await nodes[Math.floor((slot * nodes.length) / SLOTS)]?.kill();
    },
    async mend(row) {
      const { nodes } = clusterOf(row);
      for (const node of nodes) if (node.hasEnded()) await node.restart();
      for (const node of nodes) {
        const isWhole = async (): Promise<boolean> =>
          (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok');
        await waitFor('the cluster to be whole again', isWhole, RECOVERY_MS, 100);
      }
    },
  },
);

const clusterOf = ({ stage }: Row): Clustered['cluster'] => (stage.topology as Clustered).cluster;

/** What may happen to Redis. */
export const REDIS_FAULTS: readonly Fault[] = [
  away(
    { name: 'redis-killed', title: 'Redis killed and restarted', stage: 'redis' },
    {
      strike: (row) => wired(row).redis.kill(),
      mend: (row) => (wired(row).redis.hasEnded() ? wired(row).redis.restart() : undefined),
    },
  ),
  away(
    { name: 'redis-hung', title: 'Redis hangs (SIGSTOP) and goes on', stage: 'redis' },
    { strike: (row) => wired(row).redis.pause(), mend: (row) => wired(row).redis.resume() },
  ),
  slow,
  away(
    {
      name: 'redis-partitioned',
      title: 'way to Redis drops everything, connections stay open',
      stage: 'redis',
    },
    { strike: (row) => wired(row).wire.swallow(), mend: (row) => wired(row).wire.mend() },
  ),
  away(
    { name: 'redis-severed', title: 'way to Redis cut: connections reset, new ones refused', stage: 'redis' },
    { strike: (row) => wired(row).wire.cut(), mend: (row) => wired(row).wire.mend() },
  ),
  flushed,
  failover,
  nodeLost,
];
