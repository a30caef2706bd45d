import type { Bucket, Charge, LeaseRequest, Limits, Store, StoreState } from '#libs/store';
import { EmbeddedLimits } from '../../libs/store/src/embedded/embedded-limits';

/**
 * A store that comes and goes as it is told, with limits in memory that answer later, as Redis does, and on the clock
 * that jest turns.
 */
export class LimitStore {
  state: StoreState = 'ready';
  readonly fleet = { size: 1 };
  /** What is thrown instead of an answer. */
  failure: Error | undefined;
  /** Settles before an answer comes. */
  delay: Promise<void> = Promise.resolve();
  memory = new EmbeddedLimits(Date.now);
  takes = 0;
  readonly charged: (readonly Charge[])[] = [];
  readonly leased: (readonly LeaseRequest[])[] = [];

  limits: Limits = {
    take: (claim) => {
      this.takes += 1;
      return this.answer(() => this.memory.take(claim));
    },
    peek: (claim) => this.answer(() => this.memory.peek(claim)),
    charge: async (charges) => {
      this.charged.push(charges);
      if (this.failure) return charges;
      return this.answer(() => this.memory.charge(charges));
    },
    forget: (keys) => this.memory.forget(keys),
    lease: (requests) => {
      this.leased.push(requests);
      return this.answer(() => this.memory.lease(requests));
    },
  };

  asStore(): Store {
    return this as unknown as Store;
  }

  /** What somebody else would find. */
  left(bucket: Bucket): number {
    return this.memory.peek([bucket]).verdicts[0]?.remaining ?? NaN;
  }

  /** Decides as ever, but holds its answers back until they are let go. */
  holdAnswers(): () => Promise<void> {
    let release = (): void => undefined;
    this.delay = new Promise((resolve) => (release = resolve));
    return async () => {
      this.delay = Promise.resolve();
      release();
      await jest.advanceTimersByTimeAsync(0);
    };
  }

  /** The last tokens asked for ahead of their requests, of each bucket. */
  wanted(): number[] {
    return (this.leased.at(-1) ?? []).map(({ wanted }) => wanted);
  }

  private async answer<T>(decide: () => T): Promise<T> {
    if (this.failure) throw this.failure;
    const answer = decide();
    await this.delay;
    return answer;
  }
}
