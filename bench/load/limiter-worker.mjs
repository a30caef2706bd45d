import { createRequire } from 'node:module';

/**
 * One process that takes from one bucket as fast as it is allowed to, with a clock that may be wrong. Its own process,
 * because what is asked is what several do together.
 *
 * Argument: JSON of `{ redisUrl, mode, bucket, skewMs, lib }`. Says `ready`, starts on a message `{ untilMs }`, and answers
 * with what it was given.
 */
const { redisUrl, mode, bucket, skewMs, lib } = JSON.parse(process.argv[2] ?? '{}');
const require = createRequire(lib);

const trueNow = Date.now;
Date.now = () => trueNow() + skewMs;

const { loadConfig } = require('#libs/config');
const { openStore } = require('#libs/store');
const { RateLimiter } = require('#libs/guards');
const quiet = { info() {}, warn() {}, error() {}, debug() {} };

const store = openStore(loadConfig({ REDIS_URL: redisUrl, REDIS_COMMAND_TIMEOUT_MS: '5000' }), quiet);
await store.ready();
await store.fleet.join();
const limiter = new RateLimiter(store, mode);
const claim = [{ ...bucket }];
process.send?.({ ready: true });

/** Requests that are under way at once; each burst at an edge of the window is so many more. */
const STEADY = 4;
const BURST = 200;

process.once('message', async (/** @type {{ seconds: number }} */ { seconds }) => {
  const endMs = performance.now() + seconds * 1_000;
  // On the true clock, which is also that of Redis.
  const firstAskedAt = trueNow();
  let lastAnsweredAt = 0;
  let asked = 0;
  let admitted = 0;
  const ask = async () => {
    asked++;
    const { allowed } = await limiter.take(claim);
    if (allowed) admitted++;
    lastAnsweredAt = trueNow();
  };
  const steady = async () => {
    while (performance.now() < endMs) {
      await ask();
      // Local refusals come at once; without a pause one of them would follow the other for ever.
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const bursts = async () => {
    while (performance.now() < endMs) {
      await Promise.all(Array.from({ length: BURST }, ask));
      // The edge as this process sees it, which is not where the others see it.
      await new Promise((resolve) => setTimeout(resolve, bucket.windowMs - (Date.now() % bucket.windowMs)));
    }
  };
  await Promise.all([...Array.from({ length: STEADY }, steady), bursts()]);
  await limiter.close();
  process.send?.({ asked, admitted, firstAskedAt, lastAnsweredAt });
  await store.close();
  process.disconnect();
});
