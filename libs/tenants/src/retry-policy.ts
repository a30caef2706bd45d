import { common } from './common-parts';
import { GenerationalCache } from './generational-cache';

/** When and how often a failed request is sent again: a field of tenants, services and published routes. */
export interface RetryPolicy {
  /** Attempts beyond the first; 0 turns retries off. Absent means 2. */
  attempts?: number;
  /** Before the first retry; doubled before each further one. Absent means 25. */
  backoffMs?: number;
  /** The longest wait, also for an upstream's `Retry-After`. Absent means ten times `backoffMs`. */
  maxBackoffMs?: number;
  /** Whether waits are drawn between nothing and the full one; false waits exactly. Absent means true. */
  jitter?: boolean;
  /** Statuses of upstreams that are taken for failures. Absent means 502, 503 and 504. */
  statuses?: number[];
  /** From the start of an attempt to the head of its response. Absent: the time-outs of the request alone. */
  perTryTimeoutMs?: number;
  /** The largest request body that is kept to be sent again. Absent means 65,536. */
  bodyBytes?: number;
  /** What becomes of a request that has failed so often that none is left. Absent: the last failure, as it is. */
  exhaustedStatus?: 503;
}

const DEFAULT_ATTEMPTS = 2;
const DEFAULT_BACKOFF_MS = 25;
const BACKOFF_FACTOR = 10;
const DEFAULT_STATUSES = [502, 503, 504];
const DEFAULT_BODY_BYTES = 65_536;

/** A retry policy with nothing left open. */
export interface ServedRetries {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly jitter: boolean;
  readonly statuses: ReadonlySet<number>;
  readonly perTryTimeoutMs: number | undefined;
  readonly bodyBytes: number;
  readonly exhaustedStatus: 503 | undefined;
}

const MAX_COMMON_POLICIES = 1000;
const policies = new GenerationalCache<ServedRetries>(MAX_COMMON_POLICIES);

/** The policy as the request path needs it; undefined where there is none. */
export function servedRetries(policy: RetryPolicy | undefined): ServedRetries | undefined {
  return policy && common(policies, JSON.stringify(policy), () => compile(policy));
}

function compile(policy: RetryPolicy): ServedRetries {
  const { attempts = DEFAULT_ATTEMPTS, backoffMs = DEFAULT_BACKOFF_MS, jitter = true } = policy;
  const { statuses = DEFAULT_STATUSES, bodyBytes = DEFAULT_BODY_BYTES } = policy;
  return {
    attempts,
    backoffMs,
    maxBackoffMs: policy.maxBackoffMs ?? backoffMs * BACKOFF_FACTOR,
    jitter,
    statuses: new Set(statuses),
    perTryTimeoutMs: policy.perTryTimeoutMs,
    bodyBytes,
    exhaustedStatus: policy.exhaustedStatus,
  };
}

/**
 * How long to wait before a retry, in milliseconds: exponential, and with full jitter, so that requests that failed
 * together do not come back together.
 * @param retry 1 for the first.
 */
export function backoffMs(policy: ServedRetries, retry: number, random = Math.random): number {
  const full = Math.min(policy.maxBackoffMs, policy.backoffMs * 2 ** (retry - 1));
  return policy.jitter ? random() * full : full;
}
