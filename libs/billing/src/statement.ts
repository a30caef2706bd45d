import { createHash } from 'node:crypto';
import { isDictionary } from './json-shape';
import { formatMoney } from './money';
import { planDocument, type Plan, type PlanDocument } from './plan';
import type { RatedCycle, RatedLine } from './rating';

/** What one key owes for its requests; amounts are decimal texts. */
export interface StatementLine {
  readonly keyId: string;
  readonly keyName: string;
  readonly serviceId?: string;
  readonly requests: number;
  /** Only where `requests` times it is `cost`: not with tiers, nor after the price changed in mid-cycle. */
  readonly unitPrice?: string;
  readonly cost: string;
}

export interface StatementFee {
  readonly planId: string;
  readonly amount: string;
}

/** A closed billing cycle. Frozen: names, prices and plans stay as they were, whatever becomes of them. */
export interface Statement {
  readonly id: string;
  readonly tenantId: string;
  /** The number of the tenant's cycle. */
  readonly cycle: number;
  readonly currency: string;
  /** ISO 8601, as is `closedAt`. */
  readonly openedAt: string;
  readonly closedAt: string;
  /** In the order in which they held. */
  readonly plans: readonly PlanDocument[];
  readonly lines: readonly StatementLine[];
  readonly fees: readonly StatementFee[];
  /** The lines and the fees together. */
  readonly total: string;
  /** SHA-256, in hex, of everything else as canonical JSON. */
  readonly digest: string;
}

/** What a statement says of a key beside its amounts. */
export interface BilledKey {
  name: string;
  serviceId?: string;
  /** Nano-units per request when the cycle was closed. */
  price?: bigint;
}

export type StatementParts = Pick<Statement, 'id' | 'tenantId' | 'cycle' | 'openedAt' | 'closedAt'> & {
  plans: readonly Plan[];
  rated: RatedCycle;
  /** By key id; a key that is not among them any more is called by its id. */
  keys: ReadonlyMap<string, BilledKey>;
};

/** Makes the statement of a rated cycle. */
export function createStatement(parts: StatementParts): Statement {
  const { id, tenantId, cycle, openedAt, closedAt, plans, rated, keys } = parts;
  const content: Omit<Statement, 'digest'> = {
    id,
    tenantId,
    cycle,
    currency: rated.currency,
    openedAt,
    closedAt,
    plans: plans.map(planDocument),
    lines: rated.lines.map((line) => statementLine(line, keys.get(line.keyId))),
    fees: rated.fees.map(({ planId, amount }) => ({ planId, amount: formatMoney(amount) })),
    total: formatMoney(rated.total),
  };
  return frozen({ ...content, digest: digestOf(content) });
}

/** A statement as JSON text to store or hand out; parsed again, it passes `verifyStatement`. */
export function toJson(statement: Statement): string {
  return JSON.stringify(statement, undefined, 2);
}

function statementLine({ keyId, units, cost, unitPrice }: RatedLine, key?: BilledKey): StatementLine {
  const requests = Number(units);
  if (!Number.isSafeInteger(requests)) throw new RangeError(`${units} requests of key ${keyId} are no count`);
  const price = unitPrice ?? key?.price;
  const explainsCost = price !== undefined && units > 0n && units * price === cost;
  return {
    keyId,
    keyName: key?.name ?? keyId,
    ...(key?.serviceId !== undefined && { serviceId: key.serviceId }),
    requests,
    ...(explainsCost && { unitPrice: formatMoney(price) }),
    cost: formatMoney(cost),
  };
}

/** SHA-256, in hex, of a statement without its digest. */
export function digestOf(content: object): string {
  return createHash('sha256').update(canonicalJson(content)).digest('hex');
}

/** JSON in one form only (RFC 8785): members in the order of their names, no spaces. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isDictionary(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name])}`).join(',')}}`;
}

/** Freezes a value and everything in it. */
export function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
