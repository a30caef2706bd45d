import { routePath } from '#libs/tenants';
import type { PublishedRouteRule } from '#libs/publications';
import type { Path } from './problem';
import type { ReadFile } from './read-file';
import type { FileProblem } from './problem';

/** A file as it is now, and the last of its versions that was served. */
export interface Candidate {
  readonly now: ReadFile;
  readonly served?: ReadFile;
}

/** Which version of each file is to be served. */
export interface Composition {
  readonly served: readonly ReadFile[];
  /** Why the present version of a file is not among them, by its name: it clashes with another file. */
  readonly clashes: ReadonlyMap<string, readonly FileProblem[]>;
}

/** Something that only one file can have, and where a file asks for it. */
interface Claim {
  readonly name: string;
  readonly path: Path;
  readonly message: (other: string) => string;
}

/**
 * Chooses between files that ask for the same thing. Whoever serves it already keeps it: a new file cannot take away
 * what works. Where nobody does, at a start, the first in the order of names gets it.
 */
export function compose(candidates: readonly Candidate[]): Composition {
  const owners = new Map<string, string>();
  const served: ReadFile[] = [];
  const clashes = new Map<string, readonly FileProblem[]>();
  const admit = (file: ReadFile): readonly FileProblem[] => {
    const claims = claimsOf(file);
    const problems = claims.flatMap((claim) => {
      const owner = owners.get(claim.name);
      const problem = { path: claim.path, message: claim.message(owner ?? ''), severity: 'error' as const };
      return owner === undefined || !file.declared ? [] : [file.declared.source.place(problem)];
    });
    if (problems.length > 0) return problems;
    for (const { name } of claims) owners.set(name, file.file);
    served.push(file);
    return [];
  };

  const changed: Candidate[] = [];
  for (const candidate of [...candidates].sort(byName)) {
    const { now, served: before } = candidate;
    if (now.declared && now !== before) changed.push(candidate);
    else if (before) admit(before);
  }
  for (const { now, served: before } of changed) {
    const problems = admit(now);
    if (problems.length === 0) continue;
    clashes.set(now.file, problems);
    if (before) admit(before);
  }
  return { served: served.sort((left, right) => (left.file < right.file ? -1 : 1)), clashes };
}

function byName(left: Candidate, right: Candidate): number {
  return left.now.file < right.now.file ? -1 : 1;
}

function claimsOf({ declared }: ReadFile): Claim[] {
  if (!declared) return [];
  const { tenant, routes, apiKeys, places } = declared.project;
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
    ...routes.flatMap((route, index) =>
      requestsOf(route).map((requests) => ({
        name: `route ${requests}`,
        path: places.route(index, ['path']),
        message: (other: string) => `${other} publishes the same: ${requests}`,
      })),
    ),
  ];
}

/** Two routes that have one of these in common cannot be told apart: neither is more particular than the other. */
function requestsOf({ path, hosts = ['*'], methods = ['*'], headers = {} }: PublishedRouteRule): string[] {
  const wanted = Object.entries(headers).map(([name, value]) => ` ${name.toLowerCase()}=${value}`);
  const ending = `${pathOf(path)}${wanted.sort().join('')}`;
  return hosts.flatMap((host) => methods.map((method) => `${method} ${host.toLowerCase()} ${ending}`));
}

function pathOf(path: string): string {
  try {
    return routePath(path);
  } catch {
    return path;
  }
}
