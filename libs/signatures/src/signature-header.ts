import type { SignatureParameters } from './canonical';

/** A signature with everything it says of itself, as `X-Gateway-Signature-V2` carries it. */
export interface Signature extends SignatureParameters {
  /** HMAC-SHA256 in lower-case hex. */
  readonly value: string;
}

const MAX_LENGTH = 2048;
/** One spelling only: what can be written in two ways is read in two ways. */
const FORM =
  /^keyid=([A-Za-z0-9._-]{1,64});t=([1-9]\d{0,10});nonce=([A-Za-z0-9_-]{16,64});digest=([0-9a-f]{64}|UNSIGNED-PAYLOAD);headers=([a-z0-9-]+(?:,[a-z0-9-]+)*)?;sig=([0-9a-f]{64})$/;

/** @returns undefined for anything that is not exactly the documented form. */
export function parseSignature(text: string): Signature | undefined {
  const found = text.length > MAX_LENGTH ? null : FORM.exec(text);
  if (!found) return undefined;
  const [, keyId, timestamp, nonce, digest, names, value] = found as unknown as [
    string, string, string, string, string, string | undefined, string,
  ]; // prettier-ignore
  const headers = names === undefined ? [] : names.split(',');
  if (new Set(headers).size < headers.length) return undefined;
  return { keyId, timestamp, nonce, digest, headers, value };
}

export function renderSignature({ keyId, timestamp, nonce, digest, headers, value }: Signature): string {
  return `keyid=${keyId};t=${timestamp};nonce=${nonce};digest=${digest};headers=${headers.join()};sig=${value}`;
}
