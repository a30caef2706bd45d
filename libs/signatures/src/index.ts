/**
 * signatures: HMAC signatures of requests, in both directions: the string that is signed and the header that carries the
 * signature (docs/signatures.md), the keys of tenants, how forwarded requests are signed and how those that come in are judged.
 * Not here: keeping bodies in memory, the guard (`guards`), and what policies may say (`tenants`).
 */
export { UNSIGNED_PAYLOAD, type SignatureParameters, type SignedMessage } from './canonical';
export type { Signature } from './signature-header';
export { KeyRing, KeyRings, type NamedSecrets } from './key-ring';
export { RequestSigner, type Target } from './request-signer';
export {
  judgeDigest,
  judgeHead,
  judgeBodySignature,
  type Claimed,
  type JudgedRequest,
} from './judge-signature';
export { spendNonce } from './spend-nonce';
