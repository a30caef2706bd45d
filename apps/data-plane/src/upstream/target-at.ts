import type { RequestContext } from '#libs/guards';
import { pathAt, type Upstream } from '#libs/tenants';

/** What an upstream is asked for: a path with its query, as routes have rewritten it. */
export function targetAt({ shaped, routedPath, query }: RequestContext, upstream: Upstream): string {
  return shaped ? pathAt(upstream, shaped.path) + shaped.query : pathAt(upstream, routedPath) + query;
}
