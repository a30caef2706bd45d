import { isSafeToRepeat, retryPolicyOf, shapeRequest, type RequestContext } from '#libs/guards';
import { StoreUnavailableError, type BreakerView, type Store } from '#libs/store';
import { breakerKey, pathAt, type ServedTarget, type TargetsOwner } from '#libs/tenants';
import type { TargetExplanationDto } from './explanation.dto';

/** Where a judged request would go now. */
export interface Aim {
  /** Why nobody would be asked: all circuit breakers are open. */
  readonly rest: string | undefined;
  /** Undefined for the upstream of a tenant that nobody watches. */
  readonly target: ServedTarget | undefined;
  readonly breaker: BreakerView['state'] | undefined;
}

/** Chooses as the data plane does, by what the store says of breakers: this process need not have heard of them. */
export async function aimOf(context: RequestContext, store: Pick<Store, 'breakers'>): Promise<Aim> {
  const { service, tenant } = context;
  const set = (service ?? tenant)?.set;
  if (!set || !tenant) return { rest: undefined, target: undefined, breaker: undefined };
  const owner = { tenantId: tenant.id, serviceId: service?.id };
  const views = await viewsOf(owner, set.targets, store);
  const chosen = set.next() ?? set.targets[0];
  if (!views) return { rest: set.rest, target: chosen, breaker: chosen?.breaker?.view(Date.now()).state };
  const open = set.targets.filter(({ url }) => isShut(views.get(url)));
  if (open.length === set.targets.length) {
    const reasons = open.map(({ url }) => `${url}: ${views.get(url)?.reason}`);
    return { rest: reasons.join('; '), target: chosen, breaker: chosen && views.get(chosen.url)?.state };
  }
  const target = chosen && !open.includes(chosen) ? chosen : set.targets.find((one) => !open.includes(one));
  return { rest: undefined, target, breaker: target && views.get(target.url)?.state };
}

/** The breakers of all targets; undefined where they have none, or nobody can be asked. */
async function viewsOf(
  owner: TargetsOwner,
  targets: readonly ServedTarget[],
  { breakers }: Pick<Store, 'breakers'>,
): Promise<ReadonlyMap<string, BreakerView> | undefined> {
  const guarded = targets.filter(({ breaker }) => breaker !== undefined);
  if (guarded.length === 0) return undefined;
  try {
    const read = async ({ url }: ServedTarget): Promise<[string, BreakerView]> => [
      url,
      await breakers.step(breakerKey(owner, url), { do: 'read' }),
    ];
    return new Map(await Promise.all(guarded.map(read)));
  } catch (error) {
    if (error instanceof StoreUnavailableError) return undefined;
    throw error;
  }
}

function isShut(view: BreakerView | undefined): boolean {
  return view?.state === 'open' || view?.state === 'forced_open';
}

/** What would be done with the request there. */
export function targetView(context: RequestContext, aim: Aim): TargetExplanationDto | undefined {
  const { target, breaker } = aim;
  const upstream = target?.upstream ?? context.upstream;
  if (!upstream) return undefined;
  return {
    url: upstream.origin + upstream.basePath,
    breaker,
    trouble: target?.trouble(Date.now()),
    retries: retriesOf(context),
    mirror: mirrorOf(context),
  };
}

function retriesOf(context: RequestContext): TargetExplanationDto['retries'] {
  const policy = retryPolicyOf(context);
  return policy && { attempts: policy.attempts, repeatable: isSafeToRepeat(context) };
}

function mirrorOf(context: RequestContext): TargetExplanationDto['mirror'] {
  const { route, service, method, bodyLength } = context;
  const mirror = route?.shape?.mirror ?? service?.shape?.mirror;
  if (!mirror) return undefined;
  const { url, service: serviceId, share, maxBodyBytes } = mirror;
  const tooLarge = bodyLength !== undefined && bodyLength > maxBodyBytes;
  const copied = mirror.isFor(method) && !tooLarge;
  return {
    to: serviceId === undefined ? (url as string) : `service ${serviceId}`,
    percent: share * 100,
    copied,
  };
}

/** The URL that the upstream would get; null for none. Shapes the request. */
export function upstreamUrl(context: RequestContext, { target: chosen }: Aim): string | null {
  const { upstream, routedPath, query } = context;
  const target = chosen?.upstream ?? upstream;
  if (!target) return null;
  try {
    shapeRequest(context);
  } catch {
    // What the rewrite makes of this path is none.
    return null;
  }
  const asked = context.shaped ?? { path: routedPath, query };
  return target.origin + pathAt(target, asked.path) + asked.query;
}
