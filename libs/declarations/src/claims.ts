import { matchKeys } from '#libs/publications';
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
      // Two routes that have one of these in common cannot be told apart.
      ...matchKeys(route).map((key) => ({
        name: `requests ${key}`,
        path: places.route(index, ['path']),
        message: (other: string) => `${other} publishes the same: ${shown(key)}`,
      })),
    ]),
  ];
}

/** Without the headers, whose values may come from variables. */
function shown(matchKey: string): string {
  return /^\S+ \S+ \S+/.exec(matchKey)?.[0] ?? '';
}
