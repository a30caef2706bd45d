import { upstreamAddress, type UpstreamHttp2 } from '#libs/config';
import { AddressList } from './address-list';
import { GenerationalCache } from './generational-cache';
import { trustOf, type TokenTrust, type TrustSettings } from './identity-provider';
import { RouteTable } from './route-table';
import type { RouteRule } from './tenant';

/** Where requests are forwarded to. */
export interface Upstream {
  /** `https://host:port`, as undici and metrics name it; with `h2` or `h2c` where HTTP/2 is spoken. */
  readonly origin: string;
  /** Path that goes before every forwarded path; empty or `/base` without a slash at the end. */
  readonly basePath: string;
  /** Path of the address itself, as it was given: what is asked for where there is no forwarded path. */
  readonly ownPath: string;
  /** Value of the `Host` header. */
  readonly host: string;
  /** Undefined for HTTP/1.1. */
  readonly http2?: UpstreamHttp2;
}

/** The path that an upstream is asked for. @param routedPath empty for the upstream's own address. */
export function pathAt({ ownPath, basePath }: Upstream, routedPath: string): string {
  return routedPath === '' ? ownPath : basePath + routedPath;
}

/**
 * Parts that many tenants, services or keys have in common, such as the routes of a plan, are compiled and kept once.
 * Bounded, because they need not have anything in common.
 */
const MAX_COMMON_PARTS = 1000;
const routeTables = new GenerationalCache<RouteTable>(MAX_COMMON_PARTS);
const upstreams = new GenerationalCache<Upstream>(MAX_COMMON_PARTS);
const trusts = new GenerationalCache<TokenTrust>(MAX_COMMON_PARTS);
const addressLists = new GenerationalCache<AddressList>(MAX_COMMON_PARTS);

/** The part that was compiled under this key, or a new one. */
export function common<T extends NonNullable<unknown>>(
  parts: GenerationalCache<T>,
  key: string,
  compile: () => T,
): T {
  let part = parts.get(key);
  if (!part) parts.set(key, (part = compile()));
  return part;
}

/** @param jwtByDefault whether rules that say nothing ask for a JWT. */
export function commonRoutes(rules: readonly RouteRule[], jwtByDefault: boolean): RouteTable {
  const key = `${jwtByDefault} ${JSON.stringify(rules)}`;
  return common(routeTables, key, () => new RouteTable(rules, jwtByDefault));
}

export function commonUpstream(baseUrl: string): Upstream {
  return common(upstreams, baseUrl, () => {
    const address = upstreamAddress(baseUrl);
    const { origin: plain, pathname, host } = address?.url ?? new URL(baseUrl);
    const http2 = address?.http2;
    const origin = http2 === undefined ? plain : `${http2}://${host}`;
    return { origin, basePath: pathname.replace(/\/+$/, ''), ownPath: pathname, host, http2 };
  });
}

export function commonTrust(settings: TrustSettings): TokenTrust {
  const trust = trustOf(settings);
  return common(trusts, JSON.stringify(trust), () => trust);
}

export function commonAddresses(allowed: readonly string[]): AddressList {
  return common(addressLists, allowed.join(), () => new AddressList(allowed));
}
