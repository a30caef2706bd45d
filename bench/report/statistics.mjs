/**
 * The middle value, or the mean of the two middle ones: one disturbed round of three changes nothing.
 * @param {number[]} values
 */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  if (sorted.length === 0) return NaN;
  return Number.isInteger(middle)
    ? (at(sorted, middle - 1) + at(sorted, middle)) / 2
    : at(sorted, Math.floor(middle));
}

/**
 * The value that `share` of the sorted values do not exceed (nearest rank).
 * @param {ArrayLike<number>} sorted
 * @param {number} share  0 to 1
 */
export function percentile(sorted, share) {
  return at(sorted, Math.max(0, Math.ceil(sorted.length * share) - 1));
}

/**
 * @param {ArrayLike<number>} values
 * @param {number} index
 */
function at(values, index) {
  return values[index] ?? NaN;
}
