import { readClientEnvironment } from '#libs/config';
import { processTerminal } from './output/terminal';
import { run } from './run';
import { Session } from './session';

/** `gatehouse …`: the exit code is set, not forced, so that everything that was written gets out. */
const environment = readClientEnvironment();
void run(new Session(environment, processTerminal(environment.colourless)), process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
);
