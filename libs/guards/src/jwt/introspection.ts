import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { parseJson, type IdentityProvider, type Introspection } from '#libs/tenants';
import { checkValidity, isFor, otherAudience, otherIssuer, type Claims } from './check-claims';
import { checkRequired, type RequiredClaims } from './claim-values';
import { invalidToken } from './invalid-token';
import type { IntrospectionEndpoint } from './introspection-endpoint';
import { unavailable } from './jwks-source';
import { expectationOf, requiredBy, secretOf, type NamedSecrets } from './provider-settings';
import { QuestionBudget } from './question-budget';
import { foreignToken, type PresentedToken, type TokenIssuer, type Verdict } from './verdict';

const SECOND = 1000;
/** How long a token that was taken back at its issuer may go on: the price of not asking at every request. */
const TRUST_FOR_MS = 60 * SECOND;
/** Refused tokens are presented again by clients that retry, and by whoever wants to keep the endpoint busy. */
const REFUSE_FOR_MS = 10 * SECOND;
const MAX_REFUSED = 10_000;

export interface IntrospectionOptions {
  endpoint: IntrospectionEndpoint;
  logger: Pick<Logger, 'info' | 'warn'>;
  named: NamedSecrets;
  now: () => number;
}

/** An identity provider that is asked about every token (RFC 7662), and believed for a while. */
export class IntrospectedTokens implements TokenIssuer {
  private readonly settings: Introspection;
  private readonly required: RequiredClaims;
  private readonly authorization: string | undefined;
  private readonly refused = new LRUCache<string, number>({ max: MAX_REFUSED });
  private readonly budget: QuestionBudget;
  private failing = false;

  constructor(
    private readonly idp: IdentityProvider & { introspection: Introspection },
    private readonly options: IntrospectionOptions,
  ) {
    this.settings = idp.introspection;
    this.required = requiredBy(idp);
    this.authorization = authorizationOf(idp.introspection, options.named);
    this.budget = new QuestionBudget(options.now);
  }

  /** What he said counts until its time is over, which the verdict knows. */
  standsBy(): boolean {
    return true;
  }

  judge({ text }: PresentedToken): Promise<Verdict> {
    if (this.authorization === undefined)
      throw new GatewayError('tenant_misconfigured', 'the client secret of the introspection is missing');
    const id = hash('sha256', text, 'base64');
    const until = this.refused.get(id);
    if (until !== undefined && this.options.now() < until) throw inactive();
    const wait = this.budget.waitMs();
    if (wait > 0) throw unavailable(wait);
    return this.ask(id, text, this.authorization);
  }

  private async ask(id: string, text: string, authorization: string): Promise<Verdict> {
    const { endpoint, now } = this.options;
    const askedAt = now();
    let answer: Answer;
    this.budget.begin();
    try {
      answer = parseAnswer(await endpoint.ask(this.settings.endpoint, authorization, text));
      this.report(undefined);
    } catch (error) {
      this.budget.failed();
      this.report(error);
      throw unavailable(SECOND);
    } finally {
      this.budget.end();
    }
    try {
      return this.verdictOn(answer, text, askedAt);
    } catch (error) {
      this.refused.set(id, now() + REFUSE_FOR_MS);
      throw error;
    }
  }

  private verdictOn({ claims, size }: Answer, text: string, askedAt: number): Verdict {
    const { issuer } = this.idp;
    if (claims.active !== true) throw inactive();
    const { audiences, toleranceMs } = expectationOf(this.idp);
    if ('iss' in claims && claims.iss !== issuer) throw otherIssuer();
    if (audiences.length > 0 && !isFor(claims.aud, audiences)) throw otherAudience();
    // RFC 7662 §2.2: an expiry is optional. Without one the token is good until it has to be asked about again.
    const trustedUntil = askedAt + TRUST_FOR_MS;
    const dated = { ...claims, exp: claims.exp ?? trustedUntil / SECOND };
    const checked = checkValidity(dated, toleranceMs, this.options.now());
    if (!isBearer(claims.token_type)) throw invalidToken('the token is not an access token');
    checkRequired(claims, this.required);
    const token = foreignToken(issuer, checked, claims, undefined);
    const until = Math.min(token.expiresAt, trustedUntil);
    return { token, by: this, until, size: text.length + size };
  }

  /** Says when the endpoint begins to fail and when it is back, not every attempt in between. */
  private report(error: unknown): void {
    const wasFailing = this.failing;
    this.failing = error !== undefined;
    if (this.failing === wasFailing) return;
    const { logger } = this.options;
    const endpoint = this.settings.endpoint.replace(/[?#].*$/s, '');
    if (!this.failing) logger.info({ category: 'auth', endpoint }, 'introspection endpoint is back');
    else
      logger.warn(
        { category: 'auth', endpoint, reason: (error as Error).message },
        'introspection endpoint fails',
      );
  }
}

interface Answer {
  readonly claims: Claims;
  readonly size: number;
}

/** @throws Error when it is no answer at all; that says nothing about the token. */
function parseAnswer(text: string): Answer {
  // Node's own message would quote the answer, and the log is nobody's place to read about tokens.
  const parsed = parseJson(text);
  const claims = 'document' in parsed ? (parsed.document as Claims | null) : null;
  if (typeof claims !== 'object' || claims === null || typeof claims.active !== 'boolean')
    throw new Error('the answer is none to an introspection');
  return { claims, size: text.length };
}

/** Tokens that are bound to a key of their holder mean nothing without the proof of it (RFC 9449 §6.2). */
function isBearer(type: unknown): boolean {
  if (type === undefined) return true;
  return typeof type === 'string' && /^(bearer|access_token)$/i.test(type);
}

/** HTTP Basic, with both halves encoded as RFC 6749 §2.3.1 demands. */
function authorizationOf({ clientId, clientSecret }: Introspection, named: NamedSecrets): string | undefined {
  const secret = secretOf(clientSecret, named);
  if (secret === undefined) return undefined;
  const form = (part: string): string => new URLSearchParams({ '': part }).toString().slice(1);
  return `Basic ${Buffer.from(`${form(clientId)}:${form(secret)}`).toString('base64')}`;
}

function inactive(): Error {
  return invalidToken('the token is not active');
}
