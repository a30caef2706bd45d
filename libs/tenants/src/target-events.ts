/** What happens to targets; the names are those of log lines and metrics, and stay. */
export type TargetEventName =
  | 'breaker_opened'
  | 'breaker_half_open'
  | 'breaker_closed'
  | 'breaker_forced_open'
  | 'breaker_forced_closed'
  | 'target_ejected'
  | 'target_returned';

export interface TargetEvent {
  readonly event: TargetEventName;
  readonly tenantId: string;
  /** Undefined for the upstream of a tenant's own routes. */
  readonly serviceId: string | undefined;
  /** Its URL. */
  readonly target: string;
  readonly reason?: string;
  /** Until when, ISO 8601. */
  readonly until?: string;
  /** How often it has happened without a long peace in between. */
  readonly times?: number;
  /** Whether this process has brought it about; false if it has learnt of it. */
  readonly decided: boolean;
}
