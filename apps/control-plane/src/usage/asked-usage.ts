import { GatewayError } from '#libs/errors';
import { usageRange, type UsageGroup } from '#libs/usage';

/** A range of time as it is asked for, each end as a date or a moment. */
export interface AskedRange {
  from?: string;
  to?: string;
}

const DEFAULT_MS = 30 * 86_400_000;
/** Years of five digits are written in another way. */
const LATEST = Date.parse('9999-12-31');

/**
 * The range with both ends, by default the thirty days until now.
 * @param now milliseconds since the epoch.
 */
export function rangeOf({ from, to }: AskedRange, now = Date.now()): { from: string; to: string } {
  const end = to === undefined ? now : Date.parse(to);
  // Of an end that is none `usageRange` complains, and the beginning is not to blame.
  const start = new Date((end > 0 && end < LATEST ? end : now) - DEFAULT_MS);
  return { from: from ?? start.toISOString(), to: to ?? new Date(now).toISOString() };
}

/**
 * The whole hours that a range covers, in ISO 8601.
 * @throws GatewayError validation_failed
 */
export function hoursOf(range: { from: string; to: string }): { from: string; to: string } {
  const { from, to } = usageRange(range);
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/**
 * What rows are wanted for, by default days.
 * @param field names the parameter in problems.
 * @throws GatewayError validation_failed
 */
export function groupsOf(
  list: string | undefined,
  allowed: readonly UsageGroup[],
  field: string,
): readonly UsageGroup[] {
  if (list === undefined) return ['day'];
  const names = list.split(',');
  const known = allowed.filter((group) => names.includes(group));
  if (known.length < names.length) {
    const message = `must be some of ${allowed.join(', ')}, each once, with commas between them`;
    throw new GatewayError('validation_failed', undefined, { fields: [{ field, message }] });
  }
  return names as UsageGroup[];
}
