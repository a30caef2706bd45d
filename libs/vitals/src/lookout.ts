import { randomUUID } from 'node:crypto';
import type { Store } from '#libs/store';
import { EVERY_MS, VITALS_BOARD, WATCHERS_BOARD, WATCHERS_MS } from './boards';
import { historyOf, overviewOf, type HistoryPoint, type Overview } from './overview';
import { parseNote, type VitalsNote, type WatchNote } from './vitals-note';

/** What has been seen at one moment; undefined: the store is away. */
export type Sight = {
  readonly notes: readonly VitalsNote[];
  readonly members: readonly string[];
  readonly latencyMs: number;
};

/** Somebody who looks, until `end`. */
export interface Watching {
  end(): void;
}

interface Watcher {
  readonly scope: string;
  readonly tell: (sight: Sight | undefined) => void;
}

/** How long somebody who wants to know once waits for those whom nobody has asked before. */
const PATIENCE_MS = 2500;
const LOOK_AGAIN_MS = 100;

/** Reads what processes say of themselves, once a second for all who look. Nobody who looks: nothing is read or said. */
export class Lookout {
  private readonly name = randomUUID();
  private readonly watchers = new Set<Watcher>();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(private readonly store: Pick<Store, 'notes' | 'fleet'>) {}

  /** @param tell about each second; never before it has returned. */
  watch(scope: string, tell: (sight: Sight | undefined) => void): Watching {
    const watcher = { scope, tell };
    this.watchers.add(watcher);
    this.timer ??= setInterval(() => void this.look(), EVERY_MS).unref();
    void this.look();
    return { end: () => this.leave(watcher) };
  }

  /**
   * What there is to see now, once everybody has been told that somebody looks.
   * @throws StoreUnavailableError
   */
  async once(scope: string): Promise<Sight> {
    const watching = this.watch(scope, () => undefined);
    const deadline = performance.now() + PATIENCE_MS;
    try {
      await this.announce();
      for (;;) {
        const sight = await this.see();
        const reported = sight.notes
          .filter(({ counted }) => counted[scope] !== undefined)
          .map(({ id }) => id);
        const all = sight.members.every((id) => reported.includes(id));
        if (all || performance.now() > deadline) return sight;
        await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
      }
    } finally {
      watching.end();
    }
  }

  close(): void {
    this.watchers.clear();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** What a sight comes to. */
  overview({ notes, members }: Sight, scope: string, now = Date.now()): Overview {
    return overviewOf(notes, scope, members, now);
  }

  history({ notes }: Sight, scope: string, now = Date.now()): HistoryPoint[] {
    return historyOf(notes, scope, now);
  }

  private leave(watcher: Watcher): void {
    this.watchers.delete(watcher);
    if (this.watchers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One look at a time, for everybody. */
  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      await this.announce();
      const sight = await this.see();
      for (const { tell } of this.watchers) tell(sight);
    } catch {
      // Also what a process of another version says and nobody here understands: to look must not end a process.
      for (const { tell } of this.watchers) tell(undefined);
    } finally {
      this.looking = false;
    }
  }

  private announce(): Promise<void> {
    const note: WatchNote = { scopes: [...new Set([...this.watchers].map(({ scope }) => scope))] };
    return this.store.notes.put(WATCHERS_BOARD, this.name, JSON.stringify(note), WATCHERS_MS);
  }

  private async see(): Promise<Sight> {
    const askedAt = performance.now();
    const [texts, members] = await Promise.all([
      this.store.notes.all(VITALS_BOARD),
      this.store.fleet.members(),
    ]);
    const latencyMs = Math.round((performance.now() - askedAt) * 100) / 100;
    const notes = [...texts.values()].flatMap((text) => parseNote(text) ?? []);
    return { notes, members, latencyMs };
  }
}
