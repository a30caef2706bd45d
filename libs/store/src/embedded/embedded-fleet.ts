import { mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { processName } from '../process-name';
import { StoreUnavailableError, type Acknowledgement, type Fleet } from '../store';

/** Who has not followed for so long has ended; a living process does ten times a second. */
const SILENCE_MS = 10_000;
const LOOK_INTERVAL_MS = 10;

/**
 * The data plane processes on one data folder, such as a data plane and a control plane that are started apart. Each
 * has an empty file, whose time says up to when that process has followed the changes. In the database it would itself
 * be a change, which every process would have to follow.
 */
export class EmbeddedFleet implements Fleet {
  readonly id = processName();
  /** Limits are counted in each process by itself: nobody's share gets smaller by others. */
  readonly size = 1;
  private joined = false;

  /**
   * @param folder made by the first process that joins.
   * @param until up to when this process has followed, milliseconds since the epoch.
   */
  constructor(
    private readonly folder: string,
    private until: number,
  ) {}

  join(): Promise<void> {
    this.joined = true;
    this.note(this.until);
    return Promise.resolve();
  }

  members(): Promise<string[]> {
    return new Promise((resolve) => {
      const listed = this.list();
      resolve([...listed.keys()].filter((id) => isLive(listed.get(id))));
    });
  }

  leave(): void {
    this.joined = false;
    rmSync(this.fileOf(this.id), { force: true });
  }

  /** This process has followed everything up to then. */
  note(until: number): void {
    this.until = until;
    if (!this.joined) return;
    const [path, time] = [this.fileOf(this.id), new Date(until)];
    try {
      utimesSync(path, time, time);
    } catch {
      this.make(path, time);
    }
  }

  /** See ChangeFeed.acknowledged; this process has followed. */
  async acknowledged(timeoutMs: number): Promise<Acknowledgement> {
    const since = Date.now();
    const deadline = performance.now() + timeoutMs;
    let awaited: readonly string[] | undefined;
    for (;;) {
      const listed = this.list();
      awaited ??= [...listed.keys()].filter((id) => isLive(listed.get(id)));
      // Within the same millisecond it may have been before.
      const hasFollowed = (id: string): boolean => id === this.id || (listed.get(id) ?? 0) > since;
      const confirmed = awaited.filter(hasFollowed);
      const missing = awaited.filter((id) => !hasFollowed(id) && isLive(listed.get(id)));
      const leftMs = deadline - performance.now();
      if (missing.length === 0 || leftMs <= 0) return { confirmed, missing };
      await pause(Math.min(LOOK_INTERVAL_MS, leftMs));
    }
  }

  /** A disk that refuses this refuses more important things, which are reported; it is tried again in 100 ms. */
  private make(path: string, time: Date): void {
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      for (const [id, until] of this.list()) if (!isLive(until)) rmSync(this.fileOf(id), { force: true });
      writeFileSync(path, '', { mode: 0o600 });
      utimesSync(path, time, time);
    } catch {
      // See above.
    }
  }

  /** Everybody who has a file, and up to when they have followed. */
  private list(): Map<string, number> {
    try {
      const names = readdirSync(this.folder);
      const times = names.map(
        (name) => statSync(join(this.folder, name), { throwIfNoEntry: false })?.mtimeMs,
      );
      return new Map(names.map((name, i) => [decodeURIComponent(name), Math.round(times[i] ?? 0)]));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      throw new StoreUnavailableError(error);
    }
  }

  /** Colons are nothing for the file names of some systems. */
  private fileOf(id: string): string {
    return join(this.folder, encodeURIComponent(id));
  }
}

function isLive(until = 0): boolean {
  return Date.now() - until < SILENCE_MS;
}
