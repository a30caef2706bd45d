/** Numbers that look random and are the same in every run (mulberry32). @param {number} seed */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/**
 * Which key the next request has. Few keys make most of the requests: the n-th is asked for in proportion to 1/n (Zipf), which the
 * inverse of its distribution gives without a table, however many keys there are.
 * @param {number} keys
 * @param {() => number} random
 */
export function popularKey(keys, random) {
  return Math.min(keys - 1, Math.floor(keys ** random()) - 1);
}

/**
 * How many of something happen in a second, if `mean` do on the average (Poisson; normal where there are many).
 * @param {number} mean
 * @param {() => number} random
 */
export function countOf(mean, random) {
  if (mean > 50) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
}
