import type { Command } from 'commander';
import type { ClientEnvironment } from '#libs/config';
import type { Terminal } from './output/terminal';
import { buildProgram } from './program';
import { Session } from './session';

/** A command and all below it. */
function* commandsOf(command: Command): Iterable<Command> {
  yield command;
  for (const below of command.commands) yield* commandsOf(below);
}

it('no command has a flag of the program’s own: it would never be given what follows it', () => {
  const program = buildProgram(new Session({} as ClientEnvironment, {} as Terminal));
  const taken = new Set(program.options.map(({ long }) => long));
  const all = program.commands.flatMap((command) => [...commandsOf(command)]);
  expect(all.length).toBeGreaterThan(20);
  const clashes = all.flatMap((command) =>
    command.options
      .filter(({ long }) => taken.has(long))
      .map(({ long }) => `${command.parent?.name()} ${command.name()} ${long}`),
  );
  expect(clashes).toEqual([]);
});
