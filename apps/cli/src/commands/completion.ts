import { Argument, type Command } from 'commander';
import { bashScript } from '../completion/bash';
import { fishScript } from '../completion/fish';
import { treeOf } from '../completion/tree';
import { zshScript } from '../completion/zsh';
import type { Session } from '../session';

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** `gatehouse completion bash` */
export function addCompletionCommand(program: Command, session: Session): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS, _options: object, command: Command) => {
      const script = SCRIPTS[shell](treeOf(program));
      session.output(command).result({ shell, script }, () => script.trimEnd());
    });
}
