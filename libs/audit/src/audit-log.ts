import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import type { Store } from '#libs/store';
import {
  AUDIT_ID,
  KINDS,
  auditId,
  idsFrom,
  kindOf,
  type AuditEntry,
  type AuditEvent,
  type Kind,
} from './audit-entry';
import { ChainBackwards, OldBackwards, type Backwards } from './backwards';
import { Chain } from './chain';
import { OldEntries } from './old-entries';
import { RefusalBudget } from './refusal-budget';
import { verifyChain, type ChainVerdict } from './verify-chain';

/** Which entries are wanted; what is absent is not asked for. Times are milliseconds since the epoch. */
export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly tenantId?: string;
  readonly from?: number;
  /** Not included. */
  readonly to?: number;
}

/** How much is kept. */
export interface AuditRetention {
  /** Of what owners did, and of what tenants did; of strangers a tenth. */
  readonly maxEntries: number;
  /** Undefined: however old. */
  readonly maxAgeMs?: number;
}

/** A filter that fits hardly anything must not make one call read everything. */
const MAX_LOOKED_AT = 2000;
/** Looking for what has become too many takes a few calls of the store. */
const MAX_APPENDS_PER_TRIM = 64;
/** A number for each chain, empty at its end, and the id of an old entry. */
const POSITION = /^(\d{0,15}),(\d{0,15}),(\d{0,15}),(\d{0,15}),(-|[0-9a-z]{0,21})$/;

/** The audit log: a chain for each kind of those who act, so that nothing can be changed or left out unnoticed. */
export class AuditLog {
  private readonly chains: Readonly<Record<Kind, Chain<object>>>;
  private readonly old: OldEntries;
  private readonly refusals = new RefusalBudget();
  private readonly untrimmed: Record<Kind, number> = { owners: 0, tenants: 0, strangers: 0, custody: 0 };
  private sequence = 0;
  private writing: Promise<void> = Promise.resolve();

  /** @param maxLookedAt by one call of `page`. @param unwritten called for every entry that is in the log only. */
  constructor(
    store: Store,
    private readonly logger: Pick<Logger, 'error'>,
    private readonly retention: AuditRetention,
    private readonly maxLookedAt = MAX_LOOKED_AT,
    private readonly unwritten: () => void = () => undefined,
  ) {
    const chain = (kind: Kind): Chain<object> => new Chain(store, kind);
    this.chains = {
      owners: chain('owners'),
      tenants: chain('tenants'),
      strangers: chain('strangers'),
      custody: chain('custody'),
    };
    this.old = new OldEntries(store);
  }

  /** Returns at once. What cannot be written is logged in full, as an error. */
  append(event: AuditEvent, now = Date.now()): void {
    void this.record(event, now);
  }

  /** The same, and resolves when it is written, or logged; never rejects. */
  record(event: AuditEvent, now = Date.now()): Promise<void> {
    const kind = kindOf(event);
    const unwritten = kind === 'strangers' ? this.refusals.charge(now) : 0;
    if (unwritten === undefined) return Promise.resolve();
    const details = unwritten > 0 ? { ...event.details, unwritten: String(unwritten) } : event.details;
    const entry = { id: auditId(now, this.sequence++), ...event, details };
    const written = this.write(kind, entry, now);
    this.writing = Promise.all([this.writing, written]).then(() => undefined);
    return written;
  }

  /** Resolves when everything that was appended is written, or logged. */
  settled(): Promise<void> {
    return this.writing;
  }

  /** Goes through all chains, one after the other. */
  async verify(): Promise<ChainVerdict[]> {
    const verdicts: ChainVerdict[] = [];
    for (const kind of KINDS) verdicts.push(await verifyChain(this.chains[kind]));
    return verdicts;
  }

  /**
   * Up to `limit` entries, newest first.
   * @param position where the page before has ended; a page may be short, and end before the last entry all the same.
   * @throws GatewayError validation_failed
   */
  async page(
    filter: AuditFilter,
    position: string,
    limit: number,
  ): Promise<{ entries: AuditEntry[]; next?: string }> {
    const sources = await this.sourcesFrom(filter, position);
    const entries: AuditEntry[] = [];
    for (let looked = 0; ;) {
      const found = await newestOf(sources);
      if (!found) return { entries };
      const { source, entry } = found;
      const at = Date.parse(entry.at);
      const fits = at >= (filter.from ?? 0) && at < (filter.to ?? Infinity) && matches(entry, filter);
      if ((fits && entries.length === limit) || looked === this.maxLookedAt)
        return { entries, next: sources.map((one) => one.position).join() };
      // Those of one source are in the order of their times.
      if (at < (filter.from ?? 0)) sources.splice(sources.indexOf(source), 1, ended(source));
      else source.take();
      looked += 1;
      if (fits) entries.push(entry);
    }
  }

  private async sourcesFrom({ to }: AuditFilter, position: string): Promise<Backwards[]> {
    const old = (before: string): Backwards => new OldBackwards((at) => this.old.page(at), before);
    if (position !== '') {
      const [, ...places] = POSITION.exec(position) ?? [];
      const before = places.pop();
      if (before === undefined || (before.length > 1 && !AUDIT_ID.test(before))) throw invalidCursor();
      return [
        ...KINDS.map((kind, i) => new ChainBackwards(this.chains[kind], Number(places[i]))),
        old(before),
      ];
    }
    const chains = await Promise.all(
      KINDS.map(async (kind) => {
        const chain = this.chains[kind];
        const from = to === undefined ? ((await chain.newest())?.seq ?? 0) : await chain.lastBefore(to);
        return new ChainBackwards(chain, from);
      }),
    );
    return [...chains, old(to === undefined ? '' : idsFrom(to))];
  }

  private async write(kind: Kind, entry: object, now: number): Promise<void> {
    try {
      await this.chains[kind].append(entry, now);
    } catch (error) {
      this.unwritten();
      const whole = { ...entry, at: new Date(now).toISOString() };
      this.logger.error(
        { category: 'admin', err: error, entry: whole },
        'an entry of the audit log cannot be written',
      );
      return;
    }
    try {
      await this.trimNowAndThen(kind);
    } catch (error) {
      this.logger.error({ category: 'admin', err: error }, 'the audit log cannot be trimmed');
    }
  }

  private async trimNowAndThen(kind: Kind): Promise<void> {
    const { maxEntries, maxAgeMs } = this.retention;
    const max = kind === 'strangers' ? Math.ceil(maxEntries / 10) : maxEntries;
    const due = Math.min(MAX_APPENDS_PER_TRIM, Math.ceil(max / 10));
    this.untrimmed[kind] += 1;
    if (this.untrimmed[kind] < due) return;
    this.untrimmed[kind] = 0;
    const since = maxAgeMs === undefined ? 0 : Date.now() - maxAgeMs;
    const chain = this.chains[kind];
    await chain.trim(max, since);
    const length = ((await chain.newest())?.seq ?? 0) - (await chain.anchor()).seq;
    await this.old.trim(kind, Math.max(0, max - length), idsFrom(since));
  }
}

/** In the place of a source of which nothing more is wanted. */
function ended(source: Backwards): Backwards {
  const position = source instanceof OldBackwards ? '-' : '';
  return { peek: () => Promise.resolve(undefined), take: () => undefined, position };
}

/** The newest of the next entries: each source gives its own. */
async function newestOf(
  sources: readonly Backwards[],
): Promise<{ source: Backwards; entry: AuditEntry } | undefined> {
  let newest: { source: Backwards; entry: AuditEntry } | undefined;
  for (const source of sources) {
    const entry = await source.peek();
    if (entry && (!newest || entry.id > newest.entry.id)) newest = { source, entry };
  }
  return newest;
}

function matches(entry: AuditEntry, { actor, action, tenantId }: AuditFilter): boolean {
  return (
    (actor ?? entry.actor) === entry.actor &&
    (action ?? entry.action) === entry.action &&
    (tenantId ?? entry.tenantId) === entry.tenantId
  );
}

function invalidCursor(): GatewayError {
  const fields = [{ field: 'cursor', message: 'must be the nextCursor of a page before' }];
  return new GatewayError('validation_failed', undefined, { fields });
}
