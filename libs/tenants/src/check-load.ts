import { checkMaintenance } from './check-maintenance';
import { checkWhole, type Dictionary, type Report } from './field-checks';

const MAX_AT_ONCE = 1_000_000;

/** The largest body that a tenant, a service or a route may take. @param field of the document. */
export function checkMaxBody(value: unknown, field: string, report: Report): void {
  if (value !== undefined) checkWhole(value, field, 1, Number.MAX_SAFE_INTEGER, report);
}

/** What a tenant or a service says about how much it takes. */
export function checkLoad(
  { maxBodyBytes, maxConcurrency, maxStreams, maintenance }: Dictionary,
  report: Report,
): void {
  checkMaxBody(maxBodyBytes, 'maxBodyBytes', report);
  if (maxConcurrency !== undefined) checkWhole(maxConcurrency, 'maxConcurrency', 1, MAX_AT_ONCE, report);
  if (maxStreams !== undefined) checkWhole(maxStreams, 'maxStreams', 0, MAX_AT_ONCE, report);
  if (maintenance !== undefined) checkMaintenance(maintenance, 'maintenance', report);
}
