import { RecentSeconds, type CountedRequests } from './recent-seconds';
import type { Ending } from './tally';
import { TopTenants, type TalliedTenant } from './top-tenants';

/** A request that is over. */
export interface FinishedExchange extends Ending {
  /** Undefined where nobody knows whose it is. */
  readonly tenantId: string | undefined;
}

/** Tenants that are counted by themselves at one time, 47 kB each. */
const MAX_SCOPES = 100;
/** What was looked at a moment ago is likely to be looked at again. */
const KEPT_MS = 60_000;

interface Scope {
  readonly seconds: RecentSeconds;
  wantedAt: number;
}

/**
 * What a process does just now. All requests are counted always, at some tens of nanoseconds each; tenants only while
 * somebody looks.
 */
export class Vitals {
  private readonly all: RecentSeconds;
  private top: TopTenants | undefined;
  private readonly scopes = new Map<string, Scope>();
  private wantedAt = 0;

  /** @param now milliseconds since the epoch. */
  constructor(private readonly now: () => number = Date.now) {
    this.all = new RecentSeconds(this.second);
  }

  note(exchange: FinishedExchange): void {
    this.all.count(exchange);
    if (!this.top) return;
    const { tenantId = '' } = exchange;
    this.top.count(tenantId, exchange);
    this.scopes.get(tenantId)?.seconds.count(exchange);
  }

  /** Somebody looks at the figures of these tenants, or at those of all under the empty name. */
  want(scopes: Iterable<string>): void {
    this.wantedAt = this.now();
    this.top ??= new TopTenants(this.second);
    for (const id of scopes) {
      if (id === '') continue;
      const known = this.scopes.get(id);
      if (known) known.wantedAt = this.wantedAt;
      else if (this.scopes.size < MAX_SCOPES)
        this.scopes.set(id, { seconds: new RecentSeconds(this.second), wantedAt: this.wantedAt });
    }
  }

  /** To be called about each second. */
  tick(): void {
    const { second } = this;
    const oldest = this.now() - KEPT_MS;
    this.all.advance(second);
    this.top?.advance(second);
    for (const [id, scope] of this.scopes) {
      if (scope.wantedAt < oldest) this.scopes.delete(id);
      else scope.seconds.advance(second);
    }
    if (this.wantedAt < oldest) this.top = undefined;
  }

  read(): { counted: Record<string, CountedRequests>; top: { seconds: number; tenants: TalliedTenant[] } } {
    const counted: Record<string, CountedRequests> = { '': this.all.read() };
    for (const [id, { seconds }] of this.scopes) counted[id] = seconds.read();
    return { counted, top: this.top?.read() ?? { seconds: 1, tenants: [] } };
  }

  private get second(): number {
    return Math.floor(this.now() / 1000);
  }
}
