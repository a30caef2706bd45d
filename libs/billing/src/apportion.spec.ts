import { randomNumbers } from '../../../test/support/tricky-paths';
import { apportion } from './apportion';

const random = randomNumbers(5);
const below = (limit: number): number => Math.floor(random() * limit);
const sum = (amounts: readonly bigint[]): bigint => amounts.reduce((all, amount) => all + amount, 0n);

it.each<[title: string, total: bigint, weights: bigint[], shares: bigint[]]>([
  ['whole quotas', 100n, [1n, 3n], [25n, 75n]],
  ['the first among equals gets what is left', 100n, [1n, 1n, 1n], [34n, 33n, 33n]],
  ['the larger remainder gets it', 10n, [3n, 14n, 3n], [2n, 7n, 1n]],
  ['the larger remainder, not the larger weight', 10n, [61n, 27n, 12n], [6n, 3n, 1n]],
  ['no weight, no share', 7n, [0n, 2n, 0n, 2n], [0n, 4n, 0n, 3n]],
  ['less to share than there are', 2n, [5n, 5n, 5n, 6n], [1n, 0n, 0n, 1n]],
  ['nothing to share', 0n, [5n, 0n], [0n, 0n]],
  ['nobody, nothing', 0n, [], []],
  ['no weights, nothing', 0n, [0n, 0n], [0n, 0n]],
])('%s', (_, total, weights, shares) => expect(apportion(total, weights)).toEqual(shares));

it.each([[[]], [[0n, 0n]]])('does not lose a total: %p', (weights) => {
  expect(() => apportion(1n, weights)).toThrow('nobody to bear it');
});

it('adds up, stays within a unit of each quota and keeps the order, for random weights', () => {
  for (let round = 0; round < 500; round++) {
    const weights = Array.from({ length: 1 + below(20) }, () => BigInt(below(10 ** (1 + below(9)))));
    const all = sum(weights);
    if (all === 0n) continue;
    const total = BigInt(below(10 ** (1 + below(9)))) * BigInt(1 + below(1_000_000));
    const shares = apportion(total, weights);
    expect(sum(shares)).toBe(total);
    shares.forEach((share, i) => {
      const distance = share * all - total * weights[i]!;
      expect([distance > -all, distance < all]).toEqual([true, true]);
      expect(shares.every((other, j) => weights[j]! <= weights[i]! || other >= share)).toBe(true);
    });
  }
});
