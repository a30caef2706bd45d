import { hash } from 'node:crypto';
import { keys, type Bucket } from '#libs/store';
import {
  Turns,
  addressRulesOf,
  clientLimitOf,
  routePath,
  servedCache,
  servedRetries,
  shapeOf,
  type AddressRules,
  type AuthPolicy,
  type ClientLimit,
  type InboundSignature,
  type Route,
  type ServedCachePolicy,
  type ServedRetries,
  type Shape,
  type SigningPolicy,
} from '#libs/tenants';
import { matchKeys, methodsOf } from './match-keys';
import type { PublishedRouteRule } from './publication';

/** A published rule compiled for the request path. */
export class PublishedRoute implements Route {
  readonly name: string;
  readonly path: string;
  readonly hosts: readonly string[] | undefined;
  readonly methods: ReadonlySet<string> | undefined;
  readonly requiresJwt: boolean;
  /** Whether an API key of the tenant is asked for. */
  readonly requiresApiKey: boolean;
  readonly auth: AuthPolicy | undefined;
  /** Of routes below `/api` only: tenants share those, and none shares this. */
  readonly limit = undefined;
  readonly bucket: Bucket | undefined;
  readonly retries: ServedRetries | undefined;
  readonly signing: SigningPolicy | false | undefined;
  readonly inboundSignature: InboundSignature | false | undefined;
  readonly maxBodyBytes: number | undefined;
  readonly addresses: AddressRules | undefined;
  readonly perClient: ClientLimit | undefined;
  readonly gatewayRegion: string | undefined;
  readonly forwardsApiKey: boolean;
  readonly cache: ServedCachePolicy | undefined;
  readonly key: string;
  /** Ids of the services that it leads to, those of weight 0 included. */
  readonly services: readonly string[];
  /** What is removed from the front of paths; empty for nothing. */
  readonly stripped: string;
  readonly shape: Shape | undefined;
  /** The stored document is broken by now, and this is what was left of the last good one. */
  broken = false;
  /** The file that declares it: it comes before all routes of the store that take the same. */
  declaredIn: string | undefined = undefined;
  /** What it takes, see `matchKeys`. */
  readonly matchKeys: readonly string[];
  private readonly headers: ReadonlyArray<readonly [name: string, value: string]>;
  private placeName: string | undefined = undefined;
  private readonly turns: Turns;
  private readonly added: string;

  /** @param vouchedHeaders what other routes to the same services make of tokens, see `compileRoutes`. */
  constructor(
    readonly tenantId: string,
    rule: PublishedRouteRule,
    readonly vouchedHeaders?: ReadonlySet<string>,
  ) {
    const { name, hosts, headers, backends, stripPrefix, addPrefix, auth, rateLimit } = rule;
    this.name = name;
    this.path = routePath(rule.path);
    this.hosts = hosts;
    this.methods = methodsOf(rule);
    this.headers = Object.entries(headers ?? {}).map(([header, value]) => [header.toLowerCase(), value]);
    this.requiresJwt = auth?.jwt ?? false;
    this.requiresApiKey = auth?.apiKey ?? false;
    this.auth = auth;
    this.signing = rule.signing;
    this.inboundSignature = rule.inboundSignature;
    this.maxBodyBytes = rule.maxBodyBytes;
    this.matchKeys = matchKeys(rule);
    this.key = this.matchKeys.join();
    this.services = backends.map(({ service }) => service);
    this.turns = new Turns(backends.map(({ weight = 1 }) => weight));
    this.stripped = prefixOf(stripPrefix === true ? this.path : stripPrefix || '/');
    this.added = prefixOf(addPrefix ?? '/');
    this.retries = servedRetries(rule.retries);
    const rewrite = rule.rewrite && { ...rule.rewrite, stripPrefix, addPrefix };
    this.shape = shapeOf({ ...rule, rewrite }, this.path);
    this.addresses = addressRulesOf(rule);
    this.perClient = clientLimitOf(rule);
    this.gatewayRegion = rule.gatewayRegion;
    this.forwardsApiKey = rule.forwardApiKey ?? false;
    this.cache = servedCache(rule.cache);
    this.bucket = rateLimit && {
      key: keys.rateLimitOfRoute(tenantId, this.limitName, rateLimit.windowSeconds),
      capacity: rateLimit.maxRequests,
      windowMs: rateLimit.windowSeconds * 1000,
      local: undefined,
    };
  }

  /**
   * Whether a request that came to its place is meant.
   * @param headers flat: name, value, name, value, …
   */
  takes(method: string, headers: readonly string[]): boolean {
    if (this.methods && !this.methods.has(method)) return false;
    return this.headers.every(([name, value]) => valueOf(name, headers) === value);
  }

  /** Whether somebody else's route takes some of the same requests. */
  rivals({ tenantId, matchKeys: theirs }: PublishedRoute): boolean {
    return tenantId !== this.tenantId && this.matchKeys.some((key) => theirs.includes(key));
  }

  /** By what its limits are kept. No digest of a tenant's route has a dash in it. */
  get limitName(): string {
    return `p-${this.name}`;
  }

  /** Whether the upstream gets other headers than the client has sent. */
  get changesRequest(): boolean {
    return this.shape?.requestHeaders !== undefined || this.auth?.claimHeaders !== undefined;
  }

  /**
   * Id of the service that gets the next request.
   * @param stay the one that is not to be left as long as the route leads to it; it takes nobody's turn.
   */
  nextService(stay?: string): string {
    const { services } = this;
    if (stay !== undefined && services.includes(stay)) return stay;
    return services[services.length === 1 ? 0 : this.turns.next()] as string;
  }

  /** Its name in the keys of stored responses: another one as soon as it forwards requests otherwise. */
  get place(): string {
    const { name, key, stripped, added, shape, auth } = this;
    const forwards = (): string => JSON.stringify([key, stripped, added, shape?.forwardsAs, auth]);
    return (this.placeName ??= `p:${name}:${hash('sha256', forwards(), 'hex').slice(0, 12)}`);
  }

  /** What the upstream is asked for; empty for the service's own address. */
  upstreamPath(path: string): string {
    return this.added + path.slice(this.stripped.length);
  }

  /**
   * Rules that ask for more come first: for methods, then for the most headers. Of two that take the same the declared one is
   * meant. The rest is for a stable order.
   */
  compare(other: PublishedRoute): number {
    return (
      Number(this.methods === undefined) - Number(other.methods === undefined) ||
      other.headers.length - this.headers.length ||
      Number(this.declaredIn === undefined) - Number(other.declaredIn === undefined) ||
      (this.tenantId + this.name < other.tenantId + other.name ? -1 : 1)
    );
  }
}

/** The value of a header that was sent once; undefined also where it was sent twice, which nobody can have meant. */
function valueOf(name: string, headers: readonly string[]): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== name) continue;
    if (value !== undefined) return undefined;
    value = headers[i + 1];
  }
  return value;
}

/** Without the slash that the root consists of, so that it can be put before a path. */
function prefixOf(path: string): string {
  const normal = routePath(path);
  return normal === '/' ? '' : normal;
}
