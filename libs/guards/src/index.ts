/**
 * guards: how a request is judged. Admission (framing, headers, path, client address), then the five rules of the
 * request path (API key, route, JWT, signature, rate limit), each a plain function with a thin Nest guard over it.
 * Everything they learn is one RequestContext. Not here: forwarding, and what is logged or counted.
 */
export { RequestContext, type GatewayRequest, type GuardName, type ShapedMessages } from './request-context';
export { shapeRequest } from './shape-request';
export {
  Admission,
  PublishedAgain,
  admissionTerms,
  type AdmissionTerms,
  type ArrivingRequest,
  type PublishedLookUp,
} from './admission';
export { ProxyTrust, arrivalOf, type Arrival, type HopClaims, type Peer } from './proxy-trust';
export { clientOf } from './client-limits';
export { dropNamed } from './header-rules';
export { SESSION_COOKIES, setsSession } from './session-cookies';
export { API_PREFIX } from './routed-path';
export { ApiKeyGuard } from './api-key.guard';
export { identifyCaller, identifyVisitor } from './identify-caller';
export { RouteGuard, findDestination } from './route.guard';
export { JwtGuard, guardedPlace, judgeToken, type GuardedPlace } from './jwt.guard';
export { enforcePolicy } from './token-policy';
export { PortalTokens, type PortalAccess } from './portal-tokens';
export { IDEMPOTENT, isSafeToRepeat, retryPolicyOf } from './retries';
export { InboundSignatures, inboundPolicy, judgeSignatureHead } from './inbound-signatures';
export { SignatureGuard } from './signature.guard';
export { WholeBodies, type Oversize, type WholeBodyTerms } from './whole-bodies';
export { RateLimitGuard, enforceLimits, limitHeaders } from './rate-limit.guard';
export { GatewayMaintenanceGuard, MaintenanceGuard, refuseDuring } from './maintenance.guard';
export { BodySizeGuard, maxBodyOf, refuseLargeBody } from './body-size.guard';
export { ConcurrencyGuard } from './concurrency.guard';
export { passGuards } from './pass-guards';
export { judgeAgain } from './judge-again';
export { limitsOf, type RequestLimits } from './request-limits';
export { RateLimiter, type RateLimitMode } from './rate-limiter';
export { TokenVerifier, type TokenVerifierOptions } from './jwt/token-verifier';
export type { VerifiedToken } from './jwt/verdict';
export { ownKeys } from './jwt/own-keys';
export type { OwnKeys, RevocationDirectory } from './jwt/own-tokens';
