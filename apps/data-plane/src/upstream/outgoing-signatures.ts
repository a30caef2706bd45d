import type { ServerResponse } from 'node:http';
import type { GatewayRequest, RequestContext, WholeBodies } from '#libs/guards';
import type { RequestSigner } from '#libs/signatures';
import {
  DEFAULT_SIGNED_BODY_BYTES,
  type ServedTenant,
  type SigningPolicy,
  type Upstream,
} from '#libs/tenants';
import { targetAt } from './target-at';

/** How a request is to be signed: the nearest of route, service and tenant that says anything decides. */
export function signingPolicy({ route, service, tenant }: RequestContext): SigningPolicy | undefined {
  const policy = route?.signing ?? service?.signing ?? tenant?.signing;
  return policy === false ? undefined : policy;
}

/** Signs forwarded requests where a policy says so. The body is known by then, for its signature is in the head. */
export class OutgoingSignatures {
  constructor(
    private readonly signer: RequestSigner,
    private readonly bodies: WholeBodies,
  ) {}

  /**
   * Makes the body known, before a target is chosen: a slow client must not count as the load of one.
   * @returns undefined where there is nothing to wait for.
   * @throws GatewayError tenant_misconfigured, or as `WholeBodies`; also as a rejection
   */
  keepBody(
    request: GatewayRequest,
    response: ServerResponse,
    policy: SigningPolicy,
  ): undefined | Promise<void> {
    this.signer.keyOf(request.context.tenant as ServedTenant, policy);
    const { maxBodyBytes = DEFAULT_SIGNED_BODY_BYTES, oversize = 'refuse' } = policy;
    const beyond = oversize === 'unsigned' ? 'stream' : 'refuse';
    return this.bodies.keep(request, response, maxBodyBytes, beyond) ?? undefined;
  }

  /**
   * What signs the headers of each attempt, or undefined where nothing is signed.
   * @param path with the query, as it is sent.
   */
  forAttempts(
    context: RequestContext,
    host: string,
    path: string,
  ): ((headers: string[]) => string[]) | undefined {
    const policy = signingPolicy(context);
    if (policy === undefined) return undefined;
    return (headers) => this.signed(context, policy, { host, target: path }, headers);
  }

  /** The handshake of a WebSocket is a request without a body; what follows it is not signed. */
  signHandshake(context: RequestContext): void {
    const policy = signingPolicy(context);
    if (policy === undefined) return;
    const upstream = context.upstream as Upstream;
    const target = targetAt(context, upstream);
    const { upstreamHeaders } = context;
    const signed = this.signed(context, policy, { host: upstream.host, target }, upstreamHeaders);
    upstreamHeaders.splice(0, upstreamHeaders.length, ...signed);
  }

  private signed(
    context: RequestContext,
    policy: SigningPolicy,
    { host, target }: { host: string; target: string },
    headers: string[],
  ): string[] {
    const { maxBodyBytes = DEFAULT_SIGNED_BODY_BYTES } = policy;
    // A body may be there for another reason, and larger than what this policy signs.
    const whole = context.wholeBody !== undefined && context.wholeBody.length <= maxBodyBytes;
    context.signed = whole ? 'whole' : 'unsigned_payload';
    return this.signer.signed(
      context.tenant as ServedTenant,
      policy,
      { method: context.method, host, target },
      headers,
      whole ? context.wholeBody : 'unsigned',
    );
  }
}
