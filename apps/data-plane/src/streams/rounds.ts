/** How long the process may be busy with this before others get their turn, milliseconds. */
const SLICE_MS = 5;
/** Answers that are waited for at a time. */
const MAX_WAITING = 256;
/** How long a full house holds up those who have not been asked; one that is never answered must not hold up the rest. */
const PATIENCE_MS = 25;

/** Judges many things without keeping the process from anything else: a slice at a time, in the order they were named. */
export class Rounds<T> {
  private readonly due = new Set<T>();
  private working: Promise<void> | undefined;
  private seats = new Seats();

  /** @param judge never throws and never rejects; a promise where the answer takes longer. */
  constructor(private readonly judge: (one: T) => void | Promise<void>) {}

  /** Resolves when these, and whatever was added meanwhile, have been asked about. */
  add(some: Iterable<T>): Promise<void> {
    for (const one of some) this.due.add(one);
    return (this.working ??= this.work());
  }

  private async work(): Promise<void> {
    // Whoever else listens to what has happened, such as a cache, has heard of it by then.
    await nextTurn();
    let since = performance.now();
    // The loop goes on to what is added to the set while it runs, again if it was there before.
    for (const one of this.due) {
      this.due.delete(one);
      const answer = this.judge(one);
      if (answer) await this.seat(answer);
      if (performance.now() - since < SLICE_MS) continue;
      await nextTurn();
      since = performance.now();
    }
    // In the same breath: what is added from now on begins the next round.
    this.working = undefined;
  }

  private async seat(answer: Promise<void>): Promise<void> {
    const { seats } = this;
    seats.taken += 1;
    void answer.then(() => seats.leave());
    if (seats.taken < MAX_WAITING) return;
    if (!(await seats.free(PATIENCE_MS))) this.seats = new Seats();
  }
}

class Seats {
  taken = 0;
  private freed: ((free: boolean) => void) | undefined;

  leave(): void {
    this.taken -= 1;
    this.freed?.(true);
  }

  /** Whether one has become free in time. */
  free(patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const patience = setTimeout(() => resolve(false), patienceMs);
      this.freed = (free) => {
        clearTimeout(patience);
        resolve(free);
      };
    });
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
