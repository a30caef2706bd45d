/**
 * What a token is for. `owner`: everything, tokens included · `operator`: the configuration · `viewer`: reading ·
 * `metrics`: Prometheus · `tenant`: the affairs of one tenant.
 */
export const ADMIN_ROLES = ['owner', 'operator', 'viewer', 'metrics', 'tenant'] as const;
export type AdminRole = (typeof ADMIN_ROLES)[number];

export const ADMIN_TOKEN_PREFIX = 'gh_admin_';

/** What is stored of a token, under its digest. The token itself is not. */
export interface AdminTokenRecord {
  /** Sorts by the time of creation. */
  readonly id: string;
  readonly name: string;
  readonly role: AdminRole;
  /** Of the role `tenant`. */
  readonly tenantId?: string;
  /** The beginning of the token, enough to recognise it by. */
  readonly prefix: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** The actor who made it. */
  readonly createdBy: string;
  /** ISO 8601; from this moment on it is refused. */
  readonly expiresAt?: string;
  /** ISO 8601; set by a rotation: until then it works beside the one that replaces it. */
  readonly validUntil?: string;
  readonly replacedBy?: string;
  readonly replaces?: string;
  /** Never taken out again. */
  readonly revoked?: { readonly at: string; readonly by: string; readonly reason?: string };
}

export type AdminTokenState = 'active' | 'expired' | 'revoked';

/** @param now milliseconds since the epoch. */
export function stateOfAdminToken(record: AdminTokenRecord, now: number): AdminTokenState {
  if (record.revoked) return 'revoked';
  const ended = [record.expiresAt, record.validUntil].some(
    (time) => time !== undefined && !(Date.parse(time) > now),
  );
  return ended ? 'expired' : 'active';
}

/**
 * The record in a stored text; undefined where that is none. Whoever cannot be understood is let in nowhere.
 */
export function parseAdminToken(text: string): AdminTokenRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<AdminTokenRecord> | null;
    const { id, name, role, tenantId, prefix, createdAt } = record ?? {};
    const sound =
      [id, name, prefix, createdAt].every((value) => typeof value === 'string') &&
      ADMIN_ROLES.includes(role as AdminRole) &&
      (role === 'tenant') === (typeof tenantId === 'string');
    return sound ? (record as AdminTokenRecord) : undefined;
  } catch {
    return undefined;
  }
}
