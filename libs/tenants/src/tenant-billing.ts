import type { FieldProblem } from '#libs/errors';
import { nanoOf } from './served-key';

/** The document under `tenant:billing:{id}`: on what terms a tenant's requests are counted now. */
export interface TenantBilling {
  /** ISO 4217. */
  currency: string;
  /** Decimal text; of requests whose key has no price of its own. */
  pricePerRequest: string;
  /** Decimal text: requests that would cost more in one cycle are refused with 402; absent means none are. */
  spendCap?: string;
  /** Number of the open cycle, from 1, and since when it is open (ISO 8601). */
  cycle: number;
  openedAt: string;
  /** Names the plan and its version; empty without a plan. */
  planVersion: string;
  /** Every plan that was in force during the open cycle, by version, as it was then. */
  plans: Record<string, object>;
}

/** Price of a request unless its key or tenant has another (documented default). */
export const DEFAULT_PRICE_PER_REQUEST = '0.001';

/** What holds for a tenant that nobody has made a billing document for. */
export const DEFAULT_BILLING: Readonly<TenantBilling> = {
  currency: 'USD',
  pricePerRequest: DEFAULT_PRICE_PER_REQUEST,
  cycle: 1,
  openedAt: new Date(0).toISOString(),
  planVersion: '',
  plans: {},
};

/** The terms compiled for the request path. */
export interface ServedBilling {
  /** Nano-units. */
  readonly priceNano: number;
  readonly spendCapNano: number | undefined;
  readonly cycle: number;
  readonly planVersion: string;
  /** Whether a response from the gateway's cache costs what a forwarded request does; only where the plan says so. */
  readonly billsCacheHits: boolean;
}

export const DEFAULT_SERVED_BILLING = servedBilling(DEFAULT_BILLING);

/** A stored document, or what holds without one. */
export function parseBilling(text: string | undefined): TenantBilling {
  return text === undefined ? DEFAULT_BILLING : (JSON.parse(text) as TenantBilling);
}

/** The terms compiled, or why a stored document holds none: then nobody may spend as if there were no cap. */
export function checkBilling(
  text: string,
): { billing: ServedBilling; problems?: undefined } | { billing?: undefined; problems: FieldProblem[] } {
  let terms: Partial<TenantBilling>;
  try {
    terms = JSON.parse(text) as Partial<TenantBilling>;
  } catch {
    return { problems: [{ field: 'billing', message: 'is not JSON' }] };
  }
  const { pricePerRequest, spendCap, cycle, planVersion, plans } = terms;
  const sound =
    isAmount(pricePerRequest) &&
    (spendCap === undefined || isAmount(spendCap)) &&
    Number.isSafeInteger(cycle) &&
    typeof planVersion === 'string' &&
    typeof plans === 'object' &&
    plans !== null;
  if (!sound) return { problems: [{ field: 'billing', message: 'is incomplete' }] };
  return { billing: servedBilling(terms as TenantBilling) };
}

function isAmount(value: unknown): value is string {
  return typeof value === 'string' && /^\d{1,7}(?:\.\d{1,9})?$/.test(value);
}

export function servedBilling({
  pricePerRequest,
  spendCap,
  cycle,
  planVersion,
  plans,
}: TenantBilling): ServedBilling {
  const plan = plans[planVersion] as { billsCacheHits?: unknown } | undefined;
  return {
    priceNano: nanoOf(pricePerRequest),
    spendCapNano: spendCap === undefined ? undefined : nanoOf(spendCap),
    cycle,
    planVersion,
    billsCacheHits: plan?.billsCacheHits === true,
  };
}
