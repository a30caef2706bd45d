import { checkFlag, checkKnown, checkWhole, isDictionary, type Report } from './field-checks';

const FIELDS = [
  'attempts', 'backoffMs', 'maxBackoffMs', 'jitter', 'statuses', 'perTryTimeoutMs', 'bodyBytes', 'exhaustedStatus',
]; // prettier-ignore
export const MAX_ATTEMPTS = 10;
const MAX_BACKOFF_MS = 600_000;
const MAX_TRY_MS = 86_400_000;
/** Of one request; what all of them may keep together is a setting. */
const MAX_BODY_BYTES = 16_777_216;
const MAX_STATUSES = 20;
/** Failures of a client that pass: waited too long, too early (RFC 8470), too many requests. */
const PASSING = [408, 425, 429];

/** Checks a retry policy. Fields nobody knows are refused in stored documents too, as in every policy. */
export function checkRetries(policy: unknown, report: Report): void {
  if (policy === undefined) return;
  if (!isDictionary(policy)) return report('retries', 'must be an object');
  const inner: Report = (field, message) => report(`retries.${field}`, message);
  checkKnown(policy, FIELDS, inner);
  const whole = (field: string, min: number, max: number): boolean =>
    policy[field] === undefined || checkWhole(policy[field], field, min, max, inner);
  whole('attempts', 0, MAX_ATTEMPTS);
  const base = whole('backoffMs', 0, MAX_BACKOFF_MS);
  const longest = whole('maxBackoffMs', 0, MAX_BACKOFF_MS);
  const { backoffMs, maxBackoffMs, jitter, statuses, exhaustedStatus } = policy;
  if (base && longest && Number(maxBackoffMs) < Number(backoffMs))
    inner('maxBackoffMs', 'must not be less than backoffMs');
  if (jitter !== undefined) checkFlag(jitter, 'jitter', inner);
  if (statuses !== undefined && !areStatuses(statuses))
    inner('statuses', `must be a list of up to ${MAX_STATUSES} of 408, 425, 429 and 500 to 599`);
  whole('perTryTimeoutMs', 1, MAX_TRY_MS);
  whole('bodyBytes', 0, MAX_BODY_BYTES);
  if (exhaustedStatus !== undefined && exhaustedStatus !== 503) inner('exhaustedStatus', 'must be 503');
}

function areStatuses(statuses: unknown): boolean {
  return (
    Array.isArray(statuses) &&
    statuses.length <= MAX_STATUSES &&
    statuses.every(
      (status) =>
        PASSING.includes(status as number) || (Number.isInteger(status) && status >= 500 && status <= 599),
    )
  );
}
