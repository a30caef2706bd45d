import { MappedBack, type ServedMirror, type Shape, type WayBack } from '#libs/tenants';
import type { RequestContext, ShapedMessages } from './request-context';
import { API_PREFIX } from './routed-path';

/**
 * Makes of a judged request what its route and its service say, and leaves in the context what they make of the response.
 * Where neither says anything nothing is left there.
 * @throws GatewayError bad_request_target where the rewritten path is none
 */
export function shapeRequest(context: RequestContext): void {
  const outer = context.route?.shape;
  const inner = context.service?.shape;
  if (outer !== undefined || inner !== undefined) context.shaped = new ShapedRequest(context, outer, inner);
}

/** The route is what the client meets: its changes come first on the way in, and last on the way out. */
class ShapedRequest implements ShapedMessages {
  readonly path: string;
  readonly query: string;
  readonly mirror: ServedMirror | undefined;
  /** As they passed the guards, which variables may quote. */
  private readonly passed: readonly string[];

  constructor(
    private readonly context: RequestContext,
    private readonly outer: Shape | undefined,
    private readonly inner: Shape | undefined,
  ) {
    const { upstreamHeaders } = context;
    this.passed = [...upstreamHeaders];
    // Routes are looked up by what came, also when an open stream is judged again.
    context.arrivedHeaders ??= this.passed;
    outer?.requestHeaders?.apply(upstreamHeaders, this);
    inner?.requestHeaders?.apply(upstreamHeaders, this);
    this.mirror = outer?.mirror ?? inner?.mirror;
    const rewrite = outer?.rewrite;
    this.path = rewrite ? rewrite.path(askedFor(context)) : context.routedPath;
    this.query = rewrite ? rewrite.query(context.query, this) : context.query;
    // Published routes have theirs put there by the forwarder.
    if (rewrite && rewrite.stripped !== '' && !context.published)
      upstreamHeaders.push('X-Forwarded-Prefix', API_PREFIX + rewrite.stripped);
  }

  apply(headers: string[]): void {
    const { upstream } = this.context;
    const back = this.outer?.rewrite?.mapsResponses ? this.wayBack() : undefined;
    if (back && upstream) new MappedBack(upstream, back).apply(headers);
    this.inner?.responseHeaders?.apply(headers, this);
    this.outer?.responseHeaders?.apply(headers, this);
  }

  get clientAddress(): string {
    return this.context.clientAddress;
  }

  get requestId(): string {
    return this.context.id;
  }

  get tenantId(): string {
    return this.context.tenant?.id ?? '';
  }

  get route(): string {
    const { route, service } = this.context;
    return route?.path ?? (service ? `/proxy/${service.id}` : '');
  }

  get principal(): string {
    const { token, caller } = this.context;
    return token?.subject ?? caller?.key.id ?? '';
  }

  header(name: string): string | undefined {
    let value: string | undefined;
    for (let i = 0; i < this.passed.length; i += 2) {
      if ((this.passed[i] as string).toLowerCase() !== name) continue;
      const one = this.passed[i + 1] as string;
      value = value === undefined ? one : `${value}, ${one}`;
    }
    return value;
  }

  private wayBack(): WayBack | undefined {
    const rewrite = this.outer?.rewrite;
    if (!rewrite) return undefined;
    const mount = this.context.published ? '' : API_PREFIX;
    return {
      reach: rewrite.added,
      root: mount + rewrite.stripped,
      original(path) {
        const own = rewrite.original(path);
        return own === undefined ? undefined : mount + own;
      },
    };
  }
}

/** Of a published route the prefixes are those of its rewrite, so that changes of paths come between the two. */
function askedFor({ published, path, routedPath }: RequestContext): string {
  return published ? path : routedPath;
}
