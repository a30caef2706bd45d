import type { AddressPolicy } from '../address-policy';
import {
  checkFlag,
  checkKnown,
  checkMethods,
  checkUrl,
  checkWhole,
  isDictionary,
  type Report,
} from '../field-checks';
import { isServiceId } from '../service';
import { checkHeaders } from './check-headers';

const FIELDS = [
  'url', 'service', 'percent', 'methods', 'maxBodyBytes', 'timeoutMs', 'headers', 'credentials',
]; // prettier-ignore
/** Of each request that is copied so much is kept until it is sent. */
const MAX_BODY_BYTES = 1_048_576;
const MAX_TIMEOUT_MS = 60_000;

/**
 * Where copies of requests go.
 * @param addresses where it may point to; absent: not judged, because the document is old.
 */
export function checkMirror(
  mirror: unknown,
  field: string,
  addresses: AddressPolicy | undefined,
  report: Report,
): void {
  if (mirror === undefined) return;
  if (!isDictionary(mirror)) return report(field, 'must be an object');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(mirror, FIELDS, inner);
  const { url, service, percent, methods, maxBodyBytes, timeoutMs, headers, credentials } = mirror;
  if ((url === undefined) === (service === undefined)) report(field, 'must have either url or service');
  if (url !== undefined) checkUrl(url, `${field}.url`, 'upstream', addresses, report);
  if (service !== undefined && (typeof service !== 'string' || !isServiceId(service)))
    inner('service', 'must be the id of a service');
  if (percent !== undefined && !isPercentage(percent)) inner('percent', 'must be a number from 0 to 100');
  if (methods !== undefined) checkMethods(methods, `${field}.methods`, report);
  if (maxBodyBytes !== undefined) checkWhole(maxBodyBytes, 'maxBodyBytes', 0, MAX_BODY_BYTES, inner);
  if (timeoutMs !== undefined) checkWhole(timeoutMs, 'timeoutMs', 1, MAX_TIMEOUT_MS, inner);
  if (headers !== undefined) checkHeaders(headers, `${field}.headers`, 'request', report);
  if (credentials !== undefined) checkFlag(credentials, 'credentials', inner);
}

function isPercentage(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 100;
}
