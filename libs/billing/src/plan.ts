import type { FieldProblem } from '#libs/errors';
import { isCount, isDictionary, type Dictionary } from './json-shape';
import { formatMoney, isCurrency, parsePrice } from './money';

/** What every plan has. */
export interface PlanHeading {
  id: string;
  name: string;
  /** ISO 4217. */
  currency: string;
  /** Whether responses from the gateway's cache count as requests; absent: they do not. */
  billsCacheHits?: boolean;
}

/** The requests of a cycle after those of the tier before, up to and including number `upTo`; null: all that follow. */
export interface Tier {
  upTo: number | null;
  /** Nano-units per request. */
  price: bigint;
}

/** How the cost follows from the requests. Fees are per cycle; fees and prices in nano-units. */
export type PlanTerms =
  | { model: 'flat'; fee: bigint }
  /** Without a price: the one each key has (`price_per_request`). */
  | { model: 'per_request'; price?: bigint }
  /** Graduated: each request costs what its own tier says, whatever tier the cycle ends in. */
  | { model: 'tiered'; tiers: readonly Tier[] }
  | { model: 'included'; fee: bigint; includedRequests: number; overagePrice: bigint };

/** What a tenant pays for requests. */
export type Plan = PlanHeading & PlanTerms;

/** A plan, or the reasons why a document is none. */
export type CheckedPlan =
  { plan: Plan; problems?: undefined } | { plan?: undefined; problems: FieldProblem[] };

type Written<T> = T extends bigint
  ? string
  : T extends object
    ? { readonly [Field in keyof T]: Written<T[Field]> }
    : T;

/** A plan as JSON can hold it: amounts are decimal texts. */
export type PlanDocument = Written<Plan>;

const HEADING_FIELDS = ['id', 'name', 'currency', 'billsCacheHits', 'model'];
const TERM_FIELDS: Record<Plan['model'], readonly string[]> = {
  flat: ['fee'],
  per_request: ['price'],
  tiered: ['tiers'],
  included: ['fee', 'includedRequests', 'overagePrice'],
};
const MODELS = Object.keys(TERM_FIELDS) as Plan['model'][];

/** As for tenants: ids appear in keys, logs and URLs. */
const PLAN_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const MAX_NAME_LENGTH = 200;
/** Price lists have a handful; this keeps rating cheap. */
const MAX_TIERS = 100;

type Report = (field: string, message: string) => void;

/**
 * Checks a plan's document and gives the plan. Unlike in tenants, unknown fields are refused: a misspelt price would
 * otherwise be a free one. Stored documents pass through here as well.
 */
export function checkPlan(document: unknown): CheckedPlan {
  if (!isDictionary(document)) return { problems: [{ field: '', message: 'must be an object' }] };
  const problems: FieldProblem[] = [];
  const report: Report = (field, message) => void problems.push({ field, message });
  checkHeading(document, report);
  const terms = termsOf(document, report);
  if (!terms || problems.length > 0) return { problems };
  const { id, name, currency, billsCacheHits } = document as unknown as PlanHeading;
  return { plan: { id, name, currency, ...(billsCacheHits !== undefined && { billsCacheHits }), ...terms } };
}

/** The document of a plan: what `checkPlan` makes the same plan of again. */
export function planDocument(plan: Plan): PlanDocument {
  const text = JSON.stringify(plan, (_, value: unknown) =>
    typeof value === 'bigint' ? formatMoney(value) : value,
  );
  return JSON.parse(text) as PlanDocument;
}

function checkHeading({ id, name, currency, billsCacheHits }: Dictionary, report: Report): void {
  if (typeof id !== 'string' || !PLAN_ID.test(id)) {
    report(
      'id',
      'must be 1 to 64 letters, digits, dots, dashes or underscores, starting with a letter or digit',
    );
  }
  if (typeof name !== 'string' || name.trim() === '' || name.length > MAX_NAME_LENGTH) {
    report('name', `must be a text of 1 to ${MAX_NAME_LENGTH} characters`);
  }
  if (!isCurrency(currency)) report('currency', 'must be a currency code of ISO 4217, such as EUR');
  if (billsCacheHits !== undefined && typeof billsCacheHits !== 'boolean') {
    report('billsCacheHits', 'must be true or false');
  }
}

/** In the place of what is reported stands a placeholder that nobody gets to see. */
function termsOf(document: Dictionary, report: Report): PlanTerms | undefined {
  const model = MODELS.find((known) => known === document.model);
  if (model === undefined) {
    // Which of the other fields belong here depends on the model, so nothing can be said about them.
    report('model', `must be one of ${MODELS.join(', ')}`);
    return undefined;
  }
  refuseUnknown(document, [...HEADING_FIELDS, ...TERM_FIELDS[model]], '', report);
  const price = (field: string): bigint => priceOf(document[field], field, report);
  switch (model) {
    case 'flat':
      return { model, fee: price('fee') };
    case 'per_request':
      return document.price === undefined ? { model } : { model, price: price('price') };
    case 'tiered':
      return { model, tiers: tiersOf(document.tiers, report) };
    case 'included': {
      const includedRequests = document.includedRequests;
      if (!isCount(includedRequests)) report('includedRequests', 'must be a whole number from 0');
      return {
        model,
        fee: price('fee'),
        includedRequests: includedRequests as number,
        overagePrice: price('overagePrice'),
      };
    }
  }
}

function tiersOf(tiers: unknown, report: Report): Tier[] {
  if (!Array.isArray(tiers) || tiers.length === 0 || tiers.length > MAX_TIERS) {
    report('tiers', `must be a list of 1 to ${MAX_TIERS} tiers`);
    return [];
  }
  let reached = 0;
  return tiers.map((tier: unknown, index) => {
    const field = `tiers.${index}`;
    if (!isDictionary(tier)) {
      report(field, 'must be an object');
      return { upTo: null, price: 0n };
    }
    refuseUnknown(tier, ['upTo', 'price'], `${field}.`, report);
    const { upTo } = tier;
    if (index === tiers.length - 1) {
      if (upTo !== null) report(`${field}.upTo`, 'must be null: the last tier has no end');
    } else if (!isCount(upTo) || upTo <= reached) {
      // Compared with the highest so far, so that one tier out of line does not excuse the ones behind it.
      report(`${field}.upTo`, `must be a whole number above ${reached}, where the tier before ends`);
    } else {
      reached = upTo;
    }
    return { upTo: upTo as number | null, price: priceOf(tier.price, `${field}.price`, report) };
  });
}

function priceOf(value: unknown, field: string, report: Report): bigint {
  const { nano, problems } = parsePrice(value, field);
  problems?.forEach((problem) => report(problem.field, problem.message));
  return nano ?? 0n;
}

function refuseUnknown(from: Dictionary, known: readonly string[], prefix: string, report: Report): void {
  for (const field of Object.keys(from)) {
    if (!known.includes(field)) report(`${prefix}${field}`, 'is not a field of such a plan');
  }
}
