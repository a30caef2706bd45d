import type { PublishedRouteRule } from '#libs/publications';
import { routePath } from '#libs/tenants';
import type { Path } from './problem';
import type { Project } from './project';

/** Something that nobody else can have, and where the file asks for it. */
export interface Claim {
  readonly name: string;
  readonly path: Path;
  readonly message: (other: string) => string;
}

export function claimsOf({ tenant, routes, apiKeys, places }: Project): Claim[] {
  return [
    {
      name: `tenant ${tenant.id}`,
      path: places.tenant(['id']),
      message: (other) => `"${tenant.id}" is declared in ${other} too`,
    },
    ...apiKeys.map(({ sha256 }, index) => ({
      name: `key ${sha256}`,
      path: places.apiKey(index, ['sha256']),
      message: (other: string) => `the same key is declared in ${other} too`,
    })),
    ...routes.flatMap((route, index) => [
      {
        name: `route of ${tenant.id} called ${route.name}`,
        path: places.route(index, ['name']),
        message: (other: string) => `"${route.name}" is the name of another route in ${other}`,
      },
      ...requestsOf(route).map((requests) => ({
        name: `requests ${requests}`,
        path: places.route(index, ['path']),
        message: (other: string) => `${other} publishes the same: ${requests}`,
      })),
    ]),
  ];
}

/** Two routes that have one of these in common cannot be told apart: neither is more particular than the other. */
function requestsOf({ path, hosts = ['*'], methods = ['*'], headers = {} }: PublishedRouteRule): string[] {
  const wanted = Object.entries(headers).map(([name, value]) => ` ${name.toLowerCase()}=${value}`);
  const ending = `${pathOf(path)}${wanted.sort().join('')}`;
  const all = hosts.flatMap((host) => methods.map((method) => `${method} ${host.toLowerCase()} ${ending}`));
  return [...new Set(all)];
}

function pathOf(path: string): string {
  try {
    return routePath(path);
  } catch {
    return path;
  }
}
