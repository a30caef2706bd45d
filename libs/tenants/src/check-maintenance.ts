import type { FieldProblem } from '#libs/errors';
import { checkAddresses, checkMoment } from './check-terms';
import { checkKnown, checkWhole, isDictionary, parseJson, type Report } from './field-checks';
import type { Maintenance } from './maintenance';

const FIELDS = ['message', 'until', 'retryAfterSeconds', 'allowedIps', 'bypassSha256'];
const MAX_MESSAGE_LENGTH = 500;
const SHA256 = /^[0-9a-f]{64}$/;
/** Longer than anybody keeps a page open. */
const MAX_RETRY_SECONDS = 604_800;

/** A maintenance that holds together, or the reasons why a document is none. */
export type CheckedMaintenance =
  { maintenance: Maintenance; problems?: undefined } | { maintenance?: undefined; problems: FieldProblem[] };

/** Fields that nobody knows are refused: one that was misspelt may have been meant to let somebody in. */
export function checkMaintenance(value: unknown, field: string, report: Report): void {
  const inner: Report = (name, message) => report(field === '' ? name : `${field}.${name}`, message);
  if (!isDictionary(value)) return report(field, 'must be an object');
  checkKnown(value, FIELDS, inner);
  const { message, until, retryAfterSeconds, allowedIps, bypassSha256 } = value;
  if (message !== undefined && !isMessage(message))
    inner('message', `must be a text of 1 to ${MAX_MESSAGE_LENGTH} characters`);
  if (until !== undefined) checkMoment(until, 'until', inner);
  if (retryAfterSeconds !== undefined)
    checkWhole(retryAfterSeconds, 'retryAfterSeconds', 1, MAX_RETRY_SECONDS, inner);
  if (allowedIps !== undefined) checkAddresses(allowedIps, 'allowedIps', inner);
  if (bypassSha256 !== undefined && !(typeof bypassSha256 === 'string' && SHA256.test(bypassSha256)))
    inner('bypassSha256', 'must be a SHA-256 in lower-case hex');
}

/** Reads a stored document. */
export function parseMaintenance(text: string): CheckedMaintenance {
  const parsed = parseJson(text);
  if ('problems' in parsed) return { problems: parsed.problems };
  const problems: FieldProblem[] = [];
  checkMaintenance(parsed.document, '', (field, message) => void problems.push({ field, message }));
  return problems.length > 0 ? { problems } : { maintenance: parsed.document as Maintenance };
}

function isMessage(message: unknown): boolean {
  return typeof message === 'string' && message.trim() !== '' && message.length <= MAX_MESSAGE_LENGTH;
}
