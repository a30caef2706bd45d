import type { Bucket, Limit, LimitVerdict, Store } from '#libs/store';
import { waitFor } from './children';
import { randomNumbers } from './tricky-paths';

/** A claim of a single limit. */
export async function takeOne({ limits }: Pick<Store, 'limits'>, limit: Limit): Promise<LimitVerdict> {
  return only((await limits.take([limit])).verdicts);
}

export async function peekOne({ limits }: Pick<Store, 'limits'>, limit: Limit): Promise<LimitVerdict> {
  return only((await limits.peek([limit])).verdicts);
}

function only(verdicts: readonly LimitVerdict[]): LimitVerdict {
  if (verdicts.length !== 1 || !verdicts[0]) throw new Error(`${verdicts.length} verdicts instead of one`);
  return verdicts[0];
}

/**
 * Has a connection to every node of a cluster: they are made when they are needed first, and until then a node answers
 * one of many requests that come at once.
 */
export async function reachEverywhere(store: Pick<Store, 'limits'>): Promise<void> {
  const everywhere = Array.from({ length: 50 }, (_, i) => ({
    key: `rl:{${i}}:60`,
    capacity: 1,
    windowMs: 60_000,
  }));
  await waitFor('every node', async () => {
    const calls = everywhere.map(async (bucket) => peekOne(store, bucket));
    return (await Promise.allSettled(calls)).every(({ status }) => status === 'fulfilled');
  }, 15_000); // prettier-ignore
}

/** When somebody asked and when the request was admitted, milliseconds; the same where it was decided at once. */
export interface Admission {
  readonly from: number;
  readonly to: number;
}

/**
 * By how many tokens the worst of all windows is above what a bucket may admit in it: its capacity and what refills
 * meanwhile. A window goes from one request to the admission of another, and the clock of the store may have ticked once
 * more in it than ours.
 */
export function mostBeyond({ capacity, windowMs }: Bucket, admissions: readonly Admission[]): number {
  const byEnd = [...admissions].sort((one, other) => one.to - other.to);
  let worst = -Infinity;
  for (const { from } of admissions) {
    let count = 0;
    for (const { from: askedAt, to } of byEnd) {
      if (askedAt < from) continue;
      count += 1;
      worst = Math.max(worst, count - capacity - ((to - from + 1) * capacity) / windowMs);
    }
  }
  return worst;
}

/** Whole numbers below a bound, the same ones at every run. */
export function lot(seed: number): (below: number) => number {
  const random = randomNumbers(seed);
  return (below) => Math.floor(random() * below);
}
