import { checkWhole, checkWholes, isDictionary, type Report } from './field-checks';

const RANGES = {
  failures: [1, 1000],
  errorPercent: [1, 100],
  slowMs: [1, 3_600_000],
  slowPercent: [1, 100],
  minRequests: [1, 100_000],
  windowSeconds: [1, 3600],
  openMs: [10, 3_600_000],
  maxOpenMs: [10, 86_400_000],
  probes: [1, 100],
} as const;

/** The `breaker` of a service or a tenant. */
export function checkBreaker(breaker: unknown, report: Report): void {
  if (breaker === undefined) return;
  if (!isDictionary(breaker)) return report('breaker', 'must be an object');
  const { failureStatuses, ...numbers } = breaker;
  checkWholes(numbers, 'breaker', RANGES, report);
  if (failureStatuses !== undefined && !isStatusList(failureStatuses))
    report('breaker.failureStatuses', 'must be a list of 1 to 100 statuses from 500 to 599');
}

export function checkSlowStart(seconds: unknown, report: Report): void {
  if (seconds !== undefined) checkWhole(seconds, 'slowStartSeconds', 1, 3600, report);
}

function isStatusList(list: unknown): boolean {
  const isServerError = (status: unknown): boolean =>
    typeof status === 'number' && Number.isInteger(status) && status >= 500 && status <= 599;
  return Array.isArray(list) && list.length > 0 && list.length <= 100 && list.every(isServerError);
}
