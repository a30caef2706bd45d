import type { Command } from 'commander';
import { EXIT, Failure } from '../failure';
import type { Output } from '../output/output';
import { counted } from '../output/printable';
import type { Changes } from '../projects/carry-out';
import { titleOf, type Change } from '../projects/plan';
import { Refusal } from '../refusal';
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
    .option('--prune', 'also delete what no file declares; of a single file: in its own project')
    .option('--dry-run', 'only show what would be done')
    .option('--yes', 'do not ask')
    .action(async (folder: string, { prune, dryRun, yes }: ApplyOptions, command: Command) => {
      const { api, output } = session.open(command);
      const { changes, existing } = await planFor(folder, session.environment.all, api, output);
      const wanted = prune ? changes : changes.filter(({ action }) => action !== 'delete');
      if (wanted.length < changes.length) {
        output.note(
          `left, though no file declares it: ${counted(changes.length - wanted.length, 'document')}; see --prune`,
        );
      }
      if (dryRun || wanted.length === 0) {
        tell(wanted, output);
        return;
      }
      if (!yes) for (const line of wanted.flatMap((change) => linesOf(change, output))) output.note(line);
      await session.confirm(`Make these changes? ${summary(sumsOf(wanted))}.`, yes);
      const { Changes } = await import('../projects/carry-out.js');
      if (!(await carryOut(wanted, new Changes(api, existing), output))) session.exitCode = EXIT.refused;
    });
}

function tell(changes: readonly Change[], output: Output): void {
  const sums = sumsOf(changes);
  output.result({ dryRun: true, ...sums, changes: changes.map(shown) }, () =>
    [...changes.flatMap((change) => linesOf(change, output)), summary(sums)].join('\n'),
  );
}

/** @returns whether all has been done, and not left out because the gateway has it from a file of its own. */
async function carryOut(changes: readonly Change[], to: Changes, output: Output): Promise<boolean> {
  const done: Change[] = [];
  const declared: object[] = [];
  for (const change of changes) {
    try {
      await to.carryOut(change);
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (error instanceof Refusal && error.code === 'declared_in_file') {
        output.note(`${titleOf(change)} is left as it is: ${error.message}`);
        declared.push({ ...shown(change), reason: error.message });
        continue;
      }
      finish(done, declared, output, { failed: { ...shown(change), reason: error.message } });
      const left = changes.length - done.length - declared.length;
      const where = `stopped at ${titleOf(change)}, with ${done.length} done and ${left} left`;
      throw new Failure(`${where}: ${error.message}`, error.exitCode);
    }
    done.push(change);
    for (const line of linesOf(change, output)) output.progress(line);
  }
  finish(done, declared, output, {});
  if (declared.length > 0)
    output.note(`left to the files in CONFIG_DIR of the gateway: ${counted(declared.length, 'document')}`);
  return declared.length === 0;
}

/** @param declared what the gateway has from files of its own; they change without us. */
function finish(done: readonly Change[], declared: readonly object[], output: Output, more: object): void {
  const sums = sumsOf(done);
  output.result({ ...sums, changes: done.map(shown), declared, ...more }, () => summary(sums));
}
