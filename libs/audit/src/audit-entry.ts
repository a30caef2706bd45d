import { randomBytes } from 'node:crypto';

/** What somebody has done, or tried. Never a credential. */
export interface AuditEvent {
  /** `owner`, `key:` and the id of an API key, `anonymous` where no credential was asked for, or `unknown`. */
  readonly actor: string;
  /** Noun and verb, such as `token.revoke`. */
  readonly action: string;
  readonly tenantId?: string;
  /** Which of the tenant's or the gateway's things it was about. */
  readonly target?: string;
  readonly requestId: string;
  readonly ip: string;
  /** HTTP status of the answer; 499: nobody waited for one, and what was asked for may be done. */
  readonly status: number;
  readonly details?: Readonly<Record<string, string>>;
}

export interface AuditEntry extends AuditEvent {
  /** Sorts by time, and within one process in the order of the events. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
}

/**
 * Each kind has a bound of its own: strangers who are refused a million times, and a tenant who changes a key all day,
 * push out none of what the owner has done.
 */
export const KINDS = ['owners', 'tenants', 'strangers'] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf({ actor }: Pick<AuditEvent, 'actor'>): Kind {
  if (actor === 'unknown') return 'strangers';
  return actor === 'anonymous' || actor.startsWith('key:') ? 'tenants' : 'owners';
}

/** Base 36 milliseconds fill nine digits until the year 5188. */
const TIME_DIGITS = 9;
const SEQUENCE_DIGITS = 4;
export const AUDIT_ID = /^[0-9a-z]{13}[0-9a-f]{8}$/;

/** @param sequence counts the entries of this process; the random end tells processes apart. */
export function auditId(now: number, sequence: number): string {
  const counted = (sequence % 36 ** SEQUENCE_DIGITS).toString(36).padStart(SEQUENCE_DIGITS, '0');
  return idsFrom(now) + counted + randomBytes(4).toString('hex');
}

/** What lies before all ids of a time, in milliseconds since the epoch, and behind those of earlier ones. */
export function idsFrom(time: number): string {
  return Math.max(0, Math.floor(time)).toString(36).padStart(TIME_DIGITS, '0');
}
