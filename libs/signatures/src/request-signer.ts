import { hash, randomUUID, type KeyObject } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import type { SigningPolicy } from '#libs/tenants';
import {
  BODY_SIGNATURE_HEADER,
  SIGNATURE_HEADER,
  TIMESTAMP_HEADER,
  UNSIGNED_PAYLOAD,
  bodySignature,
  signatureOf,
} from './canonical';
import type { KeyOwner, KeyRings } from './key-ring';
import { renderSignature } from './signature-header';

/** Where a request goes, as it is sent. */
export interface Target {
  readonly method: string;
  /** Value of `Host`. */
  readonly host: string;
  /** Path and query, as in the request line. */
  readonly target: string;
}

/** Headers that a signed request has from here only, by their plain names (`x_gateway_signature` is read as the same). */
const OWN = new Set(
  [BODY_SIGNATURE_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER].map((name) => name.toLowerCase()),
);
const CONTENT_DIGEST = 'content-digest';
const EMPTY = Buffer.alloc(0);
/** What surrounds values (RFC 9110 §5.6.3), and nothing else that looks blank. */
const BLANKS = /^[ \t]+|[ \t]+$/g;

/** Signs requests on their way to the upstream, each time anew: a request that is sent twice has two nonces. */
export class RequestSigner {
  constructor(
    private readonly rings: KeyRings,
    private readonly now: () => number = Date.now,
  ) {}

  /** @throws GatewayError tenant_misconfigured where the tenant does not have the key of the policy (any more) */
  keyOf(owner: KeyOwner, { key }: SigningPolicy): KeyObject {
    const found = this.rings.of(owner).find(key);
    if (found === undefined)
      throw new GatewayError('tenant_misconfigured', `the signature key ${key} is not there`);
    return found;
  }

  /**
   * The headers of a request with its signatures.
   * @param headers flat: name, value, name, value, …; not changed.
   * @param body absent for none; `unsigned` for one that is not kept.
   * @throws GatewayError tenant_misconfigured
   */
  signed(
    owner: KeyOwner,
    policy: SigningPolicy,
    target: Target,
    headers: readonly string[],
    body: Uint8Array | 'unsigned' = EMPTY,
  ): string[] {
    const key = this.keyOf(owner, policy);
    const digest =
      body === 'unsigned' || policy.contentDigest === false ? undefined : hash('sha256', body, 'buffer');
    const hex =
      body === 'unsigned' ? UNSIGNED_PAYLOAD : (digest?.toString('hex') ?? hash('sha256', body, 'hex'));
    const kept = without(headers, digest !== undefined);
    if (digest) kept.push('Content-Digest', `sha-256=:${digest.toString('base64')}:`);
    const { names, values } = covered(policy.headers, kept);
    const timestamp = String(Math.floor(this.now() / 1000));
    const parameters = { keyId: policy.key, timestamp, nonce: randomUUID(), digest: hex, headers: names };
    const value = signatureOf({ ...target, values }, parameters, key);
    if (body !== 'unsigned') kept.push(BODY_SIGNATURE_HEADER, bodySignature(body, key));
    kept.push(TIMESTAMP_HEADER, timestamp, SIGNATURE_HEADER, renderSignature({ ...parameters, value }));
    return kept;
  }
}

function without(headers: readonly string[], digested: boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const plain = (headers[i] as string).toLowerCase().replace(/[^a-z0-9]/g, '-');
    if (OWN.has(plain) || (digested && plain === CONTENT_DIGEST)) continue;
    kept.push(headers[i] as string, headers[i + 1] as string);
  }
  return kept;
}

/** Those of the headers that are there, with their values. */
function covered(
  wanted: readonly string[] | undefined,
  headers: readonly string[],
): { names: string[]; values: string[] } {
  const names: string[] = [];
  const values: string[] = [];
  for (const name of wanted ?? []) {
    const lower = name.toLowerCase();
    const found = valueOf(lower, headers);
    if (found === undefined) continue;
    names.push(lower);
    values.push(found);
  }
  return { names, values };
}

/**
 * All values of a header, joined as a recipient may join them (RFC 9110 §5.3).
 * @param headers flat: name, value, name, value, …
 */
export function valueOf(name: string, headers: readonly string[]): string | undefined {
  let value: string | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() !== name) continue;
    const own = (headers[i + 1] as string).replace(BLANKS, '');
    value = value === undefined ? own : `${value}${name === 'cookie' ? '; ' : ', '}${own}`;
  }
  return value;
}
