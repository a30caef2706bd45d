import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { Store } from '#libs/store';
import { AddressPolicy, type TargetEvent } from '#libs/tenants';
import { WebhookQueue, Webhooks } from '#libs/webhooks';

const LOOK_MS = 1000;
const WINDOW_MS = 60_000;
/** A tenant that is refused so often in each of so many minutes, one after the other, is limited persistently. */
const REFUSALS_PER_WINDOW = 10;
const WINDOWS = 5;
/** Told again after an hour, if it goes on. */
const HOUR_MS = 3_600_000;

/** Sends webhooks of what only the data plane sees: breakers, a limiter that is on its own, tenants that run against their limit. */
export class WebhookEvents {
  private readonly queue: WebhookQueue;
  private timer: NodeJS.Timeout | undefined;
  private awaySince: number | undefined;
  private windowEndsAt = Date.now() + WINDOW_MS;
  private refused = new Map<string, number>();
  private windows = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly metrics: Pick<MetricsRegistry, 'gateway' | 'webhooks'>,
    config: Pick<GatewayConfig, 'allowPrivateUpstreams'>,
    logger: Logger,
  ) {
    this.queue = new WebhookQueue(
      store,
      new Webhooks(store, new AddressPolicy(config.allowPrivateUpstreams)),
      logger,
      undefined,
      () => metrics.webhooks.lost('unqueued'),
    );
  }

  start(): void {
    this.timer = setInterval(() => void this.look(Date.now()), LOOK_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
  }

  /** What another replica has brought about, that one tells. */
  target({ event, decided, tenantId, serviceId, target, reason }: TargetEvent): void {
    // What an operator has ordered is in the audit log.
    if (!decided || (event !== 'breaker_opened' && event !== 'breaker_closed')) return;
    const type = event === 'breaker_opened' ? 'breaker.opened' : 'breaker.closed';
    void this.queue.emit({ type, tenantId, data: { serviceId, target, reason } });
  }

  /** @param now milliseconds since the epoch. */
  look(now: number): Promise<void> {
    this.lookAtStore(now);
    if (now < this.windowEndsAt) return Promise.resolve();
    this.windowEndsAt = now + WINDOW_MS;
    return this.lookAtLimits(now);
  }

  /** While the store is away nothing can be queued: it is told when it is back. */
  private lookAtStore(now: number): void {
    const away = this.store.state === 'away';
    if (away) this.awaySince ??= now;
    if (away || this.awaySince === undefined) return;
    const data = {
      replica: this.store.fleet.id,
      from: new Date(this.awaySince).toISOString(),
      to: new Date(now).toISOString(),
    };
    this.awaySince = undefined;
    void this.queue.emit({ type: 'limit.degraded', data });
  }

  private async lookAtLimits(now: number): Promise<void> {
    const before = this.refused;
    this.refused = await this.metrics.gateway.refusedByTenant();
    const windows = new Map<string, number>();
    for (const [tenantId, total] of this.refused) {
      if (total - (before.get(tenantId) ?? 0) < REFUSALS_PER_WINDOW) continue;
      const since = (this.windows.get(tenantId) ?? 0) + 1;
      windows.set(tenantId, since);
      if (since < WINDOWS) continue;
      const data = { refused: total - (before.get(tenantId) ?? 0), seconds: WINDOW_MS / 1000 };
      const hour = String(Math.floor(now / HOUR_MS));
      await this.queue.emitOnce(`limited:${tenantId}`, hour, {
        type: 'limit.tenant_limited',
        tenantId,
        data,
      });
    }
    this.windows = windows;
  }
}
