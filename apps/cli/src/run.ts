import { CommanderError } from 'commander';
import { EXIT, Failure } from './failure';
import { buildProgram } from './program';
import type { Session } from './session';

/** Runs one command; resolves to the exit code. Whatever goes wrong is one line on stderr. */
export async function run(session: Session, argv: readonly string[]): Promise<number> {
  const program = buildProgram(session);
  if (argv.length === 0) {
    program.outputHelp();
    return EXIT.ok;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return session.exitCode;
  } catch (error) {
    // It has said what is wrong itself.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const known = error instanceof Failure;
    session.terminal.err(`gatehouse: ${known ? error.message : ((error as Error).stack ?? String(error))}\n`);
    return known ? error.exitCode : EXIT.refused;
  }
}
