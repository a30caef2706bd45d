import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
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
import { RefusalBudget } from './refusal-budget';

/** Which entries are wanted; what is absent is not asked for. Times are milliseconds since the epoch. */
export interface AuditFilter {
  readonly actor?: string;
  readonly action?: string;
  readonly tenantId?: string;
  readonly from?: number;
  /** Not included. */
  readonly to?: number;
}

/** Entries read at once. */
const PAGE = 100;
/** A filter that fits hardly anything must not make one call read everything. */
const MAX_LOOKED_AT = 2000;
/** Counting takes the embedded store some milliseconds when the log is full. */
const MAX_APPENDS_PER_TRIM = 64;

/** The audit log. Entries are written behind the answers they are about; their ids keep the order of the events. */
export class AuditLog {
  private readonly refusals = new RefusalBudget();
  private readonly untrimmed: Record<Kind, number> = { owners: 0, tenants: 0, strangers: 0 };
  private sequence = 0;
  private writing: Promise<void> = Promise.resolve();

  /**
   * @param maxEntries kept of what owners did, and of what tenants did; of strangers a tenth.
   * @param maxLookedAt by one call of `page`.
   */
  constructor(
    private readonly store: Store,
    private readonly logger: Pick<Logger, 'error'>,
    private readonly maxEntries: number,
    private readonly maxLookedAt = MAX_LOOKED_AT,
  ) {}

  /** Returns at once. What cannot be written is logged in full, as an error. */
  append(event: AuditEvent, now = Date.now()): void {
    const kind = kindOf(event);
    const unwritten = kind === 'strangers' ? this.refusals.charge(now) : 0;
    if (unwritten === undefined) return;
    const details = unwritten > 0 ? { ...event.details, unwritten: String(unwritten) } : event.details;
    const id = auditId(now, this.sequence++);
    const entry: AuditEntry = { id, at: new Date(now).toISOString(), ...event, details };
    this.writing = Promise.all([this.writing, this.write(kind, entry)]).then(() => undefined);
  }

  /** Resolves when everything that was appended is written, or logged. */
  settled(): Promise<void> {
    return this.writing;
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
    if (position !== '' && !AUDIT_ID.test(position)) throw invalidCursor();
    const oldest = filter.from === undefined ? '' : idsFrom(filter.from);
    const entries: AuditEntry[] = [];
    let before = position !== '' ? position : filter.to === undefined ? '' : idsFrom(filter.to);
    for (let looked = 0; ;) {
      const ids = (await this.idsBefore(before)).filter((id) => id >= oldest);
      if (ids.length === 0) return { entries };
      const found = await Promise.all(ids.map((id) => this.read(id)));
      for (const [i, entry] of found.entries()) {
        const fits = entry !== undefined && matches(entry, filter);
        if ((fits && entries.length === limit) || looked === this.maxLookedAt)
          return { entries, next: before };
        before = ids[i] ?? before;
        looked += 1;
        if (fits) entries.push(entry);
      }
      if (ids.length < PAGE) return { entries };
    }
  }

  /** The greatest of all kinds: each gives its own greatest. */
  private async idsBefore(before: string): Promise<string[]> {
    const { documents } = this.store;
    const ids = await Promise.all(
      KINDS.map((kind) => documents.indexPageBack(keys.auditIndex(kind), before, PAGE)),
    );
    return ids.flat().sort().reverse().slice(0, PAGE);
  }

  private async read(id: string): Promise<AuditEntry | undefined> {
    const text = await this.store.documents.get(keys.auditEntry(id));
    return text === undefined ? undefined : (JSON.parse(text) as AuditEntry);
  }

  private async write(kind: Kind, entry: AuditEntry): Promise<void> {
    try {
      // The place comes first: an entry without one would never be found, nor removed.
      await this.store.documents.indexAdd(keys.auditIndex(kind), entry.id);
      await this.store.documents.put(keys.auditEntry(entry.id), JSON.stringify(entry), 'absent');
    } catch (error) {
      this.logger.error(
        { category: 'admin', err: error, entry },
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
    const max = kind === 'strangers' ? Math.ceil(this.maxEntries / 10) : this.maxEntries;
    const due = Math.min(MAX_APPENDS_PER_TRIM, Math.ceil(max / 10));
    this.untrimmed[kind] += 1;
    if (this.untrimmed[kind] < due) return;
    this.untrimmed[kind] = 0;
    const { documents } = this.store;
    const index = keys.auditIndex(kind);
    let excess = (await documents.indexSize(index)) - max;
    while (excess > 0) {
      const ids = await documents.indexPage(index, '', Math.min(excess, PAGE));
      if (ids.length === 0) return;
      await Promise.all(ids.map((id) => documents.delete(keys.auditEntry(id), 'any')));
      await Promise.all(ids.map((id) => documents.indexRemove(index, id)));
      excess -= ids.length;
    }
  }
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
