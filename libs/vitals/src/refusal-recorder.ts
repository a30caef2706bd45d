import { randomBytes } from 'node:crypto';
import type { RecentEntry, Store } from '#libs/store';
import { EVERY_MS } from './boards';
import { REFUSALS_BOARD, REFUSALS_OF_NOBODY, mostOf, type RefusalRecord } from './refusal-log';

export type RefusedRequest = Omit<RefusalRecord, 'id' | 'at' | 'replica'>;

/** Kept of one tenant, of those of nobody known, and of all, in a second: under a flood the rest is like them. */
const PER_SECOND = { tenant: 5, nobody: 10, all: 50 };

/** Keeps some of the requests that this process refuses where all control planes find them. */
export class RefusalRecorder {
  private pending: RecentEntry[] = [];
  private readonly taken = new Map<string, number>();
  private all = 0;
  private sequence = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  constructor(private readonly store: Pick<Store, 'recents' | 'fleet'>) {}

  start(): void {
    this.timer = setInterval(() => this.flush(), EVERY_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    this.flush();
    await this.writing;
  }

  /** @param describe called only where it is kept: under a flood that is seldom. */
  note(tenantId: string | undefined, describe: () => RefusedRequest): void {
    const group = tenantId ?? REFUSALS_OF_NOBODY;
    const taken = this.taken.get(group) ?? 0;
    const room = tenantId === undefined ? PER_SECOND.nobody : PER_SECOND.tenant;
    if (taken >= room || this.all >= PER_SECOND.all) return;
    this.taken.set(group, taken + 1);
    this.all += 1;
    const now = Date.now();
    const id = this.nextId(now);
    const replica = this.store.fleet.id;
    const record: RefusalRecord = { id, at: new Date(now).toISOString(), replica, ...describe() };
    this.pending.push({ id, group, text: JSON.stringify(record) });
  }

  /** What cannot be written now is not worth more of the store than that. */
  private flush(): void {
    this.taken.clear();
    this.all = 0;
    if (this.pending.length === 0) return;
    const entries = this.pending;
    this.pending = [];
    this.writing = this.store.recents.add(REFUSALS_BOARD, entries, mostOf).catch(() => undefined);
  }

  /** Sorts by time, and within one process in the order of the refusals; the random end tells processes apart. */
  private nextId(now: number): string {
    this.sequence = (this.sequence + 1) % 36 ** 4;
    const counted = this.sequence.toString(36).padStart(4, '0');
    return now.toString(36).padStart(9, '0') + counted + randomBytes(4).toString('hex');
  }
}
