/**
 * guards: how a request is judged. Admission (framing, headers, path, client address), then the four rules of the
 * request path (API key, route, JWT, rate limit), each a plain function with a thin Nest guard over it.
 * Everything they learn is one RequestContext. Not here: forwarding, and what is logged or counted.
 */
export { RequestContext, type GatewayRequest, type GuardName } from './request-context';
export { Admission, type ArrivingRequest, type PublishedLookUp } from './admission';
export { ProxyTrust, type Peer } from './proxy-trust';
export { dropNamed, headerRule, type HeaderRule } from './header-rules';
export { API_PREFIX, destinationOf } from './routed-path';
export { ApiKeyGuard } from './api-key.guard';
export { identifyCaller, identifyVisitor } from './identify-caller';
export { RouteGuard, chooseRoute, chooseService, findDestination } from './route.guard';
export { JwtGuard, verifyBearer } from './jwt.guard';
export { RateLimitGuard, enforceLimits, limitHeaders } from './rate-limit.guard';
export { limitsOf, type RequestLimits } from './request-limits';
export { RateLimiter, type RateLimitMode } from './rate-limiter';
export { TokenVerifier, type VerifiedToken } from './jwt/token-verifier';
