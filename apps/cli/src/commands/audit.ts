import type { Command } from 'commander';
import type { Document } from '../admin-api';
import { EXIT } from '../failure';
import { whole } from '../flags';
import { table } from '../output/table';
import type { Session } from '../session';

/** Every entry is read and its digest made again. */
const PATIENCE_MS = 300_000;
const DEFAULT_LIMIT = 50;

interface Listing {
  tenant?: string;
  actor?: string;
  action?: string;
  from?: string;
  to?: string;
  limit?: number;
}

/** `gatehouse audit …` */
export function addAuditCommands(program: Command, session: Session): void {
  const audit = program.command('audit').description('who has changed what');
  audit
    .command('list')
    .description('list entries of the audit log, newest first')
    .option('--tenant <tenant>', 'only what was about a tenant')
    .option('--actor <actor>', 'only of an actor, such as owner or admin:<id>')
    .option('--action <action>', 'only one kind, such as tenant.update')
    .option('--from <time>', 'not before')
    .option('--to <time>', 'before')
    .option('--limit <n>', `at most so many; absent: ${DEFAULT_LIMIT}`, whole(1))
    .action(async ({ limit = DEFAULT_LIMIT, ...filter }: Listing, command: Command) => {
      const { api, output } = session.open(command);
      const entries = await api.list('/admin/audit', 'entries', { ...filter }, limit);
      output.list(entries, 'entries', () =>
        table(entries, [
          ['TIME', ({ at }) => at],
          ['ACTOR', ({ actor, actorName }) => actorName ?? actor],
          ['ACTION', ({ action }) => action],
          ['TENANT', ({ tenantId }) => tenantId],
          ['TARGET', ({ target }) => target],
          ['STATUS', ({ status }) => status],
          ['REVISION', ({ revision }) => revision],
        ]),
      );
    });
  addVerify(audit, session);
}

function addVerify(audit: Command, session: Session): void {
  audit
    .command('verify')
    .description(
      'go through the chains of the audit log and name the first entry that is not as it was written',
    )
    .action(async (_options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', '/admin/audit/verify', { timeoutMs: PATIENCE_MS });
      const chains = body.chains as Document[];
      output.result(body, () =>
        table(chains, [
          ['CHAIN', ({ chain }) => chain],
          ['FROM', ({ from }) => from],
          ['TO', ({ to }) => to],
          ['HEAD', ({ head }) => head],
          ['STATE', ({ ok }) => (ok === true ? 'whole' : 'BROKEN')],
        ]),
      );
      for (const { chain, broken } of chains) {
        if (broken === undefined) continue;
        const { seq, reason } = broken as { seq: number; reason: string };
        output.note(`entry ${seq} of ${String(chain)} ${reason}`);
        session.exitCode = EXIT.refused;
      }
    });
}
