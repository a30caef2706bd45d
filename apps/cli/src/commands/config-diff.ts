import type { Command } from 'commander';
import { EXIT } from '../failure';
import type { Session } from '../session';
import { linesOf, planFor, shown, summary, sumsOf } from './config-plan';

export function addDiff(config: Command, session: Session): void {
  config
    .command('diff')
    .description('show what `config apply --prune` would change; exits with 2 if there is anything')
    .argument('<folder>', 'folder of project files, or one file')
    .action(async (folder: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { changes } = await planFor(folder, session.environment.all, api, output);
      const sums = sumsOf(changes);
      output.result({ ...sums, changes: changes.map(shown) }, () =>
        [...changes.flatMap((change) => linesOf(change, output)), summary(sums)].join('\n'),
      );
      if (changes.length > 0) session.exitCode = EXIT.drift;
    });
}
