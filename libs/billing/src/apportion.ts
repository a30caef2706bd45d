/**
 * Splits a total in proportion to weights: everybody gets the whole part of their quota, and what is left goes, one by
 * one, to the largest remainders, the first among equals. No share is a whole unit away from its quota.
 */
export function apportion(total: bigint, weights: readonly bigint[]): bigint[] {
  const all = sum(weights);
  if (all === 0n) {
    if (total !== 0n) throw new Error('there is a total, but nobody to bear it');
    return weights.map(() => 0n);
  }
  const shares = weights.map((weight) => (total * weight) / all);
  const left = Number(total - sum(shares));
  const byRemainder = weights
    .map((weight, index) => ({ index, remainder: (total * weight) % all }))
    // Sorting is stable.
    .sort((a, b) => (a.remainder === b.remainder ? 0 : a.remainder > b.remainder ? -1 : 1));
  for (const { index } of byRemainder.slice(0, left)) shares[index]! += 1n;
  return shares;
}

export function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
