import Module from 'node:module';
import { join } from 'node:path';

/** What the image can be, by its first argument. */
const PROCESSES: Readonly<Record<string, string>> = {
  'all-in-one': 'src/main.js',
  'data-plane': 'apps/data-plane/src/main.js',
  'control-plane': 'apps/control-plane/src/main.js',
  cli: 'apps/cli/src/main.js',
  health: 'src/health.js',
};

/** Conventional exit code for a command that was used wrongly (sysexits.h EX_USAGE). */
const EXIT_USAGE = 64;

/**
 * Becomes the process that the first argument names: in this very process, so that signals, exit code and the flags
 * that Node was started with are that process's own.
 */
function become(name: string): void {
  const entry = Object.hasOwn(PROCESSES, name) ? PROCESSES[name] : undefined;
  if (entry === undefined) {
    process.stderr.write(`gatehouse: "${name}" is none of ${Object.keys(PROCESSES).join(', ')}\n`);
    process.exit(EXIT_USAGE);
  }
  // As if Node had been started with it: argv[1] is what node:cluster starts for its workers.
  process.argv.splice(1, 2, join(__dirname, '..', entry));
  Module.runMain();
}

become(process.argv[2] ?? 'all-in-one');
