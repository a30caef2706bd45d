/**
 * Does nothing but look at the clock, and so finds out for how long its core was taken away from it: by the host that the
 * machine is a guest of, or by another process. Argument: seconds. Prints JSON: how long a request that comes at a random
 * moment would have stood still, in microseconds.
 */
const seconds = Number(process.argv[2]);
/** Shorter ones are interrupts, and the collections of this process itself. */
const SHORTEST_MS = 0.1;

const stalls = [];
const startMs = performance.now();
const endMs = startMs + seconds * 1_000;
for (let last = startMs; last < endMs;) {
  const now = performance.now();
  if (now - last > SHORTEST_MS) stalls.push(now - last);
  last = now;
}
const result = {
  p99Us: Math.round(exceededBy(0.01) * 1_000),
  maxUs: Math.round(stalls.reduce((most, one) => Math.max(most, one), 0) * 1_000),
};
process.stdout.write(JSON.stringify(result));

/**
 * The wait that `share` of all moments exceed: of a stall of 5 ms, all but the last 2 ms wait for longer than 2 ms.
 * @param {number} share
 */
function exceededBy(share) {
  let [low, high] = [0, 1_000];
  while (high - low > 0.001) {
    const wait = (low + high) / 2;
    const longer = stalls.reduce((sum, stall) => sum + Math.max(0, stall - wait), 0);
    if (longer > share * seconds * 1_000) low = wait;
    else high = wait;
  }
  return high;
}
