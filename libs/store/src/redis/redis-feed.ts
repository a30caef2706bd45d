import { Cluster } from 'ioredis';
import type { RedisConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { ChangeFeed } from '../store';
import { connectLink } from './connect';
import { InvalidationLink } from './invalidation-link';
import type { RedisClient } from './scripts';

/** A feed whose last proof is older than this is not believed any more. */
const MAX_PROOF_AGE_MS = 3000;
/** How long entries are trusted where Redis cannot report what other programs write. */
const UNTRACKED_TRUST_MS = 5000;
const TOPOLOGY_CHECK_MS = 1000;

/** The change feed over one link, or in a cluster over one link per master. */
export class RedisFeed implements ChangeFeed {
  epoch = 0;
  private readonly listeners: Array<(key: string | undefined) => void> = [];
  private readonly links = new Map<string, InvalidationLink>();
  private readonly topologyCheck?: NodeJS.Timeout;

  constructor(
    private readonly config: RedisConfig,
    client: RedisClient,
    private readonly logger: Logger,
  ) {
    if (client instanceof Cluster) {
      this.topologyCheck = setInterval(() => this.followMasters(client), TOPOLOGY_CHECK_MS).unref();
      client.on('ready', () => this.followMasters(client));
    } else {
      this.links.set('', this.link());
    }
  }

  get trustMs(): number {
    let tracking = true;
    for (const link of this.links.values()) {
      if (!link.live) return 0;
      tracking &&= link.tracking;
    }
    if (this.links.size === 0 || this.ageMs > MAX_PROOF_AGE_MS) return 0;
    return tracking ? Infinity : UNTRACKED_TRUST_MS;
  }

  get ageMs(): number {
    let oldest = Date.now();
    for (const link of this.links.values()) oldest = Math.min(oldest, link.provenAt);
    return Date.now() - oldest;
  }

  subscribe(listener: (key: string | undefined) => void): void {
    this.listeners.push(listener);
  }

  close(): void {
    clearInterval(this.topologyCheck);
    for (const link of this.links.values()) link.close();
    this.links.clear();
  }

  private link(node?: { host: string; port: number }): InvalidationLink {
    const events = {
      changed: (key: string | undefined) => this.changed(key),
      interrupted: () => void (this.epoch += 1),
    };
    return new InvalidationLink(connectLink(this.config, node), events, this.logger);
  }

  private changed(key: string | undefined): void {
    if (key === undefined) this.epoch += 1;
    for (const listener of this.listeners) listener(key);
  }

  /** Keeps one link per master; a link more or less means that changes may have been missed. */
  private followMasters(cluster: Cluster): void {
    const masters = new Map(
      cluster.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]),
    );
    for (const [name, link] of this.links) {
      if (masters.has(name)) continue;
      link.close();
      this.links.delete(name);
      this.epoch += 1;
    }
    for (const [name, { options }] of masters) {
      if (this.links.has(name)) continue;
      this.links.set(name, this.link({ host: options.host ?? '127.0.0.1', port: options.port ?? 6379 }));
      this.epoch += 1;
    }
  }
}
