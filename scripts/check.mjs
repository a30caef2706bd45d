// `npm run check`: lint, format, types, unit and architecture tests, side by side and with what the last run has kept in
// node_modules/.cache. Prints each part as a whole when it has ended; fails if any of them does.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { ROOT, prepare, runScript } from './prepare.mjs';

const CACHE = path.join(ROOT, 'node_modules', '.cache', 'check');
/** By content, for a checkout changes all times. */
const cachedIn = (name) => [
  '--cache',
  '--cache-strategy',
  'content',
  '--cache-location',
  path.join(CACHE, name),
];

const STATIC = [
  [
    'types',
    'typescript/bin/tsc',
    '--noEmit',
    '--incremental',
    '--tsBuildInfoFile',
    path.join(CACHE, 'types'),
  ],
  // ESLint keeps a verdict as long as the file stays the same. What a change elsewhere does to its types is seen by tsc
  // here, and by rules about types only in `npm run lint`, which CI runs.
  ['lint', 'eslint/bin/eslint.js', ...cachedIn('eslint'), '.'],
  ['format', 'prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', ...cachedIn('prettier'), '.'],
].map(([name, program, ...args]) => [name, [path.join(ROOT, 'node_modules', program), ...args]]);
STATIC.push(['types of the dashboard', [path.join(ROOT, 'scripts', 'dashboard.mjs'), '--typecheck']]);
const TESTS = ['unit tests', [path.join(ROOT, 'scripts', 'test.mjs'), '--unit', ...process.argv.slice(2)]];

process.exitCode = await runScript(async () => {
  await prepare({ dev: true, build: false });
  // The tests take all cores by themselves; the rest goes beside them, one by one where there are two cores.
  const waiting = [...STATIC];
  const lane = async () => {
    const results = [];
    for (let next; (next = waiting.shift());) results.push(await check(...next));
    return results;
  };
  const lanes = Array.from({ length: Math.max(1, os.availableParallelism() - 1) }, lane);
  const results = (await Promise.all([check(...TESTS), ...lanes])).flat();
  return results.every((passed) => passed) ? 0 : 1;
});

/** Runs one part to its end and prints it; whether it passed. */
function check(name, args) {
  const started = Date.now();
  const env = process.stdout.isTTY ? { ...process.env, FORCE_COLOR: '1' } : process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    for (const pipe of [child.stdout, child.stderr]) pipe.on('data', (chunk) => output.push(chunk));
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      process.stdout.write(Buffer.concat(output));
      process.stdout.write(`=== ${name}: ${code === 0 ? 'passed' : 'FAILED'} after ${seconds} s\n`);
      resolve(code === 0);
    });
  });
}
