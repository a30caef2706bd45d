import type { ServerResponse } from 'node:http';
import {
  UNSIGNED_PAYLOAD,
  judgeBodySignature,
  judgeDigest,
  judgeHead,
  spendNonce,
  type Claimed,
  type KeyRings,
} from '#libs/signatures';
import type { Store } from '#libs/store';
import { DEFAULT_SIGNED_BODY_BYTES, type InboundSignature, type ServedTenant } from '#libs/tenants';
import type { GatewayRequest, RequestContext } from './request-context';
import type { WholeBodies } from './whole-bodies';

/** What the place where a request goes asks of its signature: the nearest one that says anything decides. */
export function inboundPolicy({ route, service, tenant }: RequestContext): InboundSignature | undefined {
  const policy = route?.inboundSignature ?? service?.inboundSignature ?? tenant?.inboundSignature;
  return policy === false ? undefined : policy;
}

/**
 * Judges what the head of a request says of its signature, spending nothing.
 * @param rawHeaders flat: name, value, name, value, … as they came.
 * @returns undefined where there is none and none is required.
 * @throws GatewayError as `judgeHead`
 */
export function judgeSignatureHead(
  context: RequestContext,
  rawHeaders: readonly string[],
  policy: InboundSignature,
  rings: KeyRings,
): Claimed | undefined {
  const { method, host, path, query } = context;
  const request = { method, host, target: path + query, rawHeaders };
  return judgeHead(request, policy, rings.of(context.tenant as ServedTenant), Date.now());
}

/** Judges whether requests come from whoever holds a key of the tenant, as they were signed, and for the first time. */
export class InboundSignatures {
  constructor(
    private readonly rings: KeyRings,
    private readonly bodies: WholeBodies,
    private readonly store: Pick<Store, 'nonces'>,
  ) {}

  /**
   * At once where there is neither a body to wait for nor a store that is elsewhere.
   * @throws GatewayError as `judgeHead`, `WholeBodies`, `judgeDigest` and `spendNonce`; also as a rejection
   */
  judge(request: GatewayRequest, response: ServerResponse, policy: InboundSignature): true | Promise<true> {
    const { context } = request;
    const claimed = judgeSignatureHead(context, request.rawHeaders, policy, this.rings);
    if (claimed === undefined) return true;
    if (claimed.scheme === 'v2' && claimed.signature.digest === UNSIGNED_PAYLOAD)
      return this.spend(context, claimed, policy);
    const maxBytes = policy.maxBodyBytes ?? DEFAULT_SIGNED_BODY_BYTES;
    const kept = this.bodies.keep(request, response, maxBytes, 'refuse');
    if (kept) return kept.then(() => this.judgeBody(context, claimed, policy));
    return this.judgeBody(context, claimed, policy);
  }

  private judgeBody(
    context: RequestContext,
    claimed: Claimed,
    policy: InboundSignature,
  ): true | Promise<true> {
    const body = context.wholeBody as Buffer;
    if (claimed.scheme === 'v1') {
      const ring = this.rings.of(context.tenant as ServedTenant);
      return pass(context, judgeBodySignature(claimed.value, body, policy, ring), 'v1');
    }
    judgeDigest(claimed.signature, body);
    return this.spend(context, claimed, policy);
  }

  /** Last: a request that broke off, or whose body was spoilt on its way, may be sent again as it is. */
  private spend(
    context: RequestContext,
    { signature }: Extract<Claimed, { scheme: 'v2' }>,
    policy: InboundSignature,
  ): true | Promise<true> {
    const { id } = context.tenant as ServedTenant;
    const spent = spendNonce(this.store, id, signature, policy, Date.now());
    if (spent instanceof Promise) return spent.then(() => pass(context, signature.keyId, 'v2'));
    return pass(context, signature.keyId, 'v2');
  }
}

/** The upstream is told who signed; clients' own `X-Gateway-*` never get there. */
function pass(context: RequestContext, keyId: string, scheme: 'v1' | 'v2'): true {
  context.verifiedSignature = { keyId, scheme };
  context.upstreamHeaders.push('X-Gateway-Verified-Key', keyId);
  return true;
}
