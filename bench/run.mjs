import { execFileSync } from 'node:child_process';

import { killAll, stopAll } from './children.mjs';
import { readOptions } from './options.mjs';
import { ensureInstalled, findTools } from './prerequisites.mjs';

const argv = process.argv.slice(2);
const options = readOptions(argv);
let interrupted = false;

process.exitCode = 1;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => void interrupt());
process.on('exit', killAll);

try {
  const tools = findTools();
  await ensureInstalled(options);
  process.exitCode = await run(tools);
} catch (error) {
  if (!interrupted) console.error(error instanceof Error ? error.message : error);
} finally {
  await stopAll();
}

/**
 * Sets the stage, runs the suites that were asked for, reports.
 * @param {import('./prerequisites.mjs').Tools} tools
 * @returns {Promise<number>} the exit code
 */
async function run(tools) {
  // Imported late: they need packages that may just have been installed.
  const { openStage, removeFolders } = await import('./stage/index.mjs');
  const { newResults, saveResults } = await import('./report/results.mjs');
  const { toMarkdown } = await import('./report/markdown.mjs');
  const { judge } = await import('./report/targets.mjs');
  process.on('exit', removeFolders);

  // This process answers JWKS requests and reads files meanwhile; the core of the measured server is not for that.
  execFileSync('taskset', ['-pc', String(options.loadCore), String(process.pid)], { stdio: 'ignore' });
  const stage = await openStage(options, tools);
  const results = newResults(options, tools, argv);
  try {
    for (const suite of options.only) await runSuite(suite, stage, results);
  } finally {
    stage.issuer.close();
  }
  results.problems = stage.problems;
  results.verdicts = judge(results);
  const markdown = toMarkdown(results);
  saveResults(results, markdown);
  process.stdout.write(markdown);

  if (results.problems.length > 0) return 1;
  return options.assert && results.verdicts.some(({ met }) => met === false) ? 1 : 0;
}

/**
 * One suite that fails does not cost the figures of the others.
 * @param {string} suite
 * @param {import('./stage/index.mjs').Stage} stage
 * @param {import('./report/results.mjs').Results} results
 */
async function runSuite(suite, stage, results) {
  console.error(`\n--- ${suite}`);
  try {
    if (suite === 'peers') results.peers = await (await import('./suites/peers.mjs')).comparePeers(stage);
    if (suite === 'latency') {
      const { compareLatency, measureMachine } = await import('./suites/latency.mjs');
      results.stalls = await measureMachine(stage);
      results.latency = await compareLatency(stage, results.peers);
    }
    if (suite === 'scale') results.scale = await (await import('./suites/scale.mjs')).measureScale(stage);
    if (suite === 'bodies') results.bodies = await (await import('./suites/bodies.mjs')).compareBodies(stage);
  } catch (error) {
    if (interrupted) throw error;
    stage.invalid(`${suite}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Ends every server before this process; asked a second time, at once. */
async function interrupt() {
  if (interrupted) process.exit(130);
  interrupted = true;
  console.error('stopping');
  await stopAll();
  process.exit(130);
}
