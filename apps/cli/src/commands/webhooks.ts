import { Option, type Command } from 'commander';
import { pathOf, type Document } from '../admin-api';
import { misuse } from '../failure';
import { whole } from '../flags';
import { fields, table } from '../output/table';
import type { Session } from '../session';
import { makeSecret } from './secrets';
import { WEBHOOK, addDeliveryCommands } from './webhook-deliveries';

/** Said here, for a command loads nothing of the gateway; a test holds it to what there is. */
export const EVENTS = [
  'key.created',
  'key.revoked',
  'key.rotated',
  'key.expiring',
  'billing.cycle_closed',
  'billing.spend_cap',
  'billing.quota',
  'limit.degraded',
  'limit.tenant_limited',
  'breaker.opened',
  'breaker.closed',
];
const OUTPUT_FILE = [
  '--output-file <file>',
  'write the secret into a new file that only you may read',
] as const;

/** `gatehouse webhook …` */
export function addWebhookCommands(program: Command, session: Session): void {
  const webhook = program.command('webhook').description('where events are sent to');
  addReading(webhook, session);
  addCreate(webhook, session);
  addUpdate(webhook, session);
  addDelete(webhook, session);
  addRotate(webhook, session);
  addDeliveryCommands(webhook, session);
}

function addReading(webhook: Command, session: Session): void {
  webhook
    .command('list')
    .description('list webhooks')
    .option('--tenant <tenant>', 'only those of a tenant')
    .action(async ({ tenant }: { tenant?: string }, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', '/admin/webhooks', { query: { tenant } });
      const webhooks = body.webhooks as Document[];
      output.list(webhooks, 'webhooks', () =>
        table(webhooks, [
          ['ID', ({ id }) => id],
          ['TENANT', ({ tenantId }) => tenantId],
          ['URL', ({ url }) => url],
          ['EVENTS', ({ events }) => (events as string[]).join(' ') || 'all'],
          ['STATE', ({ enabled }) => (enabled === true ? 'enabled' : 'disabled')],
        ]),
      );
    });
  webhook
    .command('show')
    .description('show a webhook; its secret is shown when it is made, and never again')
    .argument(...WEBHOOK)
    .action(async (id: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/webhooks/${id}`);
      output.result(body, () => fields(body));
    });
}

interface Creation {
  tenant?: string;
  event?: string[];
  description?: string;
  disabled?: boolean;
  outputFile?: string;
}

function addCreate(webhook: Command, session: Session): void {
  webhook
    .command('create')
    .description('have events sent to a URL, signed with a secret that is shown once')
    .argument('<address>', 'URL with http or https')
    .option('--tenant <tenant>', 'only events of this tenant; absent: of all, and of the gateway')
    .addOption(new Option('--event <event...>', 'which events; absent: all').choices(EVENTS))
    .option('--description <text>', 'what it is for')
    .option('--disabled', 'send nothing until it is enabled')
    .option(...OUTPUT_FILE)
    .action(async (url: string, flags: Creation, command: Command) => {
      const { api, output } = session.open(command);
      const { tenant, event, description, disabled, outputFile } = flags;
      const body = { url, tenantId: tenant, events: event, description, ...(disabled && { enabled: false }) };
      await makeSecret(output, { field: 'secret', what: 'secret of webhook', outputFile }, async () => {
        return (await api.call('POST', '/admin/webhooks', { body })).body;
      });
    });
}

interface Changes {
  sendTo?: string;
  event?: string[];
  allEvents?: boolean;
  description?: string;
  enable?: boolean;
  disable?: boolean;
}

function addUpdate(webhook: Command, session: Session): void {
  webhook
    .command('update')
    .description('change a webhook')
    .argument(...WEBHOOK)
    .option('--send-to <address>', 'another URL')
    .addOption(new Option('--event <event...>', 'only these events').choices(EVENTS))
    .option('--all-events', 'every event')
    .option('--description <text>', 'what it is for')
    .option('--enable', 'send again')
    .option('--disable', 'send nothing; what is on its way waits until it is too old')
    .action(async (id: string, flags: Changes, command: Command) => {
      const { api, output } = session.open(command);
      const body = patchOf(flags);
      if (Object.keys(body).length === 0) throw misuse('nothing is said that could be changed');
      const { body: updated } = await api.call('PATCH', pathOf`/admin/webhooks/${id}`, { body });
      output.result(updated, () => `updated ${id}`);
    });
}

function patchOf({ sendTo, event, allEvents, description, enable, disable }: Changes): Document {
  if (event && allEvents) throw misuse('--event and --all-events exclude each other');
  if (enable && disable) throw misuse('--enable and --disable exclude each other');
  const said: Document = {
    url: sendTo,
    events: allEvents ? [] : event,
    description,
    enabled: enable ? true : disable ? false : undefined,
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

function addDelete(webhook: Command, session: Session): void {
  webhook
    .command('delete')
    .description('remove a webhook with everything that is on its way to it')
    .argument(...WEBHOOK)
    .option('--yes', 'do not ask')
    .action(async (id: string, { yes }: { yes?: boolean }, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathOf`/admin/webhooks/${id}`;
      // A script has said what it wants; people mistype.
      if (session.terminal.interactive) await session.confirm(`Delete ${id} and what it waits for?`, yes);
      await api.call('DELETE', path);
      output.result({ deleted: id }, () => `deleted ${id}`);
    });
}

function addRotate(webhook: Command, session: Session): void {
  webhook
    .command('rotate-secret')
    .description('make a new secret, shown once')
    .argument(...WEBHOOK)
    .requiredOption('--grace-seconds <n>', 'how long the old one signs as well', whole(0))
    .option(...OUTPUT_FILE)
    .action(async (id: string, options: { graceSeconds: number; outputFile?: string }, command: Command) => {
      const { api, output } = session.open(command);
      const { graceSeconds, outputFile } = options;
      await makeSecret(output, { field: 'secret', what: 'secret of webhook', outputFile }, async () => {
        const path = pathOf`/admin/webhooks/${id}/rotate-secret`;
        return (await api.call('POST', path, { body: { graceSeconds } })).body;
      });
    });
}
