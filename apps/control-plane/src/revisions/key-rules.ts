import type { RevisedObject } from '#libs/revisions';
import { hasEndedKey, type ApiKeyRecord } from '#libs/tenants';

/** Said once more or less: nothing that opens something comes back by a rollback. */
export const STAYS_REVOKED = 'was revoked, which is for good';
export const STAYS_NEW = 'was made since, and stays';

/** Fields that say whether a key works at all, and not what it may do. */
const LIFE = ['enabled', 'expiresAt', 'validUntil', 'replacedBy'] as const;

/**
 * The step back for an API key, or why there is none. Its terms go back; whether it works does not: a key that was revoked,
 * disabled, replaced or given an end since stays so, whatever it was before.
 */
export function keyStep(step: RevisedObject, now: number): RevisedObject | string {
  const { before, after } = step;
  if (before === null) return STAYS_REVOKED;
  if (after === null) return STAYS_NEW;
  const [current, earlier] = [recordIn(before), recordIn(after)];
  if (!current || !earlier) return 'is not a key that was made here';
  if (!current.enabled) return 'is disabled, and stays so';
  if (hasEndedKey(current, now) || current.replacedBy !== undefined) return 'has ended or been replaced';
  const kept: Record<string, unknown> = { ...earlier };
  for (const field of LIFE) {
    if (current[field] === undefined) delete kept[field];
    else kept[field] = current[field];
  }
  return { ...step, after: JSON.stringify(kept) };
}

function recordIn(text: string): ApiKeyRecord | undefined {
  try {
    const record = JSON.parse(text) as ApiKeyRecord | null;
    return typeof record === 'object' && typeof record?.id === 'string' ? record : undefined;
  } catch {
    return undefined;
  }
}
