// `npm run docs` builds the documentation into docs-site/, `npm run docs:dev` serves it while it is written. The generator is
// installed into docs/ when it is missing: the product does not need it.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, SetupError, runScript, say } from './prepare.mjs';

const DOCS = path.join(ROOT, 'docs');

await runScript(async () => {
  const command = process.argv[2] === 'dev' ? 'dev' : 'build';
  await run(process.execPath, [path.join(ROOT, 'scripts/reference.mjs')], ROOT);
  if (!fs.existsSync(path.join(DOCS, 'node_modules/.package-lock.json'))) {
    say('installing the generator of the documentation …');
    await run('npm', ['ci', '--ignore-scripts', '--no-progress', '--loglevel=error'], DOCS);
  }
  await run('npm', ['run', '--silent', command], DOCS);
  if (command === 'build') say(`the documentation is in ${path.join(ROOT, 'docs-site')}`);
});

/** Waits for a program that speaks for itself. */
async function run(program, args, cwd) {
  const child = spawn(program, args, { cwd, stdio: ['inherit', 2, 2] });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (code !== 0) throw new SetupError(`${path.basename(program)} ${args.at(-1)} failed`, 1);
}
