import { Option, type Command } from 'commander';
import { userInfo } from 'node:os';
import { pathOf, type Document } from '../admin-api';
import { whole } from '../flags';
import { fields, table } from '../output/table';
import type { Session } from '../session';
import { makeSecret } from './secrets';
import { tellWhoFollowed, waitQuery } from './waiting';

interface Issue {
  project: string;
  service: string;
  description?: string;
  expiresInDays?: number;
  outputFile?: string;
}

interface Listing {
  project?: string;
  service?: string;
  state?: string;
  limit?: number;
}

/** `gatehouse token …` */
export function addTokenCommands(program: Command, session: Session): void {
  const token = program.command('token').description('service tokens that the gateway signs');
  addIssue(token, session);
  addReading(token, session);
  addRevoke(token, session);
  addCleanup(token, session);
}

function addIssue(token: Command, session: Session): void {
  token
    .command('issue')
    .description('issue a service token, shown once')
    .requiredOption('--project <tenant>', 'id of the tenant')
    .requiredOption('--service <service>', 'the service that it opens')
    .option('--description <text>', 'what it is for')
    .option('--expires-in-days <n>', 'absent: what the gateway gives', whole(1))
    .option('--output-file <file>', 'write the token into a new file that only you may read')
    .action(async ({ outputFile, ...claims }: Issue, command: Command) => {
      const { api, output } = session.open(command);
      const { project, service, description, expiresInDays } = claims;
      const body = { project, service, description, expiresInDays };
      await makeSecret(output, { field: 'token', what: 'token', outputFile }, async () => {
        return (await api.call('POST', '/admin/tokens', { body })).body;
      });
    });
}

function addReading(token: Command, session: Session): void {
  token
    .command('list')
    .description('list issued tokens')
    .option('--project <tenant>', 'only those of a tenant')
    .option('--service <service>', 'only those for a service')
    .addOption(new Option('--state <state>', 'only those').choices(['active', 'expired', 'revoked']))
    .option('--limit <n>', 'at most so many; absent: all', whole(1))
    .action(async ({ project, service, state, limit }: Listing, command: Command) => {
      const { api, output } = session.open(command);
      const tokens = await api.list('/admin/tokens', 'tokens', { project, service, state }, limit);
      output.list(tokens, 'tokens', () =>
        table(tokens, [
          ['JTI', ({ jti }) => jti],
          ['PROJECT', ({ project }) => project],
          ['SERVICE', ({ service }) => service],
          ['EXPIRES', ({ expiresAt }) => expiresAt],
          ['STATE', (record) => stateOf(record, Date.now())],
          ['DESCRIPTION', ({ description }) => description],
        ]),
      );
    });
  token
    .command('show')
    .description('show what is known of a token')
    .argument('<jti>', 'id of the token')
    .action(async (jti: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/tokens/${jti}`);
      output.result(body, () => fields(body));
    });
}

function addRevoke(token: Command, session: Session): void {
  token
    .command('revoke')
    .description('take a token back')
    .argument('<jti>', 'id of the token')
    .requiredOption('--reason <text>', 'why, for those who look later')
    .option('--actor <name>', 'who takes it back', accountName())
    .option('--wait', 'until every replica has followed')
    .action(
      async (jti: string, options: { reason: string; actor: string; wait?: boolean }, command: Command) => {
        const { api, output } = session.open(command);
        const { reason, actor, wait } = options;
        const call = { body: { reason, actor }, query: waitQuery(wait) };
        const { body } = await api.call('POST', pathOf`/admin/tokens/${jti}/revoke`, call);
        output.result(body, () => `revoked ${jti}`);
        tellWhoFollowed(session, output, body);
      },
    );
}

function addCleanup(token: Command, session: Session): void {
  token
    .command('cleanup')
    .description('forget tokens that have expired')
    .action(async (_options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('POST', '/admin/tokens/cleanup');
      output.result(body, () => fields(body) || 'done');
    });
}

/** Exported for its table of states. */
export function stateOf({ revoked, expiresAt }: Document, now: number): string {
  if (revoked !== undefined && revoked !== null) return 'revoked';
  return Date.parse(String(expiresAt)) <= now ? 'expired' : 'active';
}

function accountName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container's user may have a number and no name.
    return 'admin';
  }
}
