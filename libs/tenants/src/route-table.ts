import { looseForm } from './normal-path';
import { addressRulesOf, clientLimitOf, type AddressRules, type ClientLimit } from './address-rules';
import type { AuthPolicy } from './auth-policy';
import { routePath } from './route-path';
import { shapeOf, type Shape } from './shaping/shape';
import type { InboundSignature, SigningPolicy } from './signing-policy';
import { INVALIDATES_ONLY, servedCache, type ServedCachePolicy } from './cache-policy';
import type { RouteRule } from './tenant';

/** A compiled rule: what the guards need to know about the route a request takes. */
export interface Route {
  /** Normal form, without a slash at the end. */
  readonly path: string;
  /** Undefined means any method. */
  readonly methods: ReadonlySet<string> | undefined;
  readonly requiresJwt: boolean;
  /** What the token must say; undefined if the rule says nothing about it. */
  readonly auth: AuthPolicy | undefined;
  /** What the bucket of each tenant that has this route is like. */
  readonly limit: { readonly capacity: number; readonly windowMs: number } | undefined;
  /** What the route says of signatures; undefined: nothing, false: none are made or asked for. */
  readonly signing: SigningPolicy | false | undefined;
  readonly inboundSignature: InboundSignature | false | undefined;
  /** Undefined: that of the tenant. */
  readonly maxBodyBytes: number | undefined;
  /** From where its requests may come; undefined: from anywhere. */
  readonly addresses: AddressRules | undefined;
  readonly perClient: ClientLimit | undefined;
  /** The same for the same rule, however it is written: normal path and sorted methods. */
  readonly key: string;
  /** What becomes of messages here; undefined: they pass as they are. */
  readonly shape: Shape | undefined;
  /** What is stored of its responses; undefined: as the tenant says. */
  readonly cache: ServedCachePolicy | undefined;
}

interface Place {
  readonly loose: string;
  /** Rules with methods first: the more particular one decides. */
  readonly routes: Route[];
}

/**
 * A tenant's routes by path prefix; the longest prefix, in whole segments, wins. A look-up costs one map access
 * per segment, however many routes there are.
 */
export class RouteTable {
  private readonly places = new Map<string, Place>();
  /**
   * Loose form of every place, to notice paths that a lenient upstream would read as another place. Undefined when
   * every place is its own loose form, the common case.
   */
  private readonly loosePlaces: ReadonlySet<string> | undefined;
  /** Deepest place, so that a path of thousands of segments costs no more than a short one. */
  private maxDepth = 0;

  constructor(rules: readonly RouteRule[], jwtByDefault: boolean) {
    const caching = new Set(rules.filter(({ cache }) => cache).map(({ path }) => routePath(path)));
    for (const rule of rules) {
      const path = routePath(rule.path);
      const loose = looseForm(path);
      let place = this.places.get(path);
      if (!place) this.places.set(path, (place = { loose, routes: [] }));
      const route = compile(rule, path, jwtByDefault, caching.has(path));
      if (route.methods) place.routes.unshift(route);
      else place.routes.push(route);
      this.maxDepth = Math.max(this.maxDepth, depth(path), depth(loose));
    }
    const places = [...this.places];
    const strict = places.every(([path, { loose }]) => loose === path);
    if (!strict) this.loosePlaces = new Set(places.map(([, { loose }]) => loose));
  }

  /** The place that governs a normal path, or undefined if there is none or upstreams might disagree which it is. */
  find(path: string): readonly Route[] | undefined {
    const key = longestPrefix(this.places, path, this.maxDepth);
    const place = key === undefined ? undefined : this.places.get(key);
    const loose = looseForm(path);
    if (loose === path && !this.loosePlaces) return place?.routes;
    return longestPrefix(this.loosePlaces ?? this.places, loose, this.maxDepth) === place?.loose
      ? place?.routes
      : undefined;
  }
}

/** @param besideCaching whether another rule for this path has a cache policy. */
function compile(rule: RouteRule, path: string, jwtByDefault: boolean, besideCaching: boolean): Route {
  const { methods, rateLimit } = rule;
  return {
    path,
    methods: methods && new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods),
    requiresJwt: rule.auth?.jwt ?? jwtByDefault,
    auth: rule.auth,
    limit: rateLimit && { capacity: rateLimit.maxRequests, windowMs: rateLimit.windowSeconds * 1000 },
    signing: rule.signing,
    inboundSignature: rule.inboundSignature,
    maxBodyBytes: rule.maxBodyBytes,
    addresses: addressRulesOf(rule),
    perClient: clientLimitOf(rule),
    cache: servedCache(rule.cache) ?? (besideCaching ? INVALIDATES_ONLY : undefined),
    key: `${methods ? [...new Set(methods)].sort().join() : '*'} ${path}`,
    shape: shapeOf(rule, path),
  };
}

/** The route of a place that takes the method. */
export function routeFor(routes: readonly Route[], method: string): Route | undefined {
  return routes.find((route) => route.methods === undefined || route.methods.has(method));
}

/** Segments of a path. */
export function depth(path: string): number {
  return path === '/' ? 0 : path.split('/').length - 1;
}

/**
 * The longest prefix of a path, in whole segments, that is a place.
 * @param maxDepth segments of the deepest place.
 */
export function longestPrefix(
  places: { has(path: string): boolean },
  path: string,
  maxDepth: number,
): string | undefined {
  let end = 0;
  for (let segments = 0; segments < maxDepth && end < path.length; segments++) {
    const next = path.indexOf('/', end + 1);
    end = next < 0 ? path.length : next;
  }
  while (end > 0) {
    const prefix = path.slice(0, end);
    if (places.has(prefix)) return prefix;
    end = path.lastIndexOf('/', end - 1);
  }
  return places.has('/') ? '/' : undefined;
}
