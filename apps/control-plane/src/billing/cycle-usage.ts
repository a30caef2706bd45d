import {
  checkPlan,
  rateSegments,
  type KeyUnits,
  type Plan,
  type RatedCycle,
  type Segment,
  type UsageLine,
} from '#libs/billing';
import { parseCycleField } from '#libs/usage';
import type { BillingAccount } from './billing-account';

/** Requests billed in one cycle, as its table in the ledger has them. */
export interface CycleUsage {
  /** By plan version, one line per key. */
  readonly lines: ReadonlyMap<string, readonly UsageLine[]>;
  /** How often responses that cost something were counted apart. */
  readonly accessed: readonly KeyUnits[];
  readonly units: bigint;
}

/** Name of a cycle's table in the ledger. */
export const cycleTable = (cycle: number): string => `cycle:${cycle}`;

/** Reads the fields of a cycle's table. */
export function usageOf(table: ReadonlyMap<string, bigint>): CycleUsage {
  const versions = new Map<string, Map<string, UsageLine>>();
  const accessed: KeyUnits[] = [];
  let units = 0n;
  for (const [name, amount] of table) {
    const field = parseCycleField(name);
    if (!field) throw new Error(`${name} is not a field of a billing cycle`);
    if (field.of === 'access') {
      accessed.push({ keyId: field.keyId, units: amount });
      continue;
    }
    const line = lineOf(versions, field.planVersion, field.keyId);
    line[field.of] += amount;
    if (field.of === 'units') units += amount;
  }
  const lines = [...versions].map(([version, byKey]) => [version, [...byKey.values()]] as const);
  return { lines: new Map(lines), accessed, units };
}

/**
 * What the requests of a cycle cost. Without a plan each costs what its key did at that moment. A count that arrives
 * after its cycle was closed belongs to the next one; if its plan is not in force there any more, it is rated by the
 * one that this cycle began with, and a plan of the past charges no further fee.
 */
export function rateCycle(account: BillingAccount, { lines }: CycleUsage): RatedCycle {
  const plans = plansOf(account);
  const [first] = plans.keys();
  const byVersion = new Map<string, UsageLine[]>([...plans.keys()].map((version) => [version, []]));
  for (const [version, some] of lines) {
    const known = version === '' || plans.has(version) ? version : (first ?? '');
    byVersion.set(known, [...(byVersion.get(known) ?? []), ...some]);
  }
  if (byVersion.size === 0) byVersion.set('', []);
  const segments = [...byVersion].map(([version, some]): Segment => ({
    plan: plans.get(version) ?? withoutPlan(account.currency),
    lines: some,
  }));
  return rateSegments(segments);
}

/** The plans that were in force in the open cycle, by version, in the order in which they came into force. */
export function plansOf({ plans }: BillingAccount): Map<string, Plan> {
  return new Map(
    Object.entries(plans).map(([version, document]) => {
      const { plan, problems } = checkPlan(document);
      if (!plan) throw new Error(`the stored plan ${version} is broken: ${JSON.stringify(problems)}`);
      return [version, plan];
    }),
  );
}

/** How requests are rated that no plan is about. It is not listed among the plans of a statement. */
function withoutPlan(currency: string): Plan {
  return { id: 'none', name: 'No plan', currency, model: 'per_request' };
}

function lineOf(versions: Map<string, Map<string, UsageLine>>, version: string, keyId: string): UsageLine {
  const byKey = versions.get(version) ?? new Map<string, UsageLine>();
  const line = byKey.get(keyId) ?? { keyId, units: 0n, cost: 0n };
  versions.set(version, byKey.set(keyId, line));
  return line;
}
