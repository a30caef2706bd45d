import type { BreakerStep, BreakerView, Store } from '#libs/store';

/**
 * What breakers have of the store. While that is away each process decides for itself, from what it knew last, and lets
 * its share of the probes through.
 */
export class SharedBreakers {
  private epoch: number;

  constructor(private readonly store: Pick<Store, 'breakers' | 'changes' | 'fleet' | 'state'>) {
    this.epoch = store.changes.epoch;
  }

  /** Whether the store can be asked. */
  get reachable(): boolean {
    return this.store.state === 'ready';
  }

  /**
   * Takes a step in the store, or undefined while it is away or the record cannot be used: then the step has to be
   * taken alone. Never rejects.
   */
  async step(key: string, step: BreakerStep): Promise<BreakerView | undefined> {
    if (!this.reachable) return undefined;
    try {
      return await this.store.breakers.step(key, step);
    } catch {
      // The store has gone, which it reports itself, or something else lies under the key: no reason to fail a request.
      return undefined;
    }
  }

  /** Hears the keys of whatever has changed in the store, breakers among it. */
  subscribe(listener: (key: string) => void): void {
    this.store.changes.subscribe((key) => {
      if (key !== undefined) listener(key);
    });
  }

  /**
   * Whether changes may have been missed since the last call: an interrupted feed, or one that nobody vouches for now.
   * The feed says so at the latest 3 s after it has fallen silent.
   */
  missedChanges(): boolean {
    const { epoch, trustMs } = this.store.changes;
    const missed = epoch !== this.epoch || trustMs === 0;
    this.epoch = epoch;
    return missed;
  }

  /** Of the probes each replica lets through its part, and one at least: a fleet must not wait for ever. */
  shareOf(step: BreakerStep): BreakerStep {
    if (step.do !== 'permit' && step.do !== 'settle') return step;
    const probes = Math.max(1, Math.floor(step.terms.probes / this.store.fleet.size));
    return { ...step, terms: { ...step.terms, probes } };
  }
}
