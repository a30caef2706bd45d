import type {
  AuthPolicy,
  CachePolicy,
  ClientRuleFields,
  RateLimit,
  RetryPolicy,
  RouteShapeFields,
  SignatureSettings,
} from '#libs/tenants';

/** One of the services that a published route divides its requests between. */
export interface PublishedBackend {
  /** Id of a service of the same tenant. */
  service: string;
  /** Share of the requests in proportion to the other backends' weights; absent means 1, 0 none. */
  weight?: number;
}

/** Which requests a published route takes, and what becomes of them. */
export interface PublishedRouteRule extends RouteShapeFields, SignatureSettings, ClientRuleFields {
  /** Unique in the tenant: letters, digits, `.`, `_`, `-`. */
  name: string;
  /** Prefix in whole segments: `/captionacc/prefect` takes that path and everything below it. */
  path: string;
  /** Host names without port, lower case; `*.example.com` takes one label more. Absent: any host. */
  hosts?: string[];
  /** Upper-case methods; absent: any. GET includes HEAD. */
  methods?: string[];
  /** Headers that must be there with exactly this value, by name. */
  headers?: Record<string, string>;
  backends: PublishedBackend[];
  /** Removed from the front of the path before it is forwarded; `true` removes `path`. */
  stripPrefix?: boolean | string;
  /** Put before the path that is forwarded, after anything was removed. */
  addPrefix?: string;
  /** `apiKey`: whether an API key of the tenant is asked for, beside or instead of a token. Absent: neither is. */
  auth?: AuthPolicy & { apiKey?: boolean };
  /** Limit of this route, beside those of its tenant and services. */
  rateLimit?: RateLimit;
  /** In place of those of the service and the tenant. */
  retries?: RetryPolicy;
  /** Largest request body, in the place of those of service and tenant. */
  maxBodyBytes?: number;
  /**
   * Tells the upstream through which gateway a request has come, and when: `X-Gateway-Region`, which is this text, and
   * `X-Gateway-Timestamp`, seconds since the epoch. Absent: neither.
   */
  gatewayRegion?: string;
  /** Whether a client's `X-API-Key` is the upstream's, and forwarded; not where the route asks for a key itself. */
  forwardApiKey?: boolean;
  /** What is stored of the responses; overrides that of the service and the tenant. */
  cache?: CachePolicy;
}

/** What a tenant publishes at the root of the gateway: the document under `tenant:publication:{tenantId}`. */
export interface Publication {
  tenantId: string;
  routes: PublishedRouteRule[];
}
