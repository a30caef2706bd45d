import { reconcile, type KeyUnits } from '#libs/billing';
import { GatewayError } from '#libs/errors';
import type { Store } from '#libs/store';
import { MAX_USAGE_DAYS, readUsage, usageRange, type UsageRange } from '#libs/usage';
import { rangeOf, type AskedRange } from '../usage/asked-usage';
import { statementId, type BillingAccount } from './billing-account';
import type { BillingCycles } from './billing-cycles';
import { rateCycle } from './cycle-usage';
import type { ReconciliationDto } from './reconciliation.dto';
import type { Statements } from './statements';

/** A billing cycle as it was, or is, billed; and how often its responses were counted apart. */
interface BilledCycle {
  readonly cycle: number;
  readonly openedAt: string;
  /** Undefined for the open one. */
  readonly closedAt: string | undefined;
  readonly rated: readonly KeyUnits[];
  readonly accessed: readonly KeyUnits[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Each takes two reads of the store. */
const MAX_CYCLES = 500;

/** Compares what was billed with what was counted. */
export class Reconciler {
  constructor(
    private readonly store: Store,
    private readonly cycles: BillingCycles,
    private readonly statements: Statements,
  ) {}

  /**
   * Compares whole cycles: all that overlap the range, which defaults to the open one.
   * @throws GatewayError validation_failed
   */
  async reconcile(tenantId: string, asked: AskedRange): Promise<ReconciliationDto> {
    const { account } = await this.cycles.current(tenantId);
    const cycles = await this.overlapping(tenantId, account, usageRange(rangeOf(defaulted(asked, account))));
    const hours = hoursOf(cycles);
    const used = hours ? await readUsage(this.store, tenantId, { ...hours, groupBy: ['key'] }) : [];
    const counted = used.map(({ key = '', billed }) => ({ keyId: key, units: BigInt(billed) }));
    const rated = cycles.flatMap((cycle) => cycle.rated);
    const accessed = cycles.flatMap((cycle) => cycle.accessed);
    const { rows, inBalance } = reconcile({ rated, counted, accessed });
    return {
      tenant_id: tenantId,
      from: hours?.from ?? null,
      to: hours?.to ?? null,
      cycles: cycles.map(({ cycle, openedAt, closedAt }) => ({
        cycle,
        opened_at: openedAt,
        closed_at: closedAt ?? null,
      })),
      in_balance: inBalance,
      keys: rows.map((row) => ({
        key_id: row.keyId,
        rated: Number(row.rated),
        counted: Number(row.counted),
        accessed: Number(row.accessed),
        rated_minus_counted: Number(row.drift.counted),
        rated_minus_accessed: Number(row.drift.accessed),
      })),
    };
  }

  /** Newest first. */
  private async overlapping(
    tenantId: string,
    account: BillingAccount,
    { from, to }: UsageRange,
  ): Promise<BilledCycle[]> {
    const found: BilledCycle[] = [];
    for (let { cycle } = account; cycle >= 1; cycle--) {
      const billed = await this.billed(tenantId, account, cycle);
      if (!billed || (billed.closedAt !== undefined && Date.parse(billed.closedAt) < from)) break;
      if (Date.parse(billed.openedAt) >= to) continue;
      if (found.length === MAX_CYCLES) {
        const fields = [{ field: 'from', message: `is more than ${MAX_CYCLES} billing cycles ago` }];
        throw new GatewayError('validation_failed', undefined, { fields });
      }
      found.push(billed);
    }
    return found;
  }

  private async billed(
    tenantId: string,
    account: BillingAccount,
    cycle: number,
  ): Promise<BilledCycle | undefined> {
    if (cycle === account.cycle) {
      const usage = await this.cycles.usage(tenantId, cycle);
      const { openedAt } = account;
      return {
        cycle,
        openedAt,
        closedAt: undefined,
        rated: rateCycle(account, usage).lines,
        accessed: usage.accessed,
      };
    }
    const statement = await this.statements.find(tenantId, statementId({ ...account, cycle }));
    if (!statement) return undefined;
    const { openedAt, closedAt, lines } = statement;
    const rated = lines.map(({ keyId, requests }) => ({ keyId, units: BigInt(requests) }));
    const { accessed } = await this.cycles.usage(tenantId, cycle);
    return { cycle, openedAt, closedAt, rated, accessed };
  }
}

/** The open cycle, unless something else is asked for; no more of it than there is something to compare it with. */
function defaulted(asked: AskedRange, { openedAt }: BillingAccount): AskedRange {
  if (asked.from !== undefined || asked.to !== undefined) return asked;
  return { from: new Date(Math.max(Date.parse(openedAt), earliest(Date.now()))).toISOString() };
}

/** The hours in which the requests of the cycles were made, the first and the last one in full. */
function hoursOf(cycles: readonly BilledCycle[]): { from: string; to: string } | undefined {
  const [newest] = cycles;
  const oldest = cycles.at(-1);
  if (!newest || !oldest) return undefined;
  // A cycle that is open now also has requests of the current hour.
  const end = newest.closedAt === undefined ? Date.now() : Date.parse(newest.closedAt);
  const to = (Math.floor(end / HOUR_MS) + 1) * HOUR_MS;
  const from = Math.max(Math.floor(Date.parse(oldest.openedAt) / HOUR_MS) * HOUR_MS, earliest(to));
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}

/** How far back usage is kept. */
function earliest(to: number): number {
  return Math.ceil(to / HOUR_MS) * HOUR_MS - MAX_USAGE_DAYS * DAY_MS;
}
