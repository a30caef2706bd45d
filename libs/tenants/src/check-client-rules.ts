import { objectionToAddressRange } from '#libs/config';
import { checkRateLimit, type Dictionary, type Report } from './field-checks';

/** Compiling as many takes some 10 ms, once for each change. */
const MAX_ENTRIES = 10_000;
/** More problems than these help nobody. */
const MAX_PROBLEMS = 20;

/** What is wrong with what a document says about its clients. @param field of the document; empty for the whole. */
export function checkClientRules(document: Dictionary, field: string, report: Report): void {
  const { ipAllow, ipDeny, rateLimitPerIp } = document;
  const prefix = field === '' ? '' : `${field}.`;
  if (ipAllow !== undefined) checkAddressList(ipAllow, `${prefix}ipAllow`, MAX_ENTRIES, report);
  if (ipDeny !== undefined) checkAddressList(ipDeny, `${prefix}ipDeny`, MAX_ENTRIES, report);
  if (rateLimitPerIp !== undefined) checkRateLimit(rateLimitPerIp, `${prefix}rateLimitPerIp`, report);
}

/** An empty list is refused: it could mean that nobody or that everybody is let in. */
export function checkAddressList(list: unknown, field: string, maxEntries: number, report: Report): void {
  if (!Array.isArray(list) || list.length === 0 || list.length > maxEntries)
    return report(field, `must be a list of 1 to ${maxEntries} entries`);
  let problems = 0;
  list.forEach((entry: unknown, index) => {
    const objection = typeof entry === 'string' ? objectionToAddressRange(entry) : 'must be a text';
    if (objection && ++problems <= MAX_PROBLEMS) report(`${field}.${index}`, objection);
  });
}
