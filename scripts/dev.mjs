// `npm run dev`: compiles on every save and restarts the gateway after each compile without errors; a compile with
// errors leaves the running one alone. The gateway's output passes through untouched, ours goes to stderr.
import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import { MAIN, ROOT, invalidateBuild, prepare, runScript, say } from './prepare.mjs';

/** A gateway that still drains after this long is killed, for somebody is waiting for the new one. */
const DRAIN_MS = 5000;

let gateway;
let restarting = Promise.resolve();
let stopping = false;
let leaving = false;

await runScript(async () => {
  await prepare({ dev: true });
  // From here on the compiler writes into dist/ file by file, which must not pass for a finished build.
  invalidateBuild();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => leave(signal));
  await watch();
});

async function watch() {
  const { default: ts } = await import('typescript');
  const format = process.stderr.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
  const host = ts.createWatchCompilerHost(
    path.join(ROOT, 'tsconfig.build.json'),
    {},
    { ...ts.sys, clearScreen: undefined },
    ts.createEmitAndSemanticDiagnosticsBuilderProgram,
    (diagnostic) => process.stderr.write(format([diagnostic], formatHost(ts))),
    (diagnostic, _newLine, _options, errorCount) => {
      say(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
      // Only the message at the end of a compile carries a count.
      if (errorCount === 0) restart();
    },
  );
  ts.createWatchProgram(host);
}

function formatHost(ts) {
  return {
    getCurrentDirectory: () => ROOT,
    getCanonicalFileName: (name) => name,
    getNewLine: () => ts.sys.newLine,
  };
}

/** Restarts queue up behind each other: two gateways would fight for the port. */
function restart() {
  restarting = restarting.then(async () => {
    await stop('SIGTERM');
    if (leaving) return;
    gateway = spawn(process.execPath, ['--enable-source-maps', MAIN], { cwd: ROOT, stdio: 'inherit' });
    gateway.once('exit', (code, signal) => {
      gateway = undefined;
      if (leaving) process.exit(code ?? 128 + os.constants.signals[signal]);
      if (!stopping) say(`the gateway ended (${signal ?? `exit code ${code}`}); waiting for a change …`);
    });
  });
}

async function stop(signal) {
  if (!gateway) return;
  const ending = gateway;
  stopping = true;
  await new Promise((resolve) => {
    const late = setTimeout(() => ending.kill('SIGKILL'), DRAIN_MS);
    ending.once('exit', () => {
      clearTimeout(late);
      resolve();
    });
    ending.kill(signal);
  });
  stopping = false;
}

/** Passes the signal on and ends with the gateway's own exit code. */
function leave(signal) {
  leaving = true;
  if (gateway) gateway.kill(signal);
  else process.exit(128 + os.constants.signals[signal]);
}
