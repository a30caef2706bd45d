import { Chain } from './chain';

function chain(...seqs: number[]): Chain {
  const made = new Chain('acme');
  made.append(seqs);
  return made;
}

/** What would be published, in order, by a ledger that takes everything. */
function drain(of: Chain): number[] {
  const order: number[] = [];
  for (let next = of.next(); next !== undefined; next = of.next()) {
    order.push(next);
    of.confirmed = next;
  }
  return order;
}

it('gives out what is not confirmed, in order', () => {
  const of = chain(3, 7, 8);
  expect(drain(of)).toEqual([3, 7, 8]);
  of.append([12, 13]);
  expect(drain(of)).toEqual([12, 13]);
});

it('goes on after what a ledger says that it has', () => {
  const of = chain(3, 7, 8);
  of.confirmed = 7;
  expect(drain(of)).toEqual([8]);
});

it('repeats everything that a ledger has lost and that is kept', () => {
  const of = chain(3, 7, 8, 12);
  of.confirmed = 12;
  of.forget(4);
  expect(of.lost(3)).toBe(false);
  expect(drain(of)).toEqual([7, 8, 12]);
  expect(of.lost(2)).toBe(true);
  expect(drain(of)).toEqual([7, 8, 12]);
});

it('knows, after all was forgotten, what the ledger must have', () => {
  const of = chain(3, 7);
  of.confirmed = 7;
  of.forget(8);
  expect([of.isEmpty, of.next()]).toEqual([true, undefined]);
  of.append([9]);
  expect([of.lost(7), of.lost(3)]).toEqual([false, true]);
});
