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
/** Weakly: places come and go while an anonymous caller stays. Those of a published route are below that. */
type LimitsByPlace = WeakMap<Place, RequestLimits | WeakMap<Place, RequestLimits>>;

/**
 * What a caller's `limits` are: made anew with the caller whenever the key or its tenant changes. Most callers go to one place
 * only, so that one is kept beside the others: a map for each of a hundred thousand callers is memory, and work for the
 * collector of garbage.
 */
class KeptLimits {
  private others: LimitsByPlace | undefined = undefined;

  constructor(
    private place: Place,
    private published: PublishedRoute | undefined,
    private limits: RequestLimits,
  ) {}

  find(place: Place, published: PublishedRoute | undefined): RequestLimits | undefined {
    if (place === this.place && published === this.published) return this.limits;
    return this.others && within(this.others, published).get(place);
  }

  keep(place: Place, published: PublishedRoute | undefined, limits: RequestLimits): void {
    if (place === this.place && published === this.published) this.limits = limits;
    else within((this.others ??= new WeakMap()), published).set(place, limits);
  }
}

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
  const kept = caller.limits as KeptLimits | undefined;
  let limits = kept?.find(place, published);
  if (!limits || now >= limits.validUntil) {
    limits = workOut(caller, place, now, published);
    if (kept) kept.keep(place, published, limits);
    else caller.limits = new KeptLimits(place, published, limits);
  }
  return limits.clients ? limits.clients.of(clientAddress) : limits;
}

function within(kept: LimitsByPlace, published: PublishedRoute | undefined): WeakMap<Place, RequestLimits> {
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
  // Copies, for a list that has grown has room for many more, and there is one for each caller.
  const kept = { claim: claim.slice(), names: names.slice() };
  const shared = { ...kept, policy: policyOf(claim, names), validUntil, clients: undefined };
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
