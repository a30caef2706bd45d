import { checkKnown, checkWhole, checkWholes, isDictionary, type Report } from './field-checks';
import type { HealthCheck } from './service';

const CHECK_FIELDS = [
  'path', 'intervalSeconds', 'timeoutMs', 'healthyAfter', 'unhealthyAfter', 'expectStatus', 'host',
]; // prettier-ignore
const PASSIVE_RANGES = {
  failures: [1, 1000],
  errorPercentAbove: [1, 100],
  minRequests: [1, 100_000],
  ejectSeconds: [1, 3600],
  maxEjectSeconds: [1, 86_400],
  maxEjectedPercent: [1, 100],
} as const;
/** Goes into a request line as it is: visible ASCII, and no fragment. */
const CHECK_PATH = /^\/[!-"$-~]{0,2047}$/;
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const STATUSES = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/;
const DEFAULT_STATUSES: readonly [number, number] = [200, 399];

export function checkHealthCheck(check: unknown, report: Report): void {
  if (!isDictionary(check)) return report('healthCheck', 'must be an object');
  const inner: Report = (field, message) => report(`healthCheck.${field}`, message);
  checkKnown(check, CHECK_FIELDS, inner);
  if (typeof check.path !== 'string' || !CHECK_PATH.test(check.path))
    inner('path', 'must be a path that begins with a slash, percent-encoded where need be');
  const whole = (field: string, min: number, max: number): void => {
    if (check[field] !== undefined) checkWhole(check[field], field, min, max, inner);
  };
  whole('intervalSeconds', 1, 3600);
  whole('timeoutMs', 1, 60_000);
  whole('healthyAfter', 1, 100);
  whole('unhealthyAfter', 1, 100);
  if (check.expectStatus !== undefined && statusesOf(check.expectStatus) === undefined)
    inner('expectStatus', 'must be a status such as 204 or a range such as 200-399');
  if (check.host !== undefined && (typeof check.host !== 'string' || !HOST.test(check.host)))
    inner('host', 'must be a host name, with a port where need be');
}

export function checkPassive(passive: unknown, report: Report): void {
  if (!isDictionary(passive)) return report('passive', 'must be an object or false');
  checkWholes(passive, 'passive', PASSIVE_RANGES, report);
}

/** The first and the last status that a check takes for healthy. */
export function expectedStatuses({ expectStatus }: HealthCheck): readonly [number, number] {
  return statusesOf(expectStatus) ?? DEFAULT_STATUSES;
}

function statusesOf(expected: unknown): readonly [number, number] | undefined {
  if (typeof expected !== 'string' && typeof expected !== 'number') return undefined;
  const [, first, last = first] = STATUSES.exec(String(expected)) ?? [];
  const range = [Number(first), Number(last)] as const;
  return range[0] <= range[1] ? range : undefined;
}
