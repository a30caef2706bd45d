import { TAG_FIELDS, forwardedStatus, uriKey, type Forwarded, type ResponseStore } from '#libs/cache';
import type { RequestContext } from '#libs/guards';
import type { ResponseHead } from '../upstream/response-headers';
import type { ResponseObserver } from '../upstream/response-observer';

/** A response in which the store has no part, but that it says so. */
export class Passing implements ResponseObserver {
  constructor(
    private readonly reason: Forwarded,
    private readonly detail?: string,
  ) {}

  head(status: number, _raw: readonly Buffer[], head: ResponseHead): boolean {
    markForwarded(head, forwardedStatus(this.reason, { status, detail: this.detail }));
    return true;
  }

  data(): void {}

  complete(): void {}

  failed(): boolean {
    return false;
  }

  abandoned(): boolean {
    return false;
  }
}

/** What the response to an unsafe request changes is not stored any more (RFC 9111 §4.4). */
export class Invalidating extends Passing {
  constructor(
    private readonly context: RequestContext,
    private readonly store: ResponseStore,
  ) {
    super('method');
  }

  override head(status: number, raw: readonly Buffer[], head: ResponseHead): boolean {
    const { tenant, scheme, host, path, query } = this.context;
    if (tenant && status < 400) {
      const targets = [path + query, path];
      for (let i = 0; i < raw.length; i += 2) {
        if (!/^(?:content-)?location$/i.test((raw[i] as Buffer).toString('latin1'))) continue;
        const named = this.targetOf((raw[i + 1] as Buffer).toString('latin1'));
        if (named !== undefined) targets.push(named);
      }
      this.store.invalidate(
        tenant.id,
        [...new Set(targets)].map((target) => uriKey(scheme, host, target)),
      );
    }
    return super.head(status, raw, head);
  }

  /** Path and query of a location of the same origin: others are not the upstream's to speak of. */
  private targetOf(location: string): string | undefined {
    const { scheme, host, path } = this.context;
    const base = `${scheme}://${host}${path}`;
    if (!URL.canParse(location, base)) return undefined;
    const url = new URL(location, base);
    return url.origin === new URL(base).origin ? url.pathname + url.search : undefined;
  }
}

/** Adds what became of a request; tags are for the gateway and go no further. */
export function markForwarded(head: ResponseHead, cacheStatus: string): void {
  const { headers } = head;
  for (let i = headers.length - 2; i >= 0; i -= 2)
    if (TAG_FIELDS.has((headers[i] as string).toLowerCase())) headers.splice(i, 2);
  headers.push('Cache-Status', cacheStatus);
}
