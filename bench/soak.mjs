import { cpus } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

import { readValues } from './values.mjs';
import { commit } from './prerequisites.mjs';
import { machine } from './report/results.mjs';
import { fill } from './soak/fill.mjs';
import { rssSlope, sampler } from './soak/samples.mjs';
import { Traffic } from './soak/traffic.mjs';
import { openWorld } from './soak/world.mjs';

const HELP = `Usage: node bench/soak.mjs [--minutes 30] [--rate 150]

Sends everything that clients do to a gateway with a real Redis for a long time: keys, tokens, services, published routes, bodies,
WebSockets, event streams, errors, aborts, slow clients, changes by administrators. Looks at its memory, descriptors and event loop
every 10 s, when what is bounded and fills slowly has been filled. Ends with 1 if its memory grows by 1 % in 10 minutes or more (over the second half; judged from 10 minutes on), or if
anything came that was not expected. The rate is lowered where a third of the machine is not enough for it.
`;
const values = readValues(HELP, {
  minutes: { type: 'string', default: '30' },
  rate: { type: 'string', default: '150' },
});
const minutes = Number(values.minutes);
const SAMPLE_MS = 10_000;
/** Of the machine, for gateway and load together. */
const MAX_SHARE = 1 / 3;
/** A shorter run sees only how caches fill. */
const JUDGED_FROM_MINUTES = 10;
const MAX_GROWTH = 0.01;

const world = await openWorld();
await fill(world);
const traffic = new Traffic(world, Number(values.rate));
const sample = sampler(world);
/** @type {import('./soak/samples.mjs').Sample[]} */
const samples = [];
console.log(`# ${minutes} minutes of mixed load\n`);
console.log(
  `${new Date().toISOString().slice(0, 10)}, commit ${commit()}. Machine: ${machine()}, Node.js ${process.versions.node}.\n`,
);
console.log('| min | per s | RSS MB | heap MB | external MB | loop p99 ms | descriptors | core |');
console.log('| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
const endsAt = Date.now() + minutes * 60_000;
let [own, begun] = [process.cpuUsage(), 0];
traffic.start();
while (Date.now() < endsAt) {
  await delay(Math.min(SAMPLE_MS, endsAt - Date.now()));
  const now = await sample();
  samples.push(now);
  const used = process.cpuUsage(own);
  own = process.cpuUsage();
  const share = (now.cpuShare + (used.user + used.system) / 1000 / SAMPLE_MS) / cpus().length;
  if (share > MAX_SHARE) traffic.rate *= 0.9;
  print(now, (traffic.begun - begun) / (SAMPLE_MS / 1000));
  begun = traffic.begun;
}
await traffic.stop();
const { errors } = await sample();
await world.close();
process.exit(conclude());

/**
 * @param {import('./soak/samples.mjs').Sample} now
 * @param {number} perSecond
 */
function print(now, perSecond) {
  const megabytes = (/** @type {number} */ bytes) => (bytes / 1e6).toFixed(1);
  const cells = [
    now.minutes.toFixed(1),
    perSecond.toFixed(0),
    megabytes(now.rssBytes),
    megabytes(now.heapBytes),
    megabytes(now.externalBytes),
    now.loopP99Ms.toFixed(1),
    String(now.descriptors),
    `${Math.round(now.cpuShare * 100)} %`,
  ];
  console.log(`| ${cells.join(' | ')} |`);
}

/** Prints what was found; the exit code. */
function conclude() {
  console.log('\n| what clients and administrators did | what became of it |\n| --- | --- |');
  for (const [name, outcomes] of traffic.tally)
    console.log(
      `| ${name} | ${[...outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ')} |`,
    );
  const { bytesPerMinute, meanBytes } = rssSlope(samples);
  const growth = (bytesPerMinute * 10) / meanBytes;
  const judged = minutes >= JUDGED_FROM_MINUTES;
  const flat = growth < MAX_GROWTH;
  const p99s = samples.map(({ loopP99Ms }) => loopP99Ms).sort((a, b) => a - b);
  const verdict = judged ? (flat ? 'flat' : '**grows**') : 'too short a run to judge';
  console.log(
    `\nRSS over the second half: ${(bytesPerMinute / 1e3).toFixed(1)} KB/min, ${(growth * 100).toFixed(2)} % of ${(meanBytes / 1e6).toFixed(0)} MB per 10 min: ${verdict}.`,
  );
  console.log(
    `Event loop delay p99 in 10 s: median ${p99s[p99s.length >> 1]?.toFixed(1)} ms, worst ${p99s.at(-1)?.toFixed(1)} ms.`,
  );
  console.log(
    `${traffic.begun} actions, ${traffic.unexpected} of them with an unexpected outcome; ${errors} errors of the gateway itself.`,
  );
  for (const example of traffic.examples) console.log(`- ${example}`);
  return traffic.unexpected > 0 || errors > 0 || (judged && !flat) ? 1 : 0;
}
