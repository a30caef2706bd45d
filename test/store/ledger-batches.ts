import type { LedgerBatch } from '#libs/store';
import type { OpenedStore } from './stores';

/** A batch that adds 1 to a table and to the cycle. */
export function batch(seq: number, after = 0, source = 'a'): LedgerBatch {
  return {
    source,
    seq,
    after,
    additions: [['usage', 'requests', 1]],
    cycleAdditions: [['money', 1]],
  };
}

/** How many batches have been added, as both tables say. */
export async function count(store: OpenedStore): Promise<number> {
  const [requests = -1n] = await store.ledgers.readFields('acme', 'usage', ['requests']);
  const [money = -2n] = await store.ledgers.readFields('acme', 'cycle:1', ['money']);
  expect(requests).toBe(money);
  return Number(requests);
}

/** Sends what comes after `after`, one batch after the other, and begins anew where the ledger knows less. */
export async function sendUpTo(store: OpenedStore, last: number, after: number): Promise<number[]> {
  const answers: number[] = [];
  for (let confirmed = after; confirmed < last;) {
    const answer = await store.ledgers.apply('acme', batch(confirmed + 1, confirmed));
    answers.push(answer);
    confirmed = answer;
  }
  return answers;
}
