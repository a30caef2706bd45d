import { objectionToSecret } from '#libs/config';
import type { FieldProblem } from '#libs/errors';
import { checkSecret } from './check-identity-provider';
import {
  checkFlag,
  checkKnown,
  checkWhole,
  isDictionary,
  type Dictionary,
  type Report,
} from './field-checks';
import type { SignatureKeys, SignatureSettings } from './signing-policy';

/** One in use, its predecessor and its successor, for some partners. */
const MAX_KEYS = 32;
const KEY_ID = /^[A-Za-z0-9._-]{1,64}$/;
/** Without what would be read as the separator of a list of names. */
const HEADER = /^[A-Za-z0-9-]{1,64}$/;
const MAX_HEADERS = 20;
/** Each is tried for a signature that names no key. */
const MAX_ACCEPTED_KEYS = 8;
/** Bodies of this size are kept in memory, see BODY_BUFFER_MAX_BYTES. */
const MAX_BODY_BYTES = 67_108_864;
const MAX_TOLERANCE_SECONDS = 3600;

const SIGNING = ['key', 'maxBodyBytes', 'oversize', 'headers', 'contentDigest'];
const INBOUND = [
  'keys', 'required', 'toleranceSeconds', 'headers', 'maxBodyBytes', 'acceptBodyOnly', 'acceptUnsignedPayload',
]; // prettier-ignore

/** Also framed by the gateway anew, or the signature itself: what is signed must be what arrives. */
const UNSIGNABLE =
  /^(?:connection|content-length|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy.*|x-gateway-signature.*|host)$/;

/** A tenant's keys for signatures, by id. What the secrets are worth is looked at where they are written. */
export function checkSignatureKeys(keys: unknown, field: string, report: Report): void {
  if (keys === undefined) return;
  if (!isDictionary(keys) || Object.keys(keys).length > MAX_KEYS)
    return report(field, `must be an object of up to ${MAX_KEYS} keys by id`);
  for (const [id, key] of Object.entries(keys)) {
    if (!KEY_ID.test(id))
      report(field, 'must name its keys by 1 to 64 letters, digits, dots, dashes or underscores');
    else if (!isDictionary(key)) report(`${field}.${id}`, 'must be an object');
    else {
      const inner: Report = (name, message) => report(`${field}.${id}.${name}`, message);
      checkKnown(key, ['secret'], inner);
      checkSecret(key.secret, 'secret', 1, inner);
    }
  }
}

/** What a tenant, service or route says about signatures. */
export function checkSignatureSettings(document: Dictionary, field: string, report: Report): void {
  const { signing, inboundSignature } = document;
  const at = (name: string): string => (field === '' ? name : `${field}.${name}`);
  if (signing !== undefined && signing !== false) checkSigning(signing, at('signing'), report);
  if (inboundSignature !== undefined && inboundSignature !== false)
    checkInbound(inboundSignature, at('inboundSignature'), report);
}

function checkSigning(policy: unknown, field: string, report: Report): void {
  if (!isDictionary(policy)) return report(field, 'must be an object or false');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(policy, SIGNING, inner);
  const { key, maxBodyBytes, oversize, headers, contentDigest } = policy;
  if (typeof key !== 'string' || !KEY_ID.test(key)) inner('key', 'must be the id of a key of the tenant');
  if (maxBodyBytes !== undefined) checkWhole(maxBodyBytes, 'maxBodyBytes', 0, MAX_BODY_BYTES, inner);
  if (oversize !== undefined && oversize !== 'refuse' && oversize !== 'unsigned')
    inner('oversize', 'must be refuse or unsigned');
  if (headers !== undefined) checkHeaderNames(headers, 'headers', inner);
  if (contentDigest !== undefined) checkFlag(contentDigest, 'contentDigest', inner);
}

function checkInbound(policy: unknown, field: string, report: Report): void {
  if (!isDictionary(policy)) return report(field, 'must be an object or false');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  checkKnown(policy, INBOUND, inner);
  const { keys, toleranceSeconds, headers, maxBodyBytes } = policy;
  const fits = Array.isArray(keys) && keys.length > 0 && keys.length <= MAX_ACCEPTED_KEYS;
  if (!fits || !keys.every((id) => typeof id === 'string' && KEY_ID.test(id)))
    inner('keys', `must be a list of 1 to ${MAX_ACCEPTED_KEYS} ids of keys of the tenant`);
  if (toleranceSeconds !== undefined)
    checkWhole(toleranceSeconds, 'toleranceSeconds', 1, MAX_TOLERANCE_SECONDS, inner);
  if (maxBodyBytes !== undefined) checkWhole(maxBodyBytes, 'maxBodyBytes', 0, MAX_BODY_BYTES, inner);
  if (headers !== undefined) checkHeaderNames(headers, 'headers', inner);
  for (const name of ['required', 'acceptBodyOnly', 'acceptUnsignedPayload'])
    if (policy[name] !== undefined) checkFlag(policy[name], name, inner);
}

function checkHeaderNames(names: unknown, field: string, report: Report): void {
  if (!Array.isArray(names) || names.length > MAX_HEADERS)
    return report(field, `must be a list of up to ${MAX_HEADERS} header names`);
  const seen = new Set<string>();
  names.forEach((name: unknown, index) => {
    const place = `${field}.${index}`;
    const lower = typeof name === 'string' && HEADER.test(name) ? name.toLowerCase() : undefined;
    if (lower === undefined) report(place, 'must be a header name of letters, digits and dashes');
    else if (UNSIGNABLE.test(lower)) report(place, 'is signed in another way or not at all');
    else if (seen.has(lower)) report(place, 'is given twice');
    if (lower !== undefined) seen.add(lower);
  });
}

/** What is wrong with secrets that somebody writes: they must not be guessed. Stored ones are old, and left alone. */
export function weakSignatureKeys(keys: SignatureKeys | undefined): FieldProblem[] {
  return Object.entries(keys ?? {}).flatMap(([id, { secret }]) => {
    const objection = typeof secret === 'string' ? objectionToSecret(secret) : undefined;
    return objection === undefined ? [] : [{ field: `signatureKeys.${id}.secret`, message: objection }];
  });
}

/** Whether the keys that a document names are keys of its tenant: a name that leads nowhere is a mistake. */
export function checkKeyNames(
  settings: SignatureSettings,
  keys: SignatureKeys | undefined,
  field = '',
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const at = field === '' ? '' : `${field}.`;
  const has = (id: string): boolean => keys !== undefined && Object.hasOwn(keys, id);
  const { signing, inboundSignature } = settings;
  if (signing && !has(signing.key))
    problems.push({ field: `${at}signing.key`, message: 'is no key among signatureKeys of the tenant' });
  if (inboundSignature && !inboundSignature.keys.every(has))
    problems.push({
      field: `${at}inboundSignature.keys`,
      message: 'has one that is not among signatureKeys of the tenant',
    });
  return problems;
}
