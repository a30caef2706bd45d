/**
 * tokens: the service tokens that the gateway signs: their claims and records, how they are signed, and which of them were
 * taken back.
 * Not here: verifying a bearer token of a request. That is `guards`, which asks here about revocation.
 */
export type { Revocation, ServiceTokenClaims, ServiceTokenRecord } from './service-token';
export { secretKeyId } from './secret-key-id';
