import type { FieldProblem } from '#libs/errors';
import type { ApiKeyFields, ApiKeyRecord } from './api-key';
import { TENANT_ID } from './check-tenant';
import { checkAddresses, checkLength, checkMoment } from './check-terms';
import {
  checkFlag,
  checkMethods,
  checkRateLimit,
  checkRoutePath,
  checkText,
  checkWhole,
  isDictionary,
  parseJson,
  type Report,
} from './field-checks';
import { isServiceId } from './service';

/** What an API key's document says: whose the key is, and its record if it was made here; or why it says nothing. */
export type KeyMapping =
  | { readonly tenantId: string; readonly record?: ApiKeyRecord; readonly problems?: undefined }
  | { readonly tenantId?: undefined; readonly record?: undefined; readonly problems: FieldProblem[] };

type Check = (value: unknown, field: string, report: Report) => void;

const MAX_NAME_LENGTH = 100;
const MAX_LABELS = 20;
const LABEL = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const MAX_LABEL_LENGTH = 100;
/** One million, as for all prices; nano-units of it are exact in a double. */
const MAX_PRICE = 1_000_000;
const DECIMAL = /^(?:0|[1-9]\d{0,6})(?:\.\d{1,9})?$/;
const MAX_QUOTA = 1_000_000_000_000;
/** Ids appear in keys, logs and URLs. */
const KEY_ID = /^[A-Za-z0-9_-]{1,64}$/;

const CHECKS: Record<keyof ApiKeyFields, Check> = {
  name: (value, field, report) => checkText(value, field, MAX_NAME_LENGTH, report),
  serviceId: checkServiceId,
  mode: (value, field, report) => {
    if (value !== 'live' && value !== 'test') report(field, 'must be live or test');
  },
  labels: checkLabels,
  expiresAt: checkMoment,
  enabled: checkFlag,
  rateLimit: checkRateLimit,
  pricePerRequest: checkPrice,
  allowedRoutes: checkRoutes,
  allowedMethods: (value, field, report) => {
    if (checkLength(value, field, report)) checkMethods(value, field, report);
  },
  allowedIps: checkAddresses,
  monthlyQuota: (value, field, report) => void checkWhole(value, field, 1, MAX_QUOTA, report),
};

/** Of a key that has been made: other scopes and modes are other keys. */
const FIXED = ['serviceId', 'mode'];
/** Without them a key is none, or is worth more than was meant. */
const NOT_REMOVABLE = ['name', 'enabled'];

/**
 * What is wrong with the fields of a new key, or with a patch of one, in which null removes a field.
 * @param now milliseconds since the epoch.
 */
export function checkApiKeyFields(
  document: unknown,
  kind: 'create' | 'patch',
  now = Date.now(),
): FieldProblem[] {
  if (!isDictionary(document)) return [{ field: '', message: 'must be an object' }];
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  if (kind === 'create' && document.name === undefined) CHECKS.name(undefined, 'name', report);
  for (const [field, value] of Object.entries(document)) {
    if (value === undefined) continue;
    if (!Object.hasOwn(CHECKS, field)) report(field, 'is not a known field');
    else if (kind === 'patch' && FIXED.includes(field)) report(field, 'cannot be changed');
    else if (kind === 'create' || value !== null || NOT_REMOVABLE.includes(field))
      CHECKS[field as keyof ApiKeyFields](value, field, report);
  }
  const { expiresAt } = document;
  const readable = typeof expiresAt === 'string' && !problems.some(({ field }) => field === 'expiresAt');
  if (readable && Date.parse(expiresAt) <= now) report('expiresAt', 'must be in the future');
  return problems;
}

/**
 * Reads the document under an API key's digest: the plain id of a tenant, or the record of a key made here. What cannot
 * be understood is refused as a whole, because it may be a restriction. Fields that nobody knows are left alone.
 */
export function parseKeyMapping(text: string): KeyMapping {
  if (!text.startsWith('{')) return { tenantId: text };
  const parsed = parseJson(text);
  if ('problems' in parsed) return { problems: parsed.problems };
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  const record = parsed.document as Partial<Record<keyof ApiKeyRecord, unknown>>;
  const { id, tenantId, prefix, createdAt, validUntil } = record;
  if (typeof id !== 'string' || !KEY_ID.test(id)) report('id', 'is not the id of an API key');
  if (typeof tenantId !== 'string' || !TENANT_ID.test(tenantId))
    report('tenantId', 'is not the id of a tenant');
  checkText(prefix, 'prefix', MAX_NAME_LENGTH, report);
  checkMoment(createdAt, 'createdAt', report);
  if (validUntil !== undefined) checkMoment(validUntil, 'validUntil', report);
  checkFlag(record.enabled, 'enabled', report);
  for (const [field, check] of Object.entries(CHECKS)) {
    const value = record[field as keyof ApiKeyRecord];
    if (field !== 'enabled' && (value !== undefined || field === 'name')) check(value, field, report);
  }
  return problems.length > 0
    ? { problems }
    : { tenantId: tenantId as string, record: record as unknown as ApiKeyRecord };
}

function checkServiceId(value: unknown, field: string, report: Report): void {
  if (typeof value !== 'string' || !isServiceId(value)) report(field, 'must be the id of a service, as text');
}

function checkLabels(labels: unknown, field: string, report: Report): void {
  if (!isDictionary(labels)) return report(field, 'must be an object');
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) return report(field, `must not have more than ${MAX_LABELS} entries`);
  for (const [name, value] of entries) {
    const place = `${field}.${name}`;
    if (!LABEL.test(name))
      report(place, 'must be named by 1 to 63 letters, digits, dots, dashes, slashes or underscores');
    else if (typeof value !== 'string' || value.length > MAX_LABEL_LENGTH)
      report(place, `must be a text of up to ${MAX_LABEL_LENGTH} characters`);
  }
}

function checkPrice(value: unknown, field: string, report: Report): void {
  if (typeof value !== 'string' || !DECIMAL.test(value) || Number(value) > MAX_PRICE)
    report(field, `must be a decimal number as text, from 0 to ${MAX_PRICE} with at most 9 decimals`);
}

function checkRoutes(paths: unknown, field: string, report: Report): void {
  if (!checkLength(paths, field, report)) return;
  paths.forEach((path, index) => checkRoutePath(path, `${field}.${index}`, report));
}
