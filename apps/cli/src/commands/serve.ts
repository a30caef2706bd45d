import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { Failure } from '../failure';
import type { Session } from '../session';

/** How `npm start` runs the gateway; a test holds both together. */
export const GATEWAY_FLAGS = [
  '--max-semi-space-size=8',
  '--single-threaded-gc',
  '--no-incremental-marking-task',
];

const MAIN = join(__dirname, '../../../../src/main.js');
const ORPHAN_WATCH_MS = 500;
const PASSED_ON = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;

/** `gatehouse serve` */
export function addServeCommand(program: Command, session: Session): void {
  program
    .command('serve')
    .description('run the gateway, set up by its environment (see .env.example)')
    .action(async () => {
      session.exitCode = await serve(session.environment.underNpx);
    });
}

/**
 * The gateway in a process of its own, for its flags can only be given at a start. Signals are passed on, and it ends
 * as that process does.
 * @param endsWithParent also when our parent is gone, as if it had told us.
 */
function serve(endsWithParent: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const gateway = spawn(process.execPath, [...GATEWAY_FLAGS, MAIN], { stdio: 'inherit' });
    const passOn = (signal: NodeJS.Signals): void => void gateway.kill(signal);
    for (const signal of PASSED_ON) process.on(signal, passOn);
    const orphaned = endsWithParent ? onceOrphaned(() => passOn('SIGTERM')) : undefined;
    gateway.once('error', (error) => reject(new Failure(`the gateway cannot be run: ${error.message}`)));
    gateway.once('exit', (code, signal) => {
      clearInterval(orphaned);
      for (const passed of PASSED_ON) process.off(passed, passOn);
      resolve(code ?? 128 + constants.signals[signal ?? 'SIGTERM']);
    });
  });
}

/** There is no event for it: whoever loses its parent gets another. */
function onceOrphaned(then: () => void): NodeJS.Timeout {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    then();
  }, ORPHAN_WATCH_MS);
  return watch;
}
