import { GatewayError } from '#libs/errors';
import type { AuthPolicy } from '#libs/tenants';
import { claimOf, compileRequired, missingClaim, textOf, type RequiredClaims } from './jwt/claim-values';
import type { Claims } from './jwt/check-claims';
import { invalidToken } from './jwt/invalid-token';
import type { VerifiedToken } from './jwt/verdict';
import { headerRule } from './header-rules';
import type { RequestContext } from './request-context';
import { refusePortalToken } from './portal-tokens';

/** RFC 6750 §3.1. */
const CHALLENGE = { 'WWW-Authenticate': 'Bearer error="insufficient_scope"' };
/** Longer than any claim of a token; an introspection may say more. */
const MAX_HEADER_LENGTH = 8192;
/** What a header cannot carry, or not to everybody alike: line ends above all, and blanks at the ends, which are cut off. */
// eslint-disable-next-line no-control-regex -- control characters are what it looks for
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u2028\u2029]|\p{Surrogate}|^\s|\s$/u;

/** What a policy says about one token: the headers that it puts on the request, flat, or what the token lacks. */
type Outcome = { readonly headers: readonly string[] } | { readonly objection: string };

/** A policy compiled: what it asks for as sets, and what it said of the tokens so far. */
class CompiledPolicy {
  readonly namesProject: boolean;
  /** As header names are compared, see `headerRule`; undefined if it sets none. */
  readonly headerNames: ReadonlySet<string> | undefined;
  private readonly issuers: ReadonlySet<string> | undefined;
  private readonly claims: RequiredClaims;
  private readonly roles: ReadonlySet<string> | undefined;
  /** Neither changes: what was said of a token is said again. */
  private readonly outcomes = new WeakMap<VerifiedToken, Outcome>();

  constructor(private readonly policy: AuthPolicy) {
    const { issuers, claims, roles, claimHeaders } = policy;
    this.namesProject = claims !== undefined && Object.hasOwn(claims, 'project');
    this.issuers = issuers && new Set(issuers);
    this.claims = compileRequired(claims);
    this.roles = roles && new Set(roles);
    this.headerNames = claimHeaders && new Set(Object.keys(claimHeaders).map((name) => name.toLowerCase()));
  }

  judge(token: VerifiedToken): Outcome {
    let outcome = this.outcomes.get(token);
    if (outcome === undefined) this.outcomes.set(token, (outcome = this.think(token)));
    return outcome;
  }

  private think({ issuer, claims }: VerifiedToken): Outcome {
    if (this.issuers?.has(issuer) === false)
      return { objection: 'tokens of this issuer are not accepted here' };
    const missing = missingClaim(claims, this.claims);
    if (missing !== undefined) return { objection: `the claim ${missing} does not have an accepted value` };
    const { scopes, claimHeaders } = this.policy;
    if (scopes !== undefined) {
      const granted = scopesOf(claims);
      if (!scopes.every((scope) => granted.has(scope)))
        return { objection: 'the claim scope does not have every scope that is needed' };
    }
    if (this.roles !== undefined && !rolesOf(claims).some((role) => this.roles?.has(role)))
      return { objection: 'the claim roles does not have an accepted value' };
    return headersOf(claims, claimHeaders ?? {});
  }
}

const compiled = new WeakMap<AuthPolicy, CompiledPolicy>();

function compile(policy: AuthPolicy): CompiledPolicy {
  let found = compiled.get(policy);
  if (found === undefined) compiled.set(policy, (found = new CompiledPolicy(policy)));
  return found;
}

/**
 * Lets a token go on, or not, by the policy of the route or service that it is presented at.
 * @param headers of the request to the upstream, flat: gets those that the policy makes of claims.
 * @throws GatewayError token_not_allowed, or invalid_jwt for a service token of another project or of the portal
 */
export function enforcePolicy(
  token: VerifiedToken,
  tenantId: string,
  policy: AuthPolicy | undefined,
  headers: string[],
): void {
  refusePortalToken(token);
  const rules = policy && compile(policy);
  // The gateway signs for all tenants; without a word about it a token is good in its own only.
  if (token.project !== undefined && token.project !== tenantId && !rules?.namesProject)
    throw invalidToken('the token is for another project');
  if (rules === undefined) return;
  const outcome = rules.judge(token);
  if ('objection' in outcome)
    throw new GatewayError('token_not_allowed', outcome.objection, { headers: CHALLENGE });
  if (rules.headerNames === undefined) return;
  removeNamed(headers, rules.headerNames);
  headers.push(...outcome.headers);
}

/** Takes away what only a verified token may say, where none is asked for. */
export function removeClaimHeaders(policy: AuthPolicy, headers: string[]): void {
  const { headerNames } = compile(policy);
  if (headerNames !== undefined) removeNamed(headers, headerNames);
}

/**
 * Takes away what the service behind a published route believes on other ways to it: at its own address, and on other
 * routes. The route itself may ask for nothing, and the service cannot see by which way a request has come.
 */
export function removeForged(context: RequestContext): void {
  const { published, service, upstreamHeaders } = context;
  const vouched = published?.vouchedHeaders;
  const own = published && service?.auth?.claimHeaders && service.auth;
  if (vouched === undefined && own === undefined) return;
  context.arrivedHeaders ??= [...upstreamHeaders];
  if (vouched) removeNamed(upstreamHeaders, vouched);
  if (own) removeClaimHeaders(own, upstreamHeaders);
}

/** A client's own, also in spellings that an upstream may read as the same name. */
function removeNamed(headers: string[], names: ReadonlySet<string>): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (names.has(headerRule(headers[i] as string).plain)) headers.splice(i, 2);
  }
}

function headersOf(claims: Claims, claimHeaders: Readonly<Record<string, string>>): Outcome {
  const headers: string[] = [];
  for (const [name, claim] of Object.entries(claimHeaders)) {
    const value = claimOf(claims, claim) ?? undefined;
    if (value === undefined) continue;
    const text = headerValue(value);
    if (text === undefined) return { objection: `the claim ${claim} cannot be sent as a header` };
    if (text !== '') headers.push(name, text);
  }
  return { headers };
}

/** The text of a claim as a header carries it, in UTF-8; undefined if it cannot carry it unambiguously. */
function headerValue(value: unknown): string | undefined {
  const items: unknown[] = Array.isArray(value) ? value : [value];
  const texts = items.map(textOf);
  if (!texts.every((text) => text !== undefined && !UNSAFE.test(text))) return undefined;
  // Two roles must not look like three.
  if (Array.isArray(value) && texts.some((text) => text?.includes(','))) return undefined;
  const joined = texts.join(',');
  return joined.length > MAX_HEADER_LENGTH ? undefined : Buffer.from(joined, 'utf8').toString('latin1');
}

/** RFC 8693 §4.2 has a text; some issuers write lists, or call it `scp`. */
function scopesOf(claims: Claims): ReadonlySet<string> {
  return new Set(['scope', 'scp'].flatMap((claim) => namesIn(claimOf(claims, claim), / +/)));
}

function rolesOf(claims: Claims): string[] {
  const realm = claimOf(claims, 'realm_access');
  const inRealm = typeof realm === 'object' && realm !== null ? claimOf(realm as Claims, 'roles') : undefined;
  return [...namesIn(claimOf(claims, 'roles')), ...namesIn(inRealm)];
}

function namesIn(value: unknown, separator?: RegExp): string[] {
  if (typeof value === 'string') return separator ? value.split(separator) : [value];
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}
