// `npm test`: makes the tree ready, finds a real Redis, runs every suite, and closes with `N passed, N failed`.
//   --unit      unit and architecture tests only: no build, no Redis
//   --e2e       the tests that run the gateway only
//   --watch --coverage and every other argument go to jest, for example: npm test -- --e2e rate-limit -t bucket
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromiumEnvironment } from './chromium.mjs';
import { ROOT, SetupError, prepare, runScript, say } from './prepare.mjs';
import { kubernetesTools } from './kubernetes-tools.mjs';
import { redisEnvironment } from './redis-server.mjs';

const OWN = new Set(['--unit', '--e2e']);
const given = process.argv.slice(2);
const unitOnly = given.includes('--unit') && !given.includes('--e2e');
const e2eOnly = given.includes('--e2e') && !given.includes('--unit');
const jestArgs = given.filter((arg) => !OWN.has(arg));
const watching = jestArgs.some((arg) => /^--watch(All)?$/.test(arg));

process.exitCode = await runScript(async () => {
  await prepare({ dev: true, build: !unitOnly });
  const redis = unitOnly ? {} : await redisEnvironment({ fetch: true });
  if (redis.TEST_REDIS_SERVER) say(`testing with ${redis.TEST_REDIS_SERVER}`);
  const chromium = unitOnly ? {} : await chromiumEnvironment({ fetch: true });
  const tools = unitOnly ? {} : kubernetesTools({ fetch: true });
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-test-'));
  try {
    const results = path.join(scratch, 'results.json');
    const code = await jest(results, { ...redis, ...chromium, ...tools });
    return watching ? code : conclude(results, code);
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
});

function jest(results, found) {
  const env = { ...process.env, ...found, NODE_ENV: 'test', TEST_PREPARED: 'yes' };
  // The tests say themselves which Redis a gateway gets; the caller's must not leak into one that is to have none.
  for (const name of Object.keys(env)) if (name.startsWith('REDIS_')) delete env[name];
  const args = [path.join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js'), ...jestArgs];
  if (!watching) args.push('--json', `--outputFile=${results}`);
  // Last, for jest takes every plain word after it for another project.
  if (unitOnly || e2eOnly) args.push('--selectProjects', unitOnly ? 'unit' : 'e2e');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: 'inherit' });
    child.once('error', (error) => reject(new SetupError(`cannot run jest: ${error.message}`)));
    child.once('close', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
    // A terminal signals both of us: staying alive lets jest stop its servers and us remove the scratch folder.
    process.on('SIGINT', () => {});
    process.on('SIGTERM', () => child.kill('SIGTERM'));
  });
}

/** Sums the run up from jest's own report; a run that broke off or tested nothing is a failure. */
function conclude(file, code) {
  let report;
  try {
    report = JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    say(`jest left no report (exit code ${code})`);
    console.log('0 passed, 1 failed');
    return code || 1;
  }
  const passed = report.numPassedTests;
  let failed = report.numFailedTests + report.numRuntimeErrorTestSuites;
  if (passed + failed === 0) {
    say('no test ran');
    failed = 1;
  }
  // A threshold missed or a broken reporter: jest says no although every test says yes.
  if (failed === 0 && code !== 0) failed = 1;
  listSkipped(report);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 ? code || 1 : 0;
}

/** `skipUnless` (test/support/skip.ts) puts the reason into the title, so the title is what has to be shown. */
function listSkipped(report) {
  const skipped = report.testResults.flatMap((suite) =>
    suite.assertionResults
      .filter((test) => test.status === 'pending' || test.status === 'todo')
      .map((test) => `  ${path.relative(ROOT, suite.name)}: ${test.fullName}`),
  );
  if (skipped.length === 0) return;
  const filtered = jestArgs.some((arg) => /^(-t|--testNamePattern)/.test(arg));
  console.log(
    filtered ? `\n${skipped.length} skipped` : `\n${skipped.length} SKIPPED:\n${skipped.join('\n')}`,
  );
}
