import type { BreakerTerms } from '#libs/store';

/** When the requests to a target are stopped for a while, because they fail or take too long. */
export interface BreakerPolicy {
  /** Failures in a row that open it. Absent means 5. */
  failures?: number;
  /** Share of failed requests in the window that opens it, in percent. Absent means 50. */
  errorPercent?: number;
  /** A response whose head has not come after so many milliseconds is slow. Absent: none is. */
  slowMs?: number;
  /** Share of slow requests in the window that opens it, in percent. Absent means 80. */
  slowPercent?: number;
  /** Requests in the window below which no share is judged. Absent means 20. */
  minRequests?: number;
  /** Absent means 10. */
  windowSeconds?: number;
  /** How long it opens at first, milliseconds; twice as long each time that it opens again soon. Absent means 10,000. */
  openMs?: number;
  /** The longest that it opens. Absent means 300,000, or `openMs` if that is more. */
  maxOpenMs?: number;
  /** Requests that all replicas together let through, and that must go well, before it closes. Absent means 3. */
  probes?: number;
  /** Statuses that count as failures, of the 5xx; for `passive` too. Absent means 502, 503 and 504. */
  failureStatuses?: number[];
}

export const BREAKER_DEFAULTS = {
  failures: 5,
  errorPercent: 50,
  slowPercent: 80,
  minRequests: 20,
  windowSeconds: 10,
  openMs: 10_000,
  maxOpenMs: 300_000,
  probes: 3,
  failureStatuses: [502, 503, 504],
} as const satisfies BreakerPolicy;

/** A policy with nothing left open. */
export interface BreakerRules {
  readonly failures: number;
  readonly errorPercent: number;
  /** Infinity where nothing is slow. */
  readonly slowMs: number;
  readonly slowPercent: number;
  readonly minRequests: number;
  readonly windowMs: number;
  readonly terms: BreakerTerms;
}

/** @param probeMs how long a probe may take, before its place is given to another. */
export function breakerRules(policy: BreakerPolicy, probeMs: number): BreakerRules {
  const all = { ...BREAKER_DEFAULTS, ...policy };
  return {
    failures: all.failures,
    errorPercent: all.errorPercent,
    slowMs: policy.slowMs ?? Infinity,
    slowPercent: all.slowPercent,
    minRequests: all.minRequests,
    windowMs: all.windowSeconds * 1000,
    terms: {
      openMs: all.openMs,
      maxOpenMs: Math.max(all.openMs, all.maxOpenMs),
      probes: all.probes,
      permitMs: probeMs,
    },
  };
}
