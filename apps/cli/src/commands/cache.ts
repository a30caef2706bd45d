import type { Command } from 'commander';
import { pathOf } from '../admin-api';
import { misuse } from '../failure';
import { fields } from '../output/table';
import type { Session } from '../session';
import { tellWhoFollowed, waitQuery } from './waiting';

const TENANT = ['<tenant>', 'id of the tenant'] as const;

interface PurgeFlags {
  path?: string[];
  prefix?: string[];
  tag?: string[];
  route?: string[];
  all?: boolean;
  soft?: boolean;
  wait?: boolean;
}

/** `gatehouse cache …` */
export function addCacheCommands(program: Command, session: Session): void {
  const cache = program.command('cache').description('stored responses of a tenant');
  cache
    .command('show')
    .description('show how much is stored, and what became of requests')
    .argument(...TENANT)
    .action(async (tenant: string, _options: object, command: Command) => {
      const { api, output } = session.open(command);
      const { body } = await api.call('GET', pathOf`/admin/tenants/${tenant}/cache`);
      output.result(body, () => fields(body));
    });
  cache
    .command('purge')
    .description('forget stored responses')
    .argument(...TENANT)
    .option('--path <path...>', 'paths with their queries, as clients ask for them')
    .option('--prefix <path...>', 'what paths begin with')
    .option('--tag <tag...>', 'tags of responses or policies')
    .option('--route <name...>', 'paths of routes, /proxy/{id}, or names of published routes')
    .option('--all', 'everything that is stored for the tenant')
    .option('--soft', 'mark as stale instead of forgetting')
    .option('--wait', 'until every replica has followed')
    .action(async (tenant: string, flags: PurgeFlags, command: Command) => {
      const { api, output } = session.open(command);
      const { path: paths, prefix, tag, route, all, soft, wait } = flags;
      if (!all && !paths && !prefix && !tag && !route)
        throw misuse('say what to purge: --path, --prefix, --tag, --route or --all');
      const about = { urls: paths, prefixes: prefix, tags: tag, routes: route };
      const body = { ...about, ...(all && { everything: true }), ...(soft && { soft: true }) };
      const path = pathOf`/admin/tenants/${tenant}/cache/purge`;
      const { body: purged } = await api.call('POST', path, { body, query: waitQuery(wait) });
      output.result(purged, () => (soft ? 'marked as stale' : 'purged'));
      tellWhoFollowed(session, output, purged);
    });
}
