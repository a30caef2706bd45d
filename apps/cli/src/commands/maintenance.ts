import type { Command } from 'commander';
import { createHash, randomBytes } from 'node:crypto';
import { pathOf, type Document } from '../admin-api';
import { misuse } from '../failure';
import { several, whole } from '../flags';
import { fields } from '../output/table';
import type { Session } from '../session';

/** What is under maintenance: everything, unless a tenant is named, or a service of one. */
interface Scope {
  tenant?: string;
  service?: string;
}

interface StartFlags extends Scope {
  message?: string;
  until?: string;
  retryAfter?: number;
  allowIp?: string[];
  bypass?: boolean;
}

/** Enough that nobody guesses it. */
const BYPASS_BYTES = 24;

/** `gatehouse maintenance …` */
export function addMaintenanceCommands(program: Command, session: Session): void {
  const maintenance = program
    .command('maintenance')
    .description('refuse requests for a while: of everybody, of a tenant, or of a service');
  addStart(maintenance, session);
  scoped(maintenance.command('stop').description('end a maintenance')).action(
    async (scope: Scope, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathFor(scope);
      if (path === GATEWAY) await api.call('DELETE', path);
      else await api.call('PATCH', path, { body: { maintenance: null } });
      output.result({ stopped: nameOf(scope) }, () => `no maintenance of ${nameOf(scope)} any more`);
    },
  );
  scoped(maintenance.command('show').description('show a maintenance')).action(
    async (scope: Scope, command: Command) => {
      const { api, output } = session.open(command);
      const path = pathFor(scope);
      const { body } = await api.call('GET', path);
      const shown = path === GATEWAY ? body : (body.maintenance as Document | undefined);
      output.result(shown ?? {}, () => (shown ? fields(shown) : `no maintenance of ${nameOf(scope)}`));
    },
  );
}

function addStart(maintenance: Command, session: Session): void {
  scoped(maintenance.command('start'))
    .description('begin a maintenance, or put another in its place')
    .option('--message <text>', 'said to clients')
    .option('--until <time>', 'over from then on, such as 2030-01-31T06:00:00Z')
    .option('--retry-after <seconds>', 'where nothing says when it is over; absent: 60', whole(1))
    .option('--allow-ip <address>', 'address or block that is served all the same; may be repeated', several)
    .option('--bypass', 'make a token that operators send as X-Maintenance-Bypass, and print it')
    .action(async (flags: StartFlags, command: Command) => {
      const { api, output } = session.open(command);
      const token = flags.bypass ? randomBytes(BYPASS_BYTES).toString('base64url') : undefined;
      const document = documentOf(flags, token);
      const path = pathFor(flags);
      if (path === GATEWAY) await api.call('PUT', path, { body: present(document) });
      // What is not said is removed, or it would be left over from the last one.
      else await api.call('PATCH', path, { body: { maintenance: document } });
      const result = { ...present(document), ...(token && { bypassToken: token }) };
      output.result(result, () => [`maintenance of ${nameOf(flags)}`, token].filter(Boolean).join('\n'));
    });
}

const GATEWAY = '/admin/maintenance';

function scoped(command: Command): Command {
  return command
    .option('--tenant <tenant>', 'of this tenant; absent: of the whole gateway')
    .option('--service <service>', 'of this service of the tenant');
}

function pathFor({ tenant, service }: Scope): string {
  if (tenant === undefined && service !== undefined) throw misuse('--service needs --tenant');
  if (tenant === undefined) return GATEWAY;
  const path = pathOf`/admin/tenants/${tenant}`;
  return service === undefined ? path : path + pathOf`/services/${service}`;
}

function nameOf({ tenant, service }: Scope): string {
  if (tenant === undefined) return 'the gateway';
  return service === undefined ? tenant : `service ${service} of ${tenant}`;
}

function documentOf(flags: StartFlags, token: string | undefined): Document {
  const { message = null, until = null, retryAfter = null, allowIp = null } = flags;
  const bypassSha256 = token === undefined ? null : createHash('sha256').update(token).digest('hex');
  return { message, until, retryAfterSeconds: retryAfter, allowedIps: allowIp, bypassSha256 };
}

function present(document: Document): Document {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null));
}
