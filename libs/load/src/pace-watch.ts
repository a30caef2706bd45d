/** Something that must get on. */
export interface Paced {
  /** How far it is: bytes, or whatever is counted. Never less than before. */
  readonly progress: number;
  /** It has been held up by others than the client, and is not timed. */
  readonly resting: boolean;
  /** It was too slow; called once, and it is not watched any more. */
  tooSlow(): void;
}

interface Window {
  since: number;
  progress: number;
}

/** How exactly the time is kept, as a part of the grace. */
const LOOKS_PER_GRACE = 4;
const LONGEST_LOOK_MS = 1000;

/**
 * Sees that what it watches gets on: so much per second at least, looked at over whole windows of the grace. One timer for
 * all, which runs only while there is something to watch.
 */
export class PaceWatch {
  private readonly windows = new Map<Paced, Window>();
  private timer: NodeJS.Timeout | undefined;

  /** @param perSecond 0 watches nothing. @param graceMs the length of a window. */
  constructor(
    private readonly perSecond: number,
    private readonly graceMs: number,
  ) {}

  /** Nothing happens where it is watched already. */
  watch(paced: Paced): void {
    if (this.perSecond === 0 || this.windows.has(paced)) return;
    this.windows.set(paced, { since: performance.now(), progress: paced.progress });
    const everyMs = Math.min(LONGEST_LOOK_MS, Math.ceil(this.graceMs / LOOKS_PER_GRACE));
    this.timer ??= setInterval(() => this.look(performance.now()), everyMs).unref();
  }

  /** Nothing happens where it is not watched. */
  unwatch(paced: Paced): void {
    if (!this.windows.delete(paced) || this.windows.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** What is watched at the moment. */
  get size(): number {
    return this.windows.size;
  }

  close(): void {
    for (const paced of [...this.windows.keys()]) this.unwatch(paced);
  }

  private look(now: number): void {
    const least = (this.perSecond * this.graceMs) / 1000;
    for (const [paced, window] of this.windows) {
      if (!paced.resting && now - window.since < this.graceMs) continue;
      if (paced.resting || paced.progress - window.progress >= least) {
        window.since = now;
        window.progress = paced.progress;
      } else {
        this.unwatch(paced);
        paced.tooSlow();
      }
    }
  }
}
