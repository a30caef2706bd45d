import type { ServiceTokenRecord } from './service-token';

export const TOKEN_STATES = ['active', 'revoked', 'expired'] as const;
export type TokenState = (typeof TOKEN_STATES)[number];

/** Other programs may sign tokens with our secret and call them as they like, within what is a name in a store. */
const TOKEN_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Whether tokens of this `jti` can be taken back. One that cannot must not be accepted.
 */
export function isTokenId(jti: unknown): jti is string {
  return typeof jti === 'string' && TOKEN_ID.test(jti);
}

/** Until when a revocation is kept of a token that was not issued here, if nobody knows when it expires. */
export const NEVER = '9999-12-31T23:59:59.000Z';

/** Revoked tokens stay revoked when they expire. */
export function stateOf({ revoked, expiresAt }: ServiceTokenRecord, now: number): TokenState {
  if (revoked) return 'revoked';
  return Date.parse(expiresAt) > now ? 'active' : 'expired';
}

/** The record in a stored text; undefined where that is none. */
export function parseTokenRecord(jti: string, text: string): ServiceTokenRecord | undefined {
  const record = dictionary(text) as Partial<ServiceTokenRecord> | undefined;
  const { project, service, createdAt, expiresAt, createdBy } = record ?? {};
  const texts = [project, service, createdAt, expiresAt, createdBy];
  if (!texts.every((value) => typeof value === 'string') || Number.isNaN(Date.parse(expiresAt ?? '')))
    return undefined;
  return { ...(record as ServiceTokenRecord), jti };
}

/** Whether a stored text takes a token back. One that cannot be understood does: nobody knows that it does not. */
export function takesBack(text: string): boolean {
  const record = dictionary(text);
  return record === undefined || ![undefined, null, false].includes(record.revoked as undefined);
}

function dictionary(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
