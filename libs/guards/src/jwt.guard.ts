import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import type { ServedTenant } from '#libs/tenants';
import { TokenVerifier, type VerifiedToken } from './jwt/token-verifier';
import { requestOf, type RequestContext } from './request-context';

/**
 * The verified token of a request.
 * @param authorization the header's value
 * @throws GatewayError missing_jwt, invalid_jwt, jwks_unavailable
 */
export function verifyBearer(
  authorization: string | undefined,
  tenant: ServedTenant,
  verifier: TokenVerifier,
): VerifiedToken | Promise<VerifiedToken> {
  // Documents that ask for a JWT and name no issuer are refused when they are read.
  if (!tenant.idp) throw new GatewayError('tenant_misconfigured');
  const token = /^bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1];
  if (token === undefined) {
    throw new GatewayError('missing_jwt', 'send the token as Authorization: Bearer …', {
      headers: { 'WWW-Authenticate': 'Bearer' },
    });
  }
  return verifier.verify(token, tenant.idp);
}

/** Third of the request path: on whose behalf, where the route asks for it. */
@Injectable()
export class JwtGuard implements CanActivate {
  constructor(private readonly verifier: TokenVerifier) {}

  canActivate(execution: ExecutionContext): boolean | Promise<boolean> {
    const { context } = requestOf(execution);
    context.judge = 'jwt';
    // What is published says itself what it asks for; its services may ask for something else at their own address.
    const place = context.published ?? context.service ?? context.route;
    if (!context.tenant || !place) throw new Error('JwtGuard ran before RouteGuard');
    if (!place.requiresJwt) return true;
    const token = verifyBearer(context.authorization, context.tenant, this.verifier);
    if (token instanceof Promise) return token.then((verified) => pass(context, verified));
    return pass(context, token);
  }
}

function pass(context: RequestContext, token: VerifiedToken): true {
  context.token = token;
  return true;
}
