import type { Claim, ClaimVerdict, Limit } from '#libs/store';
import { isBudget, keys } from '#libs/store';
import type { PublishedRoute } from '#libs/publications';
import { routeName, type Caller, type Route, type ServedService, type ServedTenant } from '#libs/tenants';
import { ClientLimits, type PlacedClientLimit } from './client-limits';

/** What a limit is for, as the RateLimit fields name it. */
export type LimitName =
  'tenant' | 'service' | 'route' | 'key' | 'client' | 'route_client' | 'quota' | 'spend_cap';

/** All limits of the requests of one caller to one route, worked out once. */
export interface RequestLimits {
  readonly claim: Claim;
  readonly names: readonly LimitName[];
  /** `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers). */
  readonly policy: string;
  /** Milliseconds since the epoch, after which a budget's period is over and another claim is due. */
  readonly validUntil: number;
  /** Where each client has limits of its own: these are not yet what a request is held to. */
  readonly clients: ClientLimits | undefined;
}

type Place = Route | ServedService;

/** What a caller's `limits` are: made anew with the caller whenever the key or its tenant changes. */
type Kept = WeakMap<Place, RequestLimits | WeakMap<Place, RequestLimits>>;

/**
 * @param place the route, or the service where there is one.
 * @param published the published route that led to the service.
 * @param clientAddress whose limits are meant where each client has its own.
 */
export function limitsOf(
  caller: Caller,
  place: Place,
  now: number,
  published?: PublishedRoute,
  clientAddress = '',
): RequestLimits {
  const kept = keptFor(caller, published);
  let limits = kept.get(place);
  if (!limits || now >= limits.validUntil) {
    limits = workOut(caller, place, now, published);
    kept.set(place, limits);
  }
  return limits.clients ? limits.clients.of(clientAddress) : limits;
}

/** By place, and weakly: places come and go while an anonymous caller stays. */
function keptFor(caller: Caller, published: PublishedRoute | undefined): WeakMap<Place, RequestLimits> {
  const kept = (caller.limits ??= new WeakMap()) as Kept;
  if (!published) return kept as WeakMap<Place, RequestLimits>;
  let inner = kept.get(published);
  if (!inner) kept.set(published, (inner = new WeakMap<Place, RequestLimits>()));
  return inner as WeakMap<Place, RequestLimits>;
}

function workOut(
  { tenant, key }: Caller,
  place: Place,
  now: number,
  published: PublishedRoute | undefined,
): RequestLimits {
  const claim: Limit[] = [tenant.bucket];
  const names: LimitName[] = ['tenant'];
  const add = (name: LimitName, limit: Limit | undefined): void => {
    if (!limit) return;
    claim.push(limit);
    names.push(name);
  };
  if ('targets' in place) add('service', place.bucket);
  else add('route', tenant.bucketOf(place));
  add('route', published?.bucket);
  add('key', key.bucket);
  let validUntil = Infinity;
  if (key.monthlyQuota !== undefined) {
    const month = monthOf(now);
    validUntil = month.endsAt;
    const budgetKey = keys.quota(tenant.id, key.lineage, month.name);
    add('quota', { key: budgetKey, capacity: key.monthlyQuota, windowMs: 0, cost: 1, endsAt: month.endsAt });
  }
  add('spend_cap', spendCap({ tenant, key }));
  const shared = { claim, names, policy: policyOf(claim, names), validUntil, clients: undefined };
  const perClient = clientLimitsAt(tenant, published ?? ('targets' in place ? undefined : place));
  return perClient.length > 0 ? { ...shared, clients: new ClientLimits(shared, perClient) } : shared;
}

function clientLimitsAt({ id, perClient }: ServedTenant, route: Route | undefined): PlacedClientLimit[] {
  const limits: PlacedClientLimit[] = [];
  if (perClient) limits.push({ name: 'client', tenantId: id, place: 'tenant', limit: perClient });
  if (route?.perClient) {
    const place = 'limitName' in route ? (route as PublishedRoute).limitName : routeName(route);
    limits.push({ name: 'route_client', tenantId: id, place, limit: route.perClient });
  }
  return limits;
}

/** The money that may still be spent in the open billing cycle; requests that cost nothing need none. */
function spendCap({ tenant, key }: Pick<Caller, 'tenant' | 'key'>): Limit | undefined {
  const { spendCapNano, cycle } = tenant.billing;
  const cost = key.priceNano ?? tenant.billing.priceNano;
  if (spendCapNano === undefined || cost === 0) return undefined;
  return { key: keys.spendCap(tenant.id, cycle), capacity: spendCapNano, windowMs: 0, cost, endsAt: 0 };
}

/** The calendar month in UTC, and when it ends. */
function monthOf(now: number): { name: string; endsAt: number } {
  const date = new Date(now);
  return {
    name: date.toISOString().slice(0, 7),
    endsAt: Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1),
  };
}

/** Budgets are not rates: they have a quantity and no window. */
function policyOf(claim: Claim, names: readonly LimitName[]): string {
  return claim
    .map((limit, i) => {
      const quantity = `"${names[i]}";q=${limit.capacity}`;
      return isBudget(limit) ? quantity : `${quantity};w=${Math.ceil(limit.windowMs / 1000)}`;
    })
    .filter((_, i) => names[i] !== 'spend_cap')
    .join(', ');
}

/** `RateLimit`: what is left of each limit, and when there is more. */
export function levelsOf({ names, claim }: RequestLimits, { verdicts }: ClaimVerdict, now: number): string {
  let levels = '';
  for (let i = 0; i < claim.length; i++) {
    const verdict = verdicts[i];
    if (verdict === undefined || names[i] === 'spend_cap') continue;
    const seconds = secondsUntilMore(claim[i] as Limit, verdict.retryAfterMs, now);
    levels += `${levels === '' ? '' : ', '}"${names[i]}";r=${verdict.remaining};t=${seconds}`;
  }
  return levels;
}

/** Whole seconds until a token is there, or until a budget begins anew. */
export function secondsUntilMore(limit: Limit, retryAfterMs: number, now: number): number {
  if (!isBudget(limit)) return Math.ceil(retryAfterMs / 1000);
  return limit.endsAt === 0 ? 0 : Math.max(0, Math.ceil((limit.endsAt - now) / 1000));
}
