import { scratchFolder } from '../support/children';
import { startProcess, type TestProcess } from '../support/process';
import { descriptorsOf, type Descriptors } from './descriptors';
import type { StageKind } from './fault';
import { INSPECTED } from './inspector';
import { clusteredRedis, watchedRedis, wiredRedis, type Topology } from './topologies';

/** As the script start:prod of the product, but for what the inspector needs. */
const GATEWAY = { NODE_ENV: 'production', ALLOW_PRIVATE_UPSTREAMS: 'true' };

/** What rows of one kind stand on: a Redis, and a gateway unless they start their own. */
export class Stage {
  private before: Descriptors | undefined;
  private dead = false;

  private constructor(
    readonly kind: StageKind,
    readonly topology: Topology,
    private readonly started: TestProcess | undefined,
  ) {
    void started?.exited.then(() => (this.dead = true));
  }

  static async open(kind: StageKind): Promise<Stage> {
    const topology = await openTopology(kind);
    try {
      const gateway = kind === 'own' ? undefined : await startGateway(topology, INSPECTED);
      const stage = new Stage(kind, topology, gateway);
      stage.before = gateway && descriptorsOf(gateway.pid);
      return stage;
    } catch (error) {
      await topology.stop();
      throw error;
    }
  }

  /** Throws where rows start their own. */
  get gateway(): TestProcess {
    if (!this.started) throw new Error('this stage has no gateway');
    return this.started;
  }

  get hasGateway(): boolean {
    return this.started !== undefined;
  }

  /** Whether the gateway still runs. */
  get alive(): boolean {
    return !this.dead;
  }

  /** What the gateway has open now; undefined where that cannot be told. */
  descriptors(): Descriptors | undefined {
    return this.started && !this.dead ? descriptorsOf(this.started.pid) : undefined;
  }

  /** How many more descriptors there are than at the start; undefined where that cannot be told. */
  moreDescriptors(): number | undefined {
    const now = this.descriptors();
    return now && this.before && now.count - this.before.count;
  }

  async close(): Promise<void> {
    if (this.started && !this.dead) await this.started.stop();
    await this.topology.stop();
  }
}

/** Starts a gateway of this Redis; its folder outlives it, if `env` names one. */
export function startGateway(topology: Topology, env: Record<string, string> = {}): Promise<TestProcess> {
  const own = { ...GATEWAY, ADMIN_TOKEN: 'nobody-administers-here', DATA_DIR: scratchFolder('faults') };
  return startProcess({ env: { ...own, ...topology.env, ...env }, timeoutMs: 20_000 });
}

function openTopology(kind: StageKind): Promise<Topology> {
  if (kind === 'sentinel') return watchedRedis();
  return kind === 'cluster' ? clusteredRedis() : wiredRedis();
}
