import type { CountedRequests } from './recent-seconds';
import type { TalliedTenant } from './top-tenants';

/** Another one for every change that older readers would misunderstand. */
const FORM = 1;

/** A target of an upstream, as one process sees it. */
export interface TargetNote {
  readonly tenantId: string;
  /** Empty for the tenant's own upstream. */
  readonly serviceId: string;
  readonly url: string;
  readonly trouble: 'failed_checks' | 'failed_requests' | 'circuit_open' | null;
  readonly breaker: 'closed' | 'half_open' | 'open' | 'forced_open' | 'forced_closed' | null;
  readonly pending: number;
  readonly problem: string | null;
}

export interface UsageNote {
  readonly batches: number;
  readonly oldestSeconds: number;
  readonly journalErrors: number;
}

/** What one process says of itself. */
export interface ProcessNote {
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly state: 'starting' | 'ready' | 'draining';
  /** Cores in use. */
  readonly cpu: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  readonly eventLoopDelayMs: number;
  readonly inflight: number;
  readonly openStreams: number;
  readonly config: {
    readonly ageMs: number;
    readonly trusted: boolean;
    readonly changes: number;
    /** Milliseconds since the epoch; null for never. */
    readonly changedAt: number | null;
    readonly revision: string | null;
  };
  readonly storeLatencyMs: number | null;
  readonly usageBacklog: UsageNote;
}

/** What a process leaves on the board of vitals, each second that somebody looks. */
export interface VitalsNote extends ProcessNote {
  readonly form: typeof FORM;
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of all requests under the empty name, of tenants that somebody looks at under theirs. */
  readonly counted: Readonly<Record<string, CountedRequests>>;
  readonly top: { readonly seconds: number; readonly tenants: readonly TalliedTenant[] };
  readonly targets: readonly TargetNote[];
}

export function noteText(note: Omit<VitalsNote, 'form'>): string {
  return JSON.stringify({ form: FORM, ...note } satisfies VitalsNote);
}

/** Undefined for what a process of another version has written. */
export function parseNote(text: string): VitalsNote | undefined {
  const note = JSON.parse(text) as Partial<VitalsNote>;
  return note.form === FORM ? (note as VitalsNote) : undefined;
}

/** What watchers leave on their board: whose figures they want. */
export interface WatchNote {
  readonly scopes: readonly string[];
}
