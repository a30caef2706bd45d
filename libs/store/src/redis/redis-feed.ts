import { Cluster } from 'ioredis';
import type { RedisConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { Acknowledgement, ChangeFeed } from '../store';
import { connectLink } from './connect';
import { InvalidationLink } from './invalidation-link';
import type { RedisFences } from './redis-fences';
import type { RedisClient } from './scripts';

/** A feed whose last proof is older than this is not believed any more. */
const MAX_PROOF_AGE_MS = 3000;
/** How long entries are trusted where Redis cannot report what other programs write. */
const UNTRACKED_TRUST_MS = 5000;
const TOPOLOGY_CHECK_MS = 1000;

/** The change feed over one link, or in a cluster over one link per master. */
export class RedisFeed implements ChangeFeed {
  epoch = 0;
  /** Nothing was cached before. */
  private readonly startedAt = Date.now();
  private readonly listeners: Array<(key: string | undefined) => void> = [];
  private readonly links = new Map<string, InvalidationLink>();
  private readonly topologyCheck?: NodeJS.Timeout;

  constructor(
    private readonly config: RedisConfig,
    client: RedisClient,
    private readonly fences: RedisFences,
    private readonly logger: Logger,
  ) {
    if (client instanceof Cluster) {
      this.topologyCheck = setInterval(() => this.followMasters(client), TOPOLOGY_CHECK_MS).unref();
      // A node that was away is followed again before anything that was read from it can be trusted.
      for (const event of ['ready', '+node', '-node']) client.on(event, () => this.followMasters(client));
    } else {
      this.links.set('', this.link(this.startedAt));
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
    let oldest = this.links.size === 0 ? this.startedAt : Infinity;
    for (const link of this.links.values()) oldest = Math.min(oldest, link.provenAt);
    return Date.now() - oldest;
  }

  subscribe(listener: (key: string | undefined) => void): void {
    this.listeners.push(listener);
  }

  acknowledged(timeoutMs: number, changed: readonly string[] = []): Promise<Acknowledgement> {
    return this.fences.raise(timeoutMs, changed);
  }

  /** Dials anew: what is at the other end is not the master any more. */
  reconnect(): void {
    for (const link of this.links.values()) link.reconnect();
  }

  close(): void {
    clearInterval(this.topologyCheck);
    for (const link of this.links.values()) link.close();
    this.links.clear();
  }

  private link(provenAt: number, node?: { host: string; port: number }): InvalidationLink {
    const events = {
      changed: (key: string | undefined) => this.changed(key),
      interrupted: () => void (this.epoch += 1),
      fenced: (fence: string) => void this.fences.pass(fence, (changed) => this.catchUp(changed)),
    };
    return new InvalidationLink(connectLink(this.config, node), provenAt, events, this.logger);
  }

  private changed(key: string | undefined): void {
    if (key === undefined) this.epoch += 1;
    for (const listener of this.listeners) listener(key);
  }

  /**
   * Resolves when whatever had changed before the call has been reported. A fence comes by any node, and the change
   * that it was raised for by another: every node is asked.
   */
  private async catchUp(changed: readonly string[]): Promise<void> {
    for (const key of changed) this.changed(key);
    const links = [...this.links.values()];
    await Promise.all(links.map((link) => link.catchUp()));
    // Without tracking nobody reports what other programs have changed.
    if (!links.every((link) => link.tracking)) this.changed(undefined);
  }

  /** Keeps one link per master; a link more or less means that changes may have been missed. */
  private followMasters(cluster: Cluster): void {
    const masters = new Map(
      cluster.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]),
    );
    // A new master's writes are known no further than its predecessor's were.
    const provenAt = Date.now() - this.ageMs;
    for (const [name, link] of this.links) {
      if (masters.has(name)) continue;
      link.close();
      this.links.delete(name);
      this.epoch += 1;
    }
    for (const [name, { options }] of masters) {
      if (this.links.has(name)) continue;
      const address = { host: options.host ?? '127.0.0.1', port: options.port ?? 6379 };
      this.links.set(name, this.link(provenAt, address));
      this.epoch += 1;
    }
  }
}
