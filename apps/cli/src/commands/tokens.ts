import { Option, type Command } from 'commander';
import { userInfo } from 'node:os';
import { pathOf, type Document } from '../admin-api';
import { whole } from '../flags';
import { fields, table } from '../output/table';
import type { Session } from '../session';
import { makeSecret } from './secrets';
import { tellWhoFollowed, waitQuery } from './waiting';

const STATES = ['active', 'expired', 'revoked', 'all'];

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

interface Revocation {
  reason: string;
  actor: string;
  project?: string;
  service?: string;
  expiresAt?: string;
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
    .addOption(new Option('--state <state>', 'which; absent: active').choices(STATES))
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
    .option('--project <tenant>', 'of a token that was signed elsewhere with our secret: whose it is')
    .option('--service <service>', 'of a token that was signed elsewhere')
    .option('--expires-at <time>', 'of a token that was signed elsewhere: when it expires')
    .option('--wait', 'until every replica has followed')
    .action(async (jti: string, options: Revocation & { wait?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const { wait, ...revocation } = options;
      const call = { body: revocation, query: waitQuery(wait) };
      const { body } = await api.call('POST', pathOf`/admin/tokens/${jti}/revoke`, call);
      output.result(body, () => `revoked ${jti}`);
      tellWhoFollowed(session, output, body);
    });
}

function addCleanup(token: Command, session: Session): void {
  token
    .command('cleanup')
    .description('forget tokens that have expired')
    .action(async (_options: object, command: Command) => {
      const { api, output } = session.open(command);
      const removed = { tokens: 0, revocations: 0 };
      // The gateway removes a part at a time, so as not to stand still over it.
      for (let more = true; more;) {
        const { body } = await api.call('POST', '/admin/tokens/cleanup');
        removed.tokens += Number(body.tokens ?? 0);
        removed.revocations += Number(body.revocations ?? 0);
        more = body.more === true && Number(body.tokens ?? 0) + Number(body.revocations ?? 0) > 0;
      }
      output.result(removed, () => fields(removed));
    });
}

function stateOf({ state, revoked, expiresAt }: Document, now: number): unknown {
  if (state !== undefined) return state;
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
