import { normalPath } from '../normal-path';
import { routePath } from '../route-path';
import type { RequestFacts } from './header-text';
import { PathPattern } from './path-template';
import { QueryChanges, type QueryChangeFields } from './query-changes';

/** One way to another path: the first pattern that fits decides. */
export interface PathChange {
  /** `/users/{id}`, `/files/{path...}`: compared with the path as it is without the prefix that was removed. */
  from: string;
  /** `/v2/people/{id}`: what it becomes, before a prefix is added. */
  to: string;
}

/** What an upstream is asked for in the place of what was asked of the gateway. */
export interface RewritePolicy {
  /** Removed from the front of the path, in whole segments; true removes the path of the route. */
  stripPrefix?: boolean | string;
  /** Put before it, at last. */
  addPrefix?: string;
  paths?: PathChange[];
  query?: QueryChangeFields;
  /** Whether addresses and cookie paths in responses are brought back to what clients see. */
  responses?: boolean;
}

/** A rewrite compiled for the request path. */
export class PathRewrite {
  readonly mapsResponses: boolean;
  /** Removed from the front of paths, and put there; empty for nothing. */
  readonly stripped: string;
  readonly added: string;
  private readonly changes: ReadonlyArray<readonly [from: PathPattern, to: PathPattern]>;
  private readonly queries: QueryChanges | undefined;

  /** @param path of the route. */
  constructor(policy: RewritePolicy, path: string) {
    const { stripPrefix, addPrefix, paths = [], query, responses } = policy;
    this.stripped = prefixOf(stripPrefix === true ? path : stripPrefix || '/');
    this.added = prefixOf(addPrefix ?? '/');
    this.changes = paths.map(({ from, to }) => [patternOf(from), patternOf(to)] as const);
    this.queries = query && new QueryChanges(query);
    this.mapsResponses = responses ?? false;
  }

  /**
   * The path that the upstream is asked for, in normal form; empty for its own address.
   * @throws GatewayError bad_request_target where what was put together is no path
   */
  path(routed: string): string {
    const bare = this.stripped === '' ? routed : routed.slice(this.stripped.length);
    const path = this.added + (this.changed(bare) ?? bare);
    return path === '' || path === routed ? path : normalPath(path);
  }

  query(query: string, facts: RequestFacts): string {
    return this.queries?.apply(query, facts) ?? query;
  }

  /** The path that leads to an upstream's path; undefined if none does. */
  original(path: string): string | undefined {
    const { added } = this;
    if (added !== '' && path !== added && !path.startsWith(`${added}/`)) return undefined;
    const bare = path.slice(added.length);
    for (const [from, to] of this.changes) {
      const values = to.fits(from) && from.fits(to) ? to.match(bare || '/') : undefined;
      if (values) return this.stripped + from.fill(values);
    }
    return this.stripped + bare;
  }

  private changed(bare: string): string | undefined {
    for (const [from, to] of this.changes) {
      const values = from.match(bare === '' ? '/' : bare);
      if (values) return to.fill(values);
    }
    return undefined;
  }
}

function patternOf(text: string): PathPattern {
  const pattern = PathPattern.parse(text);
  if (typeof pattern === 'string') throw new Error(`a pattern that was checked ${pattern}`);
  return pattern;
}

/** Without the slash that the root consists of, so that it can be put before a path. */
function prefixOf(path: string): string {
  const normal = routePath(path);
  return normal === '/' ? '' : normal;
}
