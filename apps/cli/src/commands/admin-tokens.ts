import { Option, type Command } from 'commander';
import { pathOf } from '../admin-api';
import { whole } from '../flags';
import { fields, table } from '../output/table';
import type { Session } from '../session';
import { makeSecret } from './secrets';
import { tellWhoFollowed, waitQuery } from './waiting';

/** Said here, for a command loads nothing of the gateway; a test holds it to what there is. */
export const ROLES = ['owner', 'operator', 'viewer', 'metrics', 'tenant'];
const STATES = ['active', 'expired', 'revoked', 'all'];

interface Creation {
  name: string;
  role: string;
  tenant?: string;
  expiresAt?: string;
  outputFile?: string;
}

/** `gatehouse admin-token …` */
export function addAdminTokenCommands(program: Command, session: Session): void {
  const token = program.command('admin-token').description('tokens for those who administer');
  addCreate(token, session);
  addReading(token, session);
  addRotate(token, session);
  addRevoke(token, session);
  addWhoAmI(token, session);
}

function addCreate(token: Command, session: Session): void {
  token
    .command('create')
    .description('make an admin token, shown once')
    .requiredOption('--name <name>', 'whose or what it is')
    .addOption(new Option('--role <role>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--tenant <tenant>', 'with the role tenant: whose affairs')
    .option('--expires-at <time>', 'absent: it does not expire')
    .option('--output-file <file>', 'write the token into a new file that only you may read')
    .action(async ({ name, role, tenant, expiresAt, outputFile }: Creation, command: Command) => {
      const { api, output } = session.open(command);
      const body = { name, role, tenantId: tenant, expiresAt };
      await makeSecret(output, { field: 'token', what: 'admin token', outputFile }, async () => {
        return (await api.call('POST', '/admin/admin-tokens', { body })).body;
      });
    });
}

function addReading(token: Command, session: Session): void {
  token
    .command('list')
    .description('list admin tokens')
    .addOption(new Option('--state <state>', 'which; absent: all').choices(STATES))
    .option('--limit <n>', 'at most so many; absent: all', whole(1))
    .action(async ({ state, limit }: { state?: string; limit?: number }, command: Command) => {
      const { api, output } = session.open(command);
      const tokens = await api.list('/admin/admin-tokens', 'adminTokens', { state }, limit);
      output.list(tokens, 'admin tokens', () =>
        table(tokens, [
          ['ID', ({ id }) => id],
          ['NAME', ({ name }) => name],
          ['ROLE', ({ role }) => role],
          ['TENANT', ({ tenantId }) => tenantId],
          ['STATE', ({ state }) => state],
          ['EXPIRES', ({ expiresAt }) => expiresAt],
          ['LAST USED', ({ lastUsedAt }) => lastUsedAt],
        ]),
      );
    });
  token
    .command('show')
    .description('show what is known of an admin token')
    .argument('<id>', 'id of the token')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/admin-tokens/${id}`);
      output.result(body, () => fields(body));
    });
}

function addRotate(token: Command, session: Session): void {
  token
    .command('rotate')
    .description('replace an admin token by a new one, shown once')
    .argument('<id>', 'id of the token')
    .requiredOption('--grace-seconds <n>', 'how long the old one goes on working', whole(0))
    .option('--output-file <file>', 'write the token into a new file that only you may read')
    .action(async (id: string, options: { graceSeconds: number; outputFile?: string }, command: Command) => {
      const { api, output } = session.open(command);
      const { graceSeconds, outputFile } = options;
      await makeSecret(output, { field: 'token', what: 'admin token', outputFile }, async () => {
        const path = pathOf`/admin/admin-tokens/${id}/rotate`;
        return (await api.call('POST', path, { body: { graceSeconds } })).body;
      });
    });
}

function addRevoke(token: Command, session: Session): void {
  token
    .command('revoke')
    .description('take an admin token back')
    .argument('<id>', 'id of the token')
    .option('--reason <text>', 'why, for those who look later')
    .option('--wait', 'until every replica has followed')
    .action(async (id: string, options: { reason?: string; wait?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const call = { body: { reason: options.reason }, query: waitQuery(options.wait) };
      const { body } = await api.call('POST', pathOf`/admin/admin-tokens/${id}/revoke`, call);
      output.result(body, () => `revoked ${id}`);
      tellWhoFollowed(session, output, body);
    });
}

function addWhoAmI(token: Command, session: Session): void {
  token
    .command('whoami')
    .description('say whose the admin token of this command is, and what it is good for')
    .action(async (_options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', '/admin/whoami');
      output.result(body, () => {
        const { operations, ...facts } = body;
        return [fields(facts), ...(operations as string[]).map((one) => `  ${one}`)].join('\n');
      });
    });
}
