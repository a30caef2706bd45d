import type { Command } from 'commander';
import { pathOf, type Document } from '../admin-api';
import { whole } from '../flags';
import { fields, table } from '../output/table';
import type { Session } from '../session';
import { termsOf, withKeyFlags, type KeyFlags } from './key-flags';
import { makeSecret } from './secrets';
import { tellWhoFollowed, waitQuery } from './waiting';

const TENANT = ['<tenant>', 'id of the tenant'] as const;
const KEY = ['<key>', 'id of the API key'] as const;
const WAIT = ['--wait', 'until every replica has followed'] as const;
const OUTPUT_FILE = ['--output-file <file>', 'write the key into a new file that only you may read'] as const;

interface Waiting {
  wait?: boolean;
}

/** `gatehouse key …` */
export function addKeyCommands(program: Command, session: Session): void {
  const key = program.command('key').description('API keys of a tenant');
  addReading(key, session);
  addCreate(key, session);
  addRotate(key, session);
  addRevoke(key, session);
  addSwitches(key, session);
}

function addReading(key: Command, session: Session): void {
  key
    .command('list')
    .description('list the API keys of a tenant')
    .argument(...TENANT)
    .option('--service <id>', 'only keys that open this service and nothing else')
    .option('--limit <n>', 'at most so many; absent: all', whole(1))
    .action(async (tenant: string, options: { service?: string; limit?: number }, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathOf`/admin/tenants/${tenant}/api-keys`;
      const found = await api.list(path, 'apiKeys', { serviceId: options.service }, options.limit);
      output.list(found, 'API keys', () =>
        table(found, [
          ['ID', ({ id }) => id],
          ['NAME', ({ name }) => name],
          ['BEGINS', ({ prefix }) => prefix],
          ['SERVICE', ({ serviceId }) => serviceId],
          ['CREATED', ({ createdAt }) => createdAt],
          ['EXPIRES', ({ validUntil, expiresAt }) => validUntil ?? expiresAt],
          ['STATE', stateOf],
        ]),
      );
    });
  key
    .command('show')
    .description('show what is known of an API key')
    .argument(...TENANT)
    .argument(...KEY)
    .action(async (tenant: string, id: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/tenants/${tenant}/api-keys/${id}`);
      output.result(body, () => fields(body));
    });
}

function addCreate(key: Command, session: Session): void {
  const create = key
    .command('create')
    .description('create an API key, shown once')
    .argument(...TENANT);
  withKeyFlags(create)
    .option(...OUTPUT_FILE)
    .action(async (tenant: string, flags: KeyFlags & { outputFile?: string }, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathOf`/admin/tenants/${tenant}/api-keys`;
      const shown = { field: 'key', what: 'API key', outputFile: flags.outputFile };
      const body = await termsOf(flags);
      await makeSecret(output, shown, async () => (await api.call('POST', path, { body })).body);
    });
}

function addRotate(key: Command, session: Session): void {
  key
    .command('rotate')
    .description('replace an API key by a new one with the same terms, shown once')
    .argument(...TENANT)
    .argument(...KEY)
    .option('--grace-seconds <n>', 'how long the old key works beside the new one', whole(0), 3600)
    .option(...WAIT)
    .option(...OUTPUT_FILE)
    .action(
      async (
        tenant: string,
        id: string,
        options: Waiting & { graceSeconds: number; outputFile?: string },
        command: Command,
      ) => {
        const { api, output } = session.open(command);
        const path = pathOf`/admin/tenants/${tenant}/api-keys/${id}/rotate`;
        const { graceSeconds, outputFile } = options;
        const call = { body: { graceSeconds }, query: waitQuery(options.wait) };
        const made = await makeSecret(output, { field: 'key', what: 'API key', outputFile }, async () => {
          return (await api.call('POST', path, call)).body;
        });
        tellWhoFollowed(session, output, made);
      },
    );
}

function addRevoke(key: Command, session: Session): void {
  key
    .command('revoke')
    .description('revoke an API key for good')
    .argument(...TENANT)
    .argument('<key>', 'id of the API key, or the hex SHA-256 of one that another program has mapped')
    .option(...WAIT)
    .action(async (tenant: string, id: string, { wait }: Waiting, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathOf`/admin/tenants/${tenant}/api-keys/${id}`;
      const { body } = await api.call('DELETE', path, { query: waitQuery(wait) });
      output.result({ ...body, revoked: id }, () => `revoked ${id}`);
      tellWhoFollowed(session, output, body);
    });
}

function addSwitches(key: Command, session: Session): void {
  for (const [verb, enabled] of [
    ['disable', false],
    ['enable', true],
  ] as const) {
    key
      .command(verb)
      .description(
        enabled ? 'let a disabled API key in again' : 'refuse an API key until it is enabled again',
      )
      .argument(...TENANT)
      .argument(...KEY)
      .option(...WAIT)
      .action(async (tenant: string, id: string, { wait }: Waiting, command: Command) => {
        const { api, output } = session.open(command);
        const path = pathOf`/admin/tenants/${tenant}/api-keys/${id}`;
        const { body } = await api.call('PATCH', path, { body: { enabled }, query: waitQuery(wait) });
        output.result(body, () => `${verb}d ${id}`);
        tellWhoFollowed(session, output, body);
      });
  }
}

function stateOf({ active, enabled, replacedBy }: Document): string {
  if (active === true) return replacedBy === undefined ? 'active' : 'replaced';
  return enabled === false ? 'disabled' : 'ended';
}
