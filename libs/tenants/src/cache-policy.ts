import { hash } from 'node:crypto';

/** What is stored of the responses of a tenant, service or route. Without one nothing is. */
export interface CachePolicy {
  /** Absent means true; false on a route ends what its service or tenant says. */
  enabled?: boolean;
  /** How long a response is fresh, in the place of what it says itself. Absent: as it says (RFC 9111 §4.2). */
  ttlSeconds?: number;
  /** Whose requests are answered: GET, and HEAD from a stored GET. Absent means both. */
  methods?: Array<'GET' | 'HEAD'>;
  /** Request headers that tell responses apart although the responses do not say so. */
  varyOn?: string[];
  /** Which parameters of the query tell responses apart; absent: all, in their order. */
  keyQuery?: { include: string[] } | { ignore: string[] };
  /**
   * Whether what one principal gets is for that one alone. Absent: yes, wherever a request has a token, an Authorization
   * or a Cookie.
   */
  perIdentity?: boolean;
  /** Statuses that may be stored and that `ttlSeconds` is for. Absent: RFC 9110 §15.1, and 200, 203, 301 and 308. */
  statuses?: number[];
  /** Absent means 1 MiB. */
  maxBodyBytes?: number;
  /** Absent: as the response says (RFC 5861). */
  staleWhileRevalidateSeconds?: number;
  staleIfErrorSeconds?: number;
  /** Of everything stored by this policy, beside the tags of the responses. */
  tags?: string[];
}

const DEFAULT_MAX_BODY_BYTES = 1_048_576;
/** Of the digest of a policy: what was stored by another one is not found any more. */
const ID_DIGITS = 12;

/** A policy compiled for the request path. */
export class ServedCachePolicy {
  /** False: nothing is stored here, but what an unsafe request changes is dropped (RFC 9111 §4.4). */
  readonly stores: boolean;
  readonly id: string;
  readonly ttlMs: number | undefined;
  /** Whether HEAD is answered from a stored GET. */
  readonly head: boolean;
  /** In lower case. */
  readonly varyOn: readonly string[];
  readonly includedQuery: ReadonlySet<string> | undefined;
  readonly ignoredQuery: ReadonlySet<string> | undefined;
  readonly perIdentity: boolean | undefined;
  readonly statuses: ReadonlySet<number> | undefined;
  readonly maxBodyBytes: number;
  readonly staleWhileRevalidateMs: number | undefined;
  readonly staleIfErrorMs: number | undefined;
  readonly tags: readonly string[];

  constructor(policy: CachePolicy) {
    const { keyQuery, methods, ttlSeconds, statuses } = policy;
    this.stores = (policy.enabled ?? true) && (methods?.includes('GET') ?? true);
    this.id = hash('sha256', JSON.stringify(policy), 'hex').slice(0, ID_DIGITS);
    this.ttlMs = milliseconds(ttlSeconds);
    this.head = methods?.includes('HEAD') ?? true;
    this.varyOn = (policy.varyOn ?? []).map((name) => name.toLowerCase());
    this.includedQuery = keyQuery && 'include' in keyQuery ? new Set(keyQuery.include) : undefined;
    this.ignoredQuery = keyQuery && 'ignore' in keyQuery ? new Set(keyQuery.ignore) : undefined;
    this.perIdentity = policy.perIdentity;
    this.statuses = statuses && new Set(statuses);
    this.maxBodyBytes = policy.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
    this.staleWhileRevalidateMs = milliseconds(policy.staleWhileRevalidateSeconds);
    this.staleIfErrorMs = milliseconds(policy.staleIfErrorSeconds);
    this.tags = policy.tags ?? [];
  }
}

/** On routes without a policy at a place where another route has one: a POST there changes what a GET was answered with. */
export const INVALIDATES_ONLY = new ServedCachePolicy({ enabled: false });

export function servedCache(policy: CachePolicy | undefined): ServedCachePolicy | undefined {
  return policy && new ServedCachePolicy(policy);
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : seconds * 1000;
}
