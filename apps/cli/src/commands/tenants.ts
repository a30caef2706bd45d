import type { Command } from 'commander';
import { pathOf, type Document } from '../admin-api';
import { misuse } from '../failure';
import { readDocument } from '../files';
import { whole } from '../flags';
import { fields, table } from '../output/table';
import type { Session } from '../session';
import { documentOf, withTenantFlags, type TenantFlags } from './tenant-flags';

/** `gatehouse tenant …` */
export function addTenantCommands(program: Command, session: Session): void {
  const tenant = program.command('tenant').description('tenants: who is served, and how');
  addReading(tenant, session);
  addCreate(tenant, session);
  addUpdate(tenant, session);
  addDelete(tenant, session);
  addSuspension(tenant, session);
}

function addReading(tenant: Command, session: Session): void {
  tenant
    .command('list')
    .description('list tenants')
    .option('--limit <n>', 'at most so many; absent: all', whole(1))
    .action(async ({ limit }: { limit?: number }, command: Command) => {
      const { api, output } = session.open(command);
      const tenants = await api.list('/admin/tenants', 'tenants', {}, limit);
      output.list(tenants, 'tenants', () =>
        table(tenants, [
          ['ID', ({ id }) => id],
          ['NAME', ({ name }) => name],
          ['UPSTREAM', ({ upstreamBaseUrl }) => upstreamBaseUrl],
          ['ROUTES', ({ allowedRoutes }) => (allowedRoutes as unknown[] | undefined)?.length],
          ['STATE', stateOf],
        ]),
      );
    });
  tenant
    .command('show')
    .description('show a tenant')
    .argument('<tenant>', 'id of the tenant')
    .action(async (id: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/tenants/${id}`);
      output.result(body, () => fields(body));
    });
}

function addCreate(tenant: Command, session: Session): void {
  const create = tenant
    .command('create')
    .description('create a tenant')
    .argument('[tenant]', 'id; absent: that of the file, or one is generated');
  withTenantFlags(create).action(async (id: string | undefined, flags: TenantFlags, command: Command) => {
    const { api, output } = session.open(command);
    const document = await fromFile(flags);
    const body = documentOf(id === undefined ? document : { ...document, id }, flags);
    const { body: created } = await api.call('POST', '/admin/tenants', { body });
    output.result(created, () => `created ${String(created.id)}`);
  });
}

function addUpdate(tenant: Command, session: Session): void {
  const update = tenant
    .command('update')
    .description('change parts of a tenant; in a file, null removes a field')
    .argument('<tenant>', 'id of the tenant')
    .option('--replace', 'remove what is not said, instead of leaving it as it is');
  withTenantFlags(update).action(
    async (id: string, flags: TenantFlags & { replace?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const body = documentOf(await fromFile(flags), flags);
      if (Object.keys(body).length === 0) throw misuse('nothing is said that could be changed');
      // The id in the path is the one that counts; that of a file which was exported must not be in the way.
      const { id: own, ...changes } = body;
      if (own !== undefined && own !== id) throw misuse(`the file is about another tenant than ${id}`);
      const method = flags.replace ? 'PUT' : 'PATCH';
      const { body: updated } = await api.call(method, pathOf`/admin/tenants/${id}`, { body: changes });
      output.result(updated, () => `updated ${id}`);
    },
  );
}

function addDelete(tenant: Command, session: Session): void {
  tenant
    .command('delete')
    .description('delete a tenant with its services, API keys and counters')
    .argument('<tenant>', 'id of the tenant')
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathOf`/admin/tenants/${id}`;
      // A script has said what it wants; people mistype.
      if (session.terminal.interactive) await session.confirm(`Delete ${id} and all its keys?`, yes);
      await api.call('DELETE', path);
      output.result({ deleted: id }, () => `deleted ${id}`);
    });
}

function addSuspension(tenant: Command, session: Session): void {
  for (const [verb, done, description] of [
    ['suspend', 'suspended', 'refuse all requests of a tenant from now on'],
    ['resume', 'resumed', 'end a suspension'],
  ] as const) {
    tenant
      .command(verb)
      .description(description)
      .argument('<tenant>', 'id of the tenant')
      .action(async (id: string, _options: object, command: Command) => {
        const { api, output } = session.open(command);
        const { body } = await api.call('POST', pathOf`/admin/tenants/${id}` + `/${verb}`);
        output.result(body, () => `${done} ${id}`);
      });
  }
}

async function fromFile({ file }: TenantFlags): Promise<Document> {
  return file === undefined ? {} : readDocument(file);
}

function stateOf({ problems, suspended, maintenance }: Document): string {
  if (problems !== undefined) return 'broken';
  if (maintenance !== undefined && suspended !== true) return 'maintenance';
  return suspended === true ? 'suspended' : 'active';
}
