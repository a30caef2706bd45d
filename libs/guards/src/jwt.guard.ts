import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import type { AuthPolicy, ServedTenant } from '#libs/tenants';
import { TokenVerifier } from './jwt/token-verifier';
import type { VerifiedToken } from './jwt/verdict';
import { requestOf, type RequestContext } from './request-context';
import { enforcePolicy, removeClaimHeaders, removeForged } from './token-policy';

/** What a route or service asks of tokens. */
export interface GuardedPlace {
  readonly requiresJwt: boolean;
  readonly auth: AuthPolicy | undefined;
}

/** What is published says itself what it asks for; its services may ask for something else at their own address. */
export function guardedPlace({ published, service, route }: RequestContext): GuardedPlace | undefined {
  return published ?? service ?? route;
}

/**
 * Verifies the bearer token of a request where its route or service asks for one, holds it to the policy there, and notes it
 * in the context.
 * @throws GatewayError missing_jwt, invalid_jwt, token_not_allowed, jwks_unavailable, store_unavailable,
 *   tenant_misconfigured
 */
export function judgeToken(
  context: RequestContext,
  tenant: ServedTenant,
  place: GuardedPlace,
  verifier: TokenVerifier,
): true | Promise<true> {
  if (!place.requiresJwt) {
    // What elsewhere comes from a token must not be said by anybody here.
    if (place.auth?.claimHeaders) removeClaimHeaders(place.auth, context.upstreamHeaders);
    return true;
  }
  const token = verifyBearer(context.authorization, tenant, verifier);
  if (token instanceof Promise) return token.then((verified) => pass(context, tenant, place, verified));
  return pass(context, tenant, place, token);
}

function verifyBearer(
  authorization: string | undefined,
  tenant: ServedTenant,
  verifier: TokenVerifier,
): VerifiedToken | Promise<VerifiedToken> {
  const token = /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    verifier.requireIssuer(tenant.trust);
    throw new GatewayError('missing_jwt', 'send the token as Authorization: Bearer …', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }
  return verifier.verify(token, tenant.trust);
}

function pass(
  context: RequestContext,
  tenant: ServedTenant,
  place: GuardedPlace,
  token: VerifiedToken,
): true {
  context.token = token;
  enforcePolicy(token, tenant.id, place.auth, context.upstreamHeaders);
  return true;
}

/** On whose behalf somebody calls, where the route asks for it. */
@Injectable()
export class JwtGuard implements CanActivate {
  constructor(private readonly verifier: TokenVerifier) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.enter('jwt');
    const place = guardedPlace(context);
    if (!context.tenant || !place) throw new Error('JwtGuard ran before RouteGuard');
    removeForged(context);
    return judgeToken(context, context.tenant, place, this.verifier);
  }
}
