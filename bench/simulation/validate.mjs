import { readValues } from '../values.mjs';
import { simulate } from './simulate.mjs';
import { SmallCase } from './small-case.mjs';
import { Watch } from './watch.mjs';

const HELP = `Usage: node bench/simulation/validate.mjs [--seconds 15]

Holds the simulation against a real case: four processes of the data plane on one Redis, in both modes of limits. Ends with 1 if a rate
is off by more than the tolerance.
`;
/** Requests are drawn, not copied, and a quarter of a minute is short. */
const TOLERANCE = 0.2;
/** Rates below this are noise, commands per second. */
const NOISE = 2;

const values = readValues(HELP, {
  seconds: { type: 'string', default: '15' },
});
const seconds = Number(values.seconds);
/** @type {import('./simulate.mjs').World} */
const common = {
  replicas: 4,
  keys: 2000,
  tenants: 100,
  requestsPerSecond: 240,
  changesPerSecond: 20,
  mode: 'exact',
  warmSeconds: seconds,
  seconds,
};
let worst = 0;
for (const mode of /** @type {const} */ (['exact', 'leased'])) await validate({ ...common, mode });
console.log(`\nThe worst is off by ${(worst * 100).toFixed(0)} %; ${TOLERANCE * 100} % are tolerated.`);
process.exit(worst > TOLERANCE ? 1 : 0);

/** @param {import('./simulate.mjs').World} world */
async function validate(world) {
  const real = new SmallCase(world);
  const watch = new Watch();
  try {
    await real.start();
    await watch.start(/** @type {string} */ (real.url));
    await real.play(seconds);
    watch.reset();
    const took = await real.play(seconds);
    const { limits, reads, publications, background, other } = watch.counted;
    const expected = simulate(world);
    console.log(
      `\n${world.mode}: ${real.failures} failures\n\n| per second | measured | simulated | off by |`,
    );
    console.log('| --- | ---: | ---: | ---: |');
    compare('limits', limits / took, expected.limits);
    compare('reads of configuration', reads / took, expected.reads);
    compare('publications of usage', publications / took, expected.publications);
    compare('probes and heartbeats', background / took, expected.background);
    compare('changes heard of, all replicas', (watch.changes * world.replicas) / took, expected.changes);
    console.log(`| other | ${(other / took).toFixed(1)} | | | ${[...watch.others].slice(0, 5).join('; ')}`);
    if (world.mode === 'exact') await sizes(real, watch);
  } finally {
    watch.stop();
    await real.stop();
  }
}

/** @param {string} what @param {number} measured @param {number} simulated */
function compare(what, measured, simulated) {
  const off = Math.abs(simulated - measured) / Math.max(measured, NOISE);
  worst = Math.max(worst, off);
  console.log(`| ${what} | ${measured.toFixed(1)} | ${simulated.toFixed(1)} | ${(off * 100).toFixed(0)} % |`);
}

/** The bytes of product.mjs. @param {SmallCase} real @param {Watch} watch */
async function sizes(real, watch) {
  const redis = /** @type {import('ioredis').Redis} */ (real.redis);
  console.log('\n| bytes of | |\n| --- | ---: |');
  for (const [what, pattern] of [
    ['a key in Redis', 'tenant:byApiKey:*'],
    ['a tenant in Redis', 'tenant:t[0-9]*'],
    ['a bucket in Redis', 'rl:*'],
    ['a marker in Redis', '*:applied:*'],
    ['a table of a ledger in Redis', '*:ledger:*'],
  ]) {
    const names = (await redis.keys(/** @type {string} */ (pattern))).slice(0, 200);
    let sum = 0;
    for (const name of names) sum += Number(await redis.memory('USAGE', name));
    console.log(`| ${what} | ${(sum / Math.max(1, names.length)).toFixed(0)} |`);
  }
  const { bytes, base } = await real.bytesPerKey(20_000);
  console.log(`| a further key in a process, garbage included | ${bytes.toFixed(0)} |`);
  console.log(`| a process before that | ${base} |`);
  console.log(`| a change on the wire | ${(watch.changeBytes / Math.max(1, watch.changes)).toFixed(0)} |`);
}
