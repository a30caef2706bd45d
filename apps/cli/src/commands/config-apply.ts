import type { Command } from 'commander';
import { Failure } from '../failure';
import type { Output } from '../output/output';
import type { Changes } from '../projects/carry-out';
import { titleOf, type Change } from '../projects/plan';
import type { Session } from '../session';
import { linesOf, planFor, shown, summary, sumsOf } from './config-plan';

interface ApplyOptions {
  prune?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

export function addApply(config: Command, session: Session): void {
  config
    .command('apply')
    .description('make the gateway what files say; stops at the first refusal and says what was done')
    .argument('<folder>', 'folder of project files, or one file')
    .option('--prune', 'also delete what no file declares')
    .option('--dry-run', 'only show what would be done')
    .option('--yes', 'do not ask')
    .action(async (folder: string, { prune, dryRun, yes }: ApplyOptions, command: Command) => {
      const { api, output } = session.open(command);
      await refuseErrors(folder, session);
      const { changes, existing } = await planFor(folder, api, output);
      const wanted = prune ? changes : changes.filter(({ action }) => action !== 'delete');
      if (wanted.length < changes.length) {
        output.note(
          `${changes.length - wanted.length} documents that no file declares are left: see --prune`,
        );
      }
      if (dryRun || wanted.length === 0) {
        tell(wanted, output);
        return;
      }
      if (!yes) for (const line of wanted.flatMap((change) => linesOf(change, output))) output.note(line);
      await session.confirm(`Make these changes? ${summary(sumsOf(wanted))}.`, yes);
      const { Changes } = await import('../projects/carry-out.js');
      await carryOut(wanted, new Changes(api, existing), output);
    });
}

/** Nothing is begun with a file that has errors. */
async function refuseErrors(folder: string, session: Session): Promise<void> {
  const { checkFiles } = await import('../projects/check-files.js');
  for (const { file, problems } of await checkFiles(folder, session.environment.all)) {
    const error = problems.find(({ severity }) => severity === 'error');
    if (!error) continue;
    const { line, column, field, message } = error;
    throw new Failure(`${file}:${line}:${column} ${field} ${message}; nothing was done`);
  }
}

function tell(changes: readonly Change[], output: Output): void {
  const sums = sumsOf(changes);
  output.result({ dryRun: true, ...sums, changes: changes.map(shown) }, () =>
    [...changes.flatMap((change) => linesOf(change, output)), summary(sums)].join('\n'),
  );
}

async function carryOut(changes: readonly Change[], to: Changes, output: Output): Promise<void> {
  const done: Change[] = [];
  for (const change of changes) {
    try {
      await to.carryOut(change);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      finish(done, output, { failed: { ...shown(change), reason: error.message } });
      const left = changes.length - done.length;
      const where = `stopped at ${titleOf(change)}, with ${done.length} done and ${left} left`;
      throw new Failure(`${where}: ${error.message}`, error.exitCode);
    }
    done.push(change);
    for (const line of linesOf(change, output)) output.progress(line);
  }
  finish(done, output, {});
}

function finish(done: readonly Change[], output: Output, more: object): void {
  const sums = sumsOf(done);
  output.result({ ...sums, changes: done.map(shown), ...more }, () => summary(sums));
}
