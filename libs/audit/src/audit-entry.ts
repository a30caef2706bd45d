import { randomBytes } from 'node:crypto';
import type { Link } from './chain';

/** What somebody has done, or tried. Never a credential. */
export interface AuditEvent {
  /** `owner`, `admin:` and the id of an admin token, `key:` and that of an API key, `token:` and that of a token, `anonymous` where no credential was asked for, or `unknown`. */
  readonly actor: string;
  /** How the admin token is called that it was done with. */
  readonly actorName?: string;
  /** What that token is for. */
  readonly actorRole?: string;
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
  /** The revision of the configuration that it has made. */
  readonly revision?: number;
  /** What has changed in the configuration. */
  readonly changes?: readonly AuditedChange[];
}

/** What a change has made of one object; see `revisions`. Never a secret. */
export interface AuditedChange {
  readonly kind: string;
  readonly id: string;
  readonly tenantId?: string;
  readonly change: 'created' | 'updated' | 'deleted';
  /** By JSON pointer (RFC 6901). */
  readonly patch: ReadonlyArray<{
    readonly path: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }>;
}

export interface AuditEntry extends AuditEvent, Partial<Omit<Link, 'at'>> {
  /** Sorts by time, and within one process in the order of the events. */
  readonly id: string;
  /** ISO 8601. */
  readonly at: string;
  /** In which chain it is, with its number and digests; absent in entries from before there were chains. */
  readonly chain?: Kind;
}

/**
 * Each kind is a chain with a bound of its own: strangers who are refused a million times, and a tenant who changes a key
 * all day, push out none of what the owner has done. Custody is about the store as a whole, and stays with it: who has
 * taken a backup, and who has restored one.
 */
export const KINDS = ['owners', 'tenants', 'strangers', 'custody'] as const;
export type Kind = (typeof KINDS)[number];

export function kindOf({
  actor,
  actorRole,
  action,
}: Pick<AuditEvent, 'actor' | 'actorRole' | 'action'>): Kind {
  if (actor === 'unknown') return 'strangers';
  if (/^backup\./.test(action)) return 'custody';
  if (actorRole === 'tenant' || actor === 'anonymous') return 'tenants';
  return /^(?:key|token):/.test(actor) ? 'tenants' : 'owners';
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
