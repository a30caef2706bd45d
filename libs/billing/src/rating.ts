import { apportion, sum } from './apportion';
import { planDocument, type Plan, type Tier } from './plan';

/** The requests of one key in a cycle, as they were accumulated. */
export interface UsageLine {
  keyId: string;
  /** Billed requests. */
  units: bigint;
  /** Nano-units: each request at the price that held when it was made, so that a new price never re-prices the past. */
  cost: bigint;
}

/** What was used while one plan held, in the order in which the plans came into force. */
export interface Segment {
  plan: Plan;
  lines: readonly UsageLine[];
}

/** What one key owes for its requests, in nano-units. */
export interface RatedLine {
  keyId: string;
  units: bigint;
  cost: bigint;
  /** Only where the plan priced every one of these requests the same: then `units` times it is `cost`. */
  unitPrice?: bigint;
}

/** A fee per cycle, in nano-units. It belongs to the tenant, not to keys: it is owed without any request. */
export interface RatedFee {
  planId: string;
  amount: bigint;
}

/** What a tenant owes for a cycle: `total` is the sum of the lines and the fees, to the nano-unit. */
export interface RatedCycle {
  currency: string;
  /** One per key, ordered by key id. */
  lines: RatedLine[];
  fees: RatedFee[];
  total: bigint;
}

/**
 * Rates a cycle that knew one plan. `per_request` without a price takes the accumulated cost; in all other models the
 * cost follows from the units of the whole cycle. Where only their sum has a cost (tiers, included requests), it is
 * shared among the keys in proportion to their units, by largest remainder, so that the lines add up to it exactly.
 */
export function rate(plan: Plan, lines: readonly UsageLine[]): RatedCycle {
  return rateSegments([{ plan, lines }]);
}

/**
 * Rates a cycle in which the plan changed: each segment by its own plan, as if it were a cycle of its own (its tiers
 * start from the bottom, its included requests are granted in full), then summed by key. Segments of one plan
 * on the same terms are one: neither a new name nor going away and coming back grants anything twice. A fee is charged once per plan id, at the amount that held
 * first: it was owed from then on, and a changed fee counts from the next cycle.
 * @throws Error if the plans are of different currencies (changing the currency takes a new cycle), if there is none,
 *   or if something negative was counted.
 */
export function rateSegments(segments: readonly Segment[]): RatedCycle {
  const distinct = mergeSamePlans(segments);
  const currency = distinct[0]?.plan.currency;
  if (currency === undefined) throw new Error('a cycle needs a plan');
  if (distinct.some(({ plan }) => plan.currency !== currency)) {
    throw new Error('a cycle has one currency, but its plans have several');
  }
  const lines = sumByKey(distinct.flatMap(({ plan, lines }) => rateLines(plan, sumByKey(lines))));
  const fees = feesOf(distinct);
  const total = sum(lines.map(({ cost }) => cost)) + sum(fees.map(({ amount }) => amount));
  return { currency, lines, fees, total };
}

function rateLines(plan: Plan, lines: readonly UsageLine[]): RatedLine[] {
  switch (plan.model) {
    case 'flat':
      return lines.map((line) => ({ ...line, cost: 0n }));
    case 'per_request': {
      const { price } = plan;
      if (price === undefined) return [...lines];
      return lines.map((line) => ({ ...line, cost: line.units * price, unitPrice: price }));
    }
    case 'tiered':
      return share(lines, (units) => costInTiers(plan.tiers, units));
    case 'included': {
      const included = BigInt(plan.includedRequests);
      return share(lines, (units) => (units > included ? (units - included) * plan.overagePrice : 0n));
    }
  }
}

function share(lines: readonly UsageLine[], costOf: (units: bigint) => bigint): RatedLine[] {
  const weights = lines.map(({ units }) => units);
  const costs = apportion(costOf(sum(weights)), weights);
  return lines.map((line, index) => ({ ...line, cost: costs[index]! }));
}

function costInTiers(tiers: readonly Tier[], units: bigint): bigint {
  let cost = 0n;
  let below = 0n;
  for (const { upTo, price } of tiers) {
    const end = upTo === null || BigInt(upTo) > units ? units : BigInt(upTo);
    cost += (end - below) * price;
    below = end;
  }
  return cost;
}

function mergeSamePlans(segments: readonly Segment[]): Segment[] {
  const merged = new Map<string, Segment>();
  for (const { plan, lines } of segments) {
    const { name, billsCacheHits, ...terms } = planDocument(plan);
    const text = JSON.stringify(terms);
    merged.set(text, { plan, lines: [...(merged.get(text)?.lines ?? []), ...lines] });
  }
  return [...merged.values()];
}

function feesOf(segments: readonly Segment[]): RatedFee[] {
  const fees = new Map<string, RatedFee>();
  for (const { plan } of segments) {
    if ('fee' in plan && !fees.has(plan.id)) fees.set(plan.id, { planId: plan.id, amount: plan.fee });
  }
  return [...fees.values()];
}

/** One line per key, in the order of their ids: neither the ties of `apportion` nor a statement depend on who came first. */
function sumByKey(lines: readonly RatedLine[]): RatedLine[] {
  const byKey = new Map<string, RatedLine>();
  for (const line of lines) {
    if (line.units < 0n || line.cost < 0n) throw new Error(`key ${line.keyId} has a negative line`);
    const known = byKey.get(line.keyId);
    byKey.set(line.keyId, known ? addLines(known, line) : line);
  }
  return [...byKey.values()].sort((a, b) => (a.keyId < b.keyId ? -1 : 1));
}

function addLines(one: RatedLine, other: RatedLine): RatedLine {
  const sums = { keyId: one.keyId, units: one.units + other.units, cost: one.cost + other.cost };
  const samePrice = one.unitPrice !== undefined && one.unitPrice === other.unitPrice;
  return samePrice ? { ...sums, unitPrice: one.unitPrice } : sums;
}
