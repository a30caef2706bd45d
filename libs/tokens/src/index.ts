/**
 * tokens: the service tokens that the gateway signs: their claims and records, how they are signed, and which of them were
 * taken back.
 * Not here: verifying a bearer token of a request. That is `guards`, which asks here about revocation.
 */
export {
  PORTAL_SERVICE,
  type Revocation,
  type ServiceTokenClaims,
  type ServiceTokenRecord,
} from './service-token';
export { gatewayKeys, hasOwnKeys, publishedKeys, type GatewayKeys } from './gateway-keys';
export { secretKeyId } from './secret-key-id';
export { TOKEN_STATES, isTokenId, stateOf, type TokenState } from './token-record';
export {
  TokenRepository,
  type Cleanup,
  type RevocationRequest,
  type TokenFilter,
  type TokenRequest,
} from './token-repository';
export { TokenRevocations } from './token-revocations';
export { TokenSigner } from './token-signer';
