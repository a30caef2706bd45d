import type { SecretSource } from './identity-provider';

/** Secrets for HMAC by the ids that signatures name; several while one is being changed. */
export type SignatureKeys = Record<string, { secret: SecretSource }>;

/** How requests are signed on their way to the upstream (docs/signatures.md). */
export interface SigningPolicy {
  /** Id of the key of the tenant that signs. */
  key: string;
  /** Largest body that is kept to be signed; absent means 1 MiB. */
  maxBodyBytes?: number;
  /** What becomes of a larger one: 413, or a signature that says that it does not cover the body. Absent: `refuse`. */
  oversize?: 'refuse' | 'unsigned';
  /** Names of headers that are signed where they are there. */
  headers?: string[];
  /** Whether `Content-Digest` (RFC 9530) is sent; absent: it is. */
  contentDigest?: boolean;
}

/** What is asked of the signature of a request that comes in. */
export interface InboundSignature {
  /** Ids of the keys of the tenant that may have signed. */
  keys: string[];
  /** Whether there must be one; absent: there must. Without, one that is there is still judged. */
  required?: boolean;
  /** How far the time of the signature may be from that of this process, both ways; absent means 300. */
  toleranceSeconds?: number;
  /** Names of headers that the signature must cover. */
  headers?: string[];
  /** Largest body that is kept to be compared with its digest; absent means 1 MiB. Larger ones get 413. */
  maxBodyBytes?: number;
  /** Accepts `X-Gateway-Signature` alone, which covers the body and nothing else: anybody may send it again. */
  acceptBodyOnly?: boolean;
  /** Accepts signatures that do not cover the body, of which nothing is kept then. */
  acceptUnsignedPayload?: boolean;
}

export const DEFAULT_SIGNED_BODY_BYTES = 1_048_576;
export const DEFAULT_SIGNATURE_TOLERANCE_SECONDS = 300;

/** What a document may say about both directions; `false` turns off what the tenant says for all. */
export interface SignatureSettings {
  signing?: SigningPolicy | false;
  inboundSignature?: InboundSignature | false;
}
