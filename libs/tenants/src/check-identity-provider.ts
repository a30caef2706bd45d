import { SECRET_PREFIX, isSecretVariable } from '#libs/config';
import type { AddressPolicy } from './address-policy';
import {
  checkClaimValues,
  checkFlag,
  checkKnown,
  checkText,
  checkTexts,
  checkUrl,
  checkWhole,
  isDictionary,
  type Dictionary,
  type Report,
} from './field-checks';
import {
  GATEWAY_ISSUER,
  SECRET_ALGORITHMS,
  SHARED_SECRET_ISSUER,
  TOKEN_ALGORITHMS,
} from './identity-provider';

/** Each may cost a fetch and memory; real tenants have one to three. */
const MAX_PROVIDERS = 16;
/** One in use, its predecessor and its successor, with room for mistakes. Each is tried for tokens that name no key. */
const MAX_SECRETS = 8;
const MAX_SECRET_LENGTH = 1024;
const MAX_TOLERANCE_SECONDS = 300;

const FIELDS = [
  'issuer',
  'audience',
  'jwksUri',
  'secrets',
  'introspection',
  'algorithms',
  'clockToleranceSeconds',
  'requiredClaims',
];

/**
 * Checks whose tokens a tenant accepts, one by one and together: a token must lead to one provider only, and a provider to
 * one kind of keys.
 */
export function checkTrust(document: Dictionary, addresses: AddressPolicy | undefined, report: Report): void {
  const { idp, idps, serviceTokens } = document;
  const seen: Seen = { issuers: new Set(), introspection: false };
  if (idp !== undefined) checkProvider(idp, 'idp', { addresses, seen, report });
  if (serviceTokens !== undefined) checkFlag(serviceTokens, 'serviceTokens', report);
  if (idps === undefined) return;
  if (!Array.isArray(idps)) return report('idps', 'must be a list');
  const most = MAX_PROVIDERS - (idp === undefined ? 0 : 1);
  if (idps.length > most) return report('idps', `must not be more than ${most}`);
  idps.forEach((one: unknown, index) => {
    const field = `idps.${index}`;
    if (isDictionary(one)) checkKnown(one, FIELDS, (name, message) => report(`${field}.${name}`, message));
    checkProvider(one, field, { addresses, seen, report });
  });
}

/** What the providers before have taken. */
interface Seen {
  readonly issuers: Set<string>;
  introspection: boolean;
}

interface Circumstances {
  readonly addresses: AddressPolicy | undefined;
  readonly seen: Seen;
  readonly report: Report;
}

function checkProvider(idp: unknown, field: string, { addresses, seen, report }: Circumstances): void {
  if (!isDictionary(idp)) return report(field, 'must be an object');
  const inner: Report = (name, message) => report(`${field}.${name}`, message);
  const { issuer, algorithms, clockToleranceSeconds, requiredClaims, introspection } = idp;
  checkIssuer(issuer, seen.issuers, inner);
  checkAudience(idp.audience, introspection !== undefined, inner);
  checkKeys(idp, addresses, inner);
  if (introspection !== undefined) {
    // Opaque tokens name no issuer, and to show them to several would be to give them away.
    if (seen.introspection) inner('introspection', 'is possible with one provider of a tenant only');
    seen.introspection = true;
  }
  if (algorithms !== undefined) checkAlgorithms(algorithms, idp, inner);
  if (clockToleranceSeconds !== undefined)
    checkWhole(clockToleranceSeconds, 'clockToleranceSeconds', 0, MAX_TOLERANCE_SECONDS, inner);
  if (requiredClaims !== undefined) checkClaimValues(requiredClaims, 'requiredClaims', inner);
}

function checkIssuer(issuer: unknown, seen: Set<string>, report: Report): void {
  checkText(issuer, 'issuer', 2048, report);
  if (typeof issuer !== 'string') return;
  if (issuer === GATEWAY_ISSUER || issuer === SHARED_SECRET_ISSUER)
    report('issuer', 'is the name of an issuer of the gateway’s own');
  if (seen.has(issuer)) report('issuer', 'is given twice');
  seen.add(issuer);
}

function checkAudience(audience: unknown, optional: boolean, report: Report): void {
  if (audience === undefined && optional) return;
  if (Array.isArray(audience)) checkTexts(audience, 'audience', report);
  else checkText(audience, 'audience', 2048, report);
}

function checkKeys(idp: Dictionary, addresses: AddressPolicy | undefined, report: Report): void {
  const { jwksUri, secrets, introspection } = idp;
  const ways = ['jwksUri', 'secrets', 'introspection'].filter((way) => idp[way] !== undefined);
  for (const way of ways.slice(1)) report(way, `excludes ${ways[0]}`);
  if (jwksUri !== undefined) checkUrl(jwksUri, 'jwksUri', 'document', addresses, report);
  if (secrets !== undefined) checkSecrets(secrets, report);
  if (introspection !== undefined) checkIntrospection(introspection, addresses, report);
  if (ways.length === 0 && typeof idp.issuer === 'string' && idp.issuer.trim() !== '') {
    const needed: Report = (_field, message) => report('issuer', `${message}, or name a jwksUri`);
    checkUrl(idp.issuer, 'issuer', 'base', addresses, needed);
  }
}

function checkSecrets(secrets: unknown, report: Report): void {
  if (!Array.isArray(secrets) || secrets.length === 0 || secrets.length > MAX_SECRETS)
    return report('secrets', `must be a list of 1 to ${MAX_SECRETS} secrets`);
  secrets.forEach((secret: unknown, index) => checkSecret(secret, `secrets.${index}`, 32, report));
}

/** A secret in a document: a text, or the name of a variable. @param minBytes of a text. */
export function checkSecret(secret: unknown, field: string, minBytes: number, report: Report): void {
  if (isDictionary(secret)) {
    const { env, ...others } = secret;
    if (typeof env !== 'string' || !isSecretVariable(env))
      report(`${field}.env`, `must name a variable that begins with ${SECRET_PREFIX}`);
    for (const name of Object.keys(others)) report(`${field}.${name}`, 'is not a known field');
  } else if (
    typeof secret !== 'string' ||
    Buffer.byteLength(secret) < minBytes ||
    secret.length > MAX_SECRET_LENGTH
  ) {
    report(
      field,
      `must be a text of ${minBytes} bytes or more, or { "env": "${SECRET_PREFIX}…" } that names a variable`,
    );
  }
}

function checkIntrospection(value: unknown, addresses: AddressPolicy | undefined, report: Report): void {
  if (!isDictionary(value)) return report('introspection', 'must be an object');
  const inner: Report = (field, message) => report(`introspection.${field}`, message);
  checkUrl(value.endpoint, 'endpoint', 'document', addresses, inner);
  checkText(value.clientId, 'clientId', 200, inner);
  checkSecret(value.clientSecret, 'clientSecret', 1, inner);
  checkKnown(value, ['endpoint', 'clientId', 'clientSecret'], inner);
}

function checkAlgorithms(algorithms: unknown, { secrets, introspection }: Dictionary, report: Report): void {
  if (introspection !== undefined) return report('algorithms', 'means nothing for introspection');
  const known = secrets === undefined ? TOKEN_ALGORITHMS : Object.keys(SECRET_ALGORITHMS);
  const isKnown = (one: unknown): boolean => known.includes(one as string);
  if (!Array.isArray(algorithms) || algorithms.length === 0 || !algorithms.every(isKnown))
    return report('algorithms', `must be a list of ${known.join(', ')}`);
  if (!Array.isArray(secrets)) return;
  const longest = Math.max(
    ...secrets.map((one) => (typeof one === 'string' ? Buffer.byteLength(one) : Infinity)),
  );
  const unusable = (algorithms as string[]).filter((name) => (SECRET_ALGORITHMS[name] ?? 0) > longest);
  if (unusable.length > 0) report('algorithms', `needs longer secrets for ${unusable.join(', ')}`);
}
