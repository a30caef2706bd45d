import { keys, type Store } from '#libs/store';
import { EVERY_MS, VITALS_BOARD, VITALS_MS, WATCHERS_BOARD } from './boards';
import { noteText, type ProcessNote, type TargetNote, type WatchNote } from './vitals-note';
import type { Vitals } from './vitals';

/** What a process knows of itself beside what the store and the system tell. */
export interface ProcessFacts extends Pick<
  ProcessNote,
  'version' | 'startedAt' | 'state' | 'eventLoopDelayMs' | 'inflight' | 'openStreams' | 'usageBacklog'
> {
  /** In the order in which they are to be told, if there are too many. */
  readonly targets: readonly TargetNote[];
}

/** What of a store it works with. */
type Reported = Pick<Store, 'notes' | 'documents' | 'changes' | 'fleet'>;

/**
 * Leaves a note each second of what this process does, while somebody looks. While nobody does it costs one short question
 * to the store each second, whatever goes on.
 */
export class VitalsReporter {
  private timer: NodeJS.Timeout | undefined;
  private busy = false;
  private changes = 0;
  private changedAt: number | null = null;
  private latencyMs: number | null = null;
  private cpu = process.cpuUsage();
  private cpuAt = performance.now();
  /** The revision that the store had, and when. */
  private head: { revision: string | null; at: number } | undefined;
  private revision: string | null = null;

  constructor(
    private readonly store: Reported,
    private readonly vitals: Vitals,
    private readonly facts: () => ProcessFacts,
  ) {
    store.changes.subscribe((key) => {
      if (key !== undefined && !key.startsWith(keys.CONFIG_PREFIX)) return;
      this.changes += 1;
      this.changedAt = Date.now();
    });
  }

  start(): void {
    this.timer = setInterval(() => {
      this.vitals.tick();
      void this.report();
    }, EVERY_MS).unref();
  }

  /** A process that ends says nothing more: it is silent at once, and soon nobody speaks of it. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.store.notes.delete(VITALS_BOARD, this.store.fleet.id).catch(() => undefined);
  }

  /** One at a time: a store that is slow is not asked more often for that. */
  private async report(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      const watchers = await this.store.notes.all(WATCHERS_BOARD);
      if (watchers.size === 0 || !this.timer) return;
      this.vitals.want(scopesOf(watchers.values()));
      await this.followRevision();
      const { notes, fleet } = this.store;
      const text = noteText({ id: fleet.id, at: Date.now(), ...this.vitals.read(), ...this.describe() });
      const askedAt = performance.now();
      await notes.put(VITALS_BOARD, fleet.id, text, VITALS_MS);
      this.latencyMs = Math.round((performance.now() - askedAt) * 100) / 100;
    } catch {
      // The store is away, which it says itself; there is nobody to report to.
      this.latencyMs = null;
    } finally {
      this.busy = false;
    }
  }

  private describe(): ProcessNote & { targets: readonly TargetNote[] } {
    const { ageMs, trustMs } = this.store.changes;
    const { rss, heapUsed } = process.memoryUsage();
    const { changes, changedAt, revision, latencyMs } = this;
    return {
      ...this.facts(),
      cpu: this.cores(),
      rssBytes: rss,
      heapBytes: heapUsed,
      config: { ageMs: Math.round(ageMs), trusted: trustMs > 0, changes, changedAt, revision },
      storeLatencyMs: latencyMs,
    };
  }

  /** Of the time since it was last asked. */
  private cores(): number {
    const now = performance.now();
    const { user, system } = process.cpuUsage(this.cpu);
    const cores = (user + system) / 1000 / Math.max(1, now - this.cpuAt);
    this.cpu = process.cpuUsage();
    this.cpuAt = now;
    return Math.round(cores * 1000) / 1000;
  }

  /** What the store had a while ago has been followed once the feed is known to be complete up to then. */
  private async followRevision(): Promise<void> {
    const { head } = this;
    if (head && Date.now() - this.store.changes.ageMs >= head.at) this.revision = head.revision;
    const at = Date.now();
    this.head = { revision: (await this.store.documents.get(keys.REVISION_HEAD)) ?? null, at };
  }
}

function scopesOf(texts: Iterable<string>): Set<string> {
  const scopes = new Set<string>();
  for (const text of texts) for (const scope of (JSON.parse(text) as WatchNote).scopes) scopes.add(scope);
  return scopes;
}
