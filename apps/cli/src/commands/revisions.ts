import { Option, type Command } from 'commander';
import { pathOf, type Document } from '../admin-api';
import { misuse } from '../failure';
import { whole } from '../flags';
import { changeLines, titleOfChange, type ObjectChange } from '../output/change-lines';
import type { Output } from '../output/output';
import { counted, inline, printable } from '../output/printable';
import { fields, table } from '../output/table';
import type { Session } from '../session';

/** Said here, for a command loads nothing of the gateway; a test holds it to what there is. */
export const KINDS = ['tenant', 'service', 'publication', 'billing_terms', 'plan', 'api_key', 'maintenance'];
/** Thousands of objects are checked and written one by one. */
const PATIENCE_MS = 300_000;
const DEFAULT_LIMIT = 50;
const NUMBER = ['<number>', 'number of the revision'] as const;

/** `gatehouse revision …` */
export function addRevisionCommands(program: Command, session: Session): void {
  const revision = program
    .command('revision')
    .description('the configuration after each change, and the way back to it');
  addList(revision, session);
  addShow(revision, session);
  addDiff(revision, session);
  addRollback(revision, session);
}

function addList(revision: Command, session: Session): void {
  revision
    .command('list')
    .description('list revisions, newest first')
    .option('--tenant <tenant>', 'only what has changed something of a tenant')
    .option('--limit <n>', `at most so many; absent: ${DEFAULT_LIMIT}`, whole(1))
    .action(
      async ({ tenant, limit = DEFAULT_LIMIT }: { tenant?: string; limit?: number }, command: Command) => {
        const { api, output } = session.open(command);
        const revisions = await api.list('/admin/revisions', 'revisions', { tenant }, limit);
        output.list(revisions, 'revisions', () =>
          table(revisions, [
            ['NUMBER', ({ number }) => number],
            ['TIME', ({ at }) => at],
            ['ACTOR', ({ actor, actorName }) => actorName ?? actor],
            ['ACTION', ({ action }) => action],
            ['CHANGES', ({ objects }) => (objects as ObjectChange[]).map(titleOfChange).join(', ')],
          ]),
        );
      },
    );
}

function addShow(revision: Command, session: Session): void {
  revision
    .command('show')
    .description('show what a revision has changed; secrets are not shown')
    .argument(...NUMBER)
    .action(async (number: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/revisions/${number}`);
      output.result(body, () => {
        const { changes, objects: _, tenantIds: __, ...facts } = body;
        return [fields(facts), ...linesOf(changes, output)].join('\n');
      });
    });
}

function addDiff(revision: Command, session: Session): void {
  revision
    .command('diff')
    .description('say what leads from the configuration after one revision to that after another')
    .argument(...NUMBER)
    .option(
      '--against <number>',
      'revision to compare with, 0: before the first; absent: the one before',
      whole(0),
    )
    .action(async (number: string, { against }: { against?: number }, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathOf`/admin/revisions/${number}/diff`;
      const { body } = await api.call('GET', path, { query: { against }, timeoutMs: PATIENCE_MS });
      output.result(body, () => linesOf(body.changes, output).join('\n'));
      if ((body.changes as unknown[]).length === 0) output.note('no difference');
    });
}

interface RollbackFlags {
  kind?: string;
  id?: string;
  force?: boolean;
  dryRun?: boolean;
  yes?: boolean;
}

function addRollback(revision: Command, session: Session): void {
  revision
    .command('rollback')
    .description(
      'bring back the configuration as it was after a revision; revoked keys and tokens stay revoked',
    )
    .argument(...NUMBER)
    .addOption(new Option('--kind <kind>', 'only one object: what it is').choices(KINDS))
    .option('--id <id>', 'with --kind: its id; of a publication and of billing terms, that of the tenant')
    .option('--force', 'also over what other programs, such as redis-cli, have changed since')
    .option('--dry-run', 'only show what would be done')
    .option('--yes', 'do not ask')
    .action(async (number: string, flags: RollbackFlags, command: Command) => {
      const { api, output } = session.open(command);
      const { force, dryRun, yes } = flags;
      const asked = { object: objectOf(flags), force };
      const path = pathOf`/admin/revisions/${number}/rollback`;
      // What is shown and agreed to is what is done: a change in between is refused.
      const { version: ifMatch } = await api.call('GET', '/admin/revisions', { query: { limit: 1 } });
      const call = async (dry: boolean): Promise<Document> => {
        const options = { body: { ...asked, dryRun: dry }, ifMatch, timeoutMs: PATIENCE_MS };
        return (await api.call('POST', path, options)).body;
      };
      const planned = await call(true);
      const count = (planned.changes as unknown[]).length;
      if (dryRun || count === 0) {
        tell(planned, output);
        return;
      }
      if (!yes) for (const line of linesOf(planned.changes, output)) output.note(line);
      await session.confirm(`Change ${counted(count, 'object')} back to revision ${number}?`, yes);
      tell(await call(false), output);
    });
}

function objectOf({ kind, id }: RollbackFlags): object | undefined {
  if ((kind === undefined) !== (id === undefined)) throw misuse('--kind and --id go together');
  return kind === undefined ? undefined : { kind, id };
}

function tell(body: Document, output: Output): void {
  const { dryRun, to, revision, changes, skipped } = body;
  const none = (changes as unknown[]).length === 0;
  const outcome = none
    ? `nothing differs from revision ${inline(to)}`
    : dryRun === true
      ? `nothing was done; this leads back to revision ${inline(to)}`
      : `the configuration is that of revision ${inline(to)} again: revision ${inline(revision)}`;
  output.result(body, () => [...linesOf(changes, output), outcome].join('\n'));
  for (const { kind, id, reason } of skipped as Document[])
    output.note(printable(`${inline(kind)} ${inline(id)} is left as it is: ${inline(reason)}`));
}

function linesOf(changes: unknown, output: Output): string[] {
  return (changes as ObjectChange[]).flatMap((change) => changeLines(change, output));
}
