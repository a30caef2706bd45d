import type { Dispatcher } from 'undici';
import type { Logger } from '#libs/logging';
import type { PublicationTable } from '#libs/publications';
import {
  expectedStatuses,
  type HealthCheck,
  type ServedTarget,
  type TargetHealth,
  type TenantDirectory,
  type WatchedService,
} from '#libs/tenants';
import type { Transport } from './transport';

/** How often it is looked which checks are due. */
const LOOK_MS = 250;
/** Services that nothing has led to for so long are not checked. */
const IN_USE_MS = 5 * 60_000;
/** How often the services of published routes are looked up, so that they are checked before the first request. */
const PUBLISHED_MS = 15_000;
/** Checks under way at a time. */
const MAX_CHECKS = 32;
/** Services that are looked up at a time. */
const BATCH = 50;
/** Parts of an interval by which checks are moved apart, so that replicas do not all come at once. */
const JITTER = 0.2;
const DEFAULT_INTERVAL_SECONDS = 10;
const DEFAULT_TIMEOUT_MS = 2000;

interface Due {
  readonly service: WatchedService;
  readonly target: ServedTarget;
  readonly check: HealthCheck;
}

/** Asks the targets of services in use whether they can serve, as their `healthCheck` says. */
export class HealthChecks {
  private timer: NodeJS.Timeout | undefined;
  private underWay = 0;
  private publishedDueAt = 0;
  private touching = false;
  private readonly closing = new AbortController();

  constructor(
    private readonly targets: TargetHealth,
    private readonly transport: Pick<Transport, 'poolFor' | 'timeouts'>,
    private readonly directory: Pick<TenantDirectory, 'service'>,
    private readonly publications: Pick<PublicationTable, 'services'>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.timer = setInterval(() => this.look(Date.now()), LOOK_MS).unref();
  }

  /** Breaks off what is under way. */
  close(): Promise<void> {
    clearInterval(this.timer);
    this.closing.abort();
    return Promise.resolve();
  }

  private look(now: number): void {
    this.targets.look(now);
    if (now >= this.publishedDueAt) {
      this.publishedDueAt = now + PUBLISHED_MS;
      void this.touchPublished();
    }
    const due = this.due(now);
    // Whoever has waited for longest comes first: with many dead targets there are not enough turns for all.
    due.sort((one, other) => one.target.checkDueAt - other.target.checkDueAt);
    for (const { service, target, check } of due.slice(0, MAX_CHECKS - this.underWay)) {
      target.beingChecked = true;
      this.underWay += 1;
      void this.check(service, target, check).finally(() => {
        target.beingChecked = false;
        this.underWay -= 1;
      });
    }
  }

  private due(now: number): Due[] {
    const due: Due[] = [];
    for (const service of this.targets.watched(now)) {
      const { healthCheck: check, targets, usedAt } = service;
      if (!check || now - usedAt >= IN_USE_MS) continue;
      for (const target of targets.values())
        if (!target.beingChecked && now >= target.checkDueAt) due.push({ service, target, check });
    }
    return due;
  }

  private async check(service: WatchedService, target: ServedTarget, check: HealthCheck): Promise<void> {
    const problem = await this.ask(target, check);
    if (this.closing.signal.aborted) return;
    const { intervalSeconds = DEFAULT_INTERVAL_SECONDS } = check;
    const now = Date.now();
    target.checkDueAt = now + intervalSeconds * 1000 * (1 - JITTER / 2 + JITTER * Math.random());
    if (!target.noteCheck(problem, check, now)) return;
    const event = target.passesChecks ? 'target_healthy' : 'target_unhealthy';
    const fields = { category: 'request', event, serviceId: service.id, target: target.url, reason: problem };
    if (target.passesChecks) this.logger.info(fields, 'a target passes its health checks again');
    else this.logger.warn(fields, 'a target fails its health checks and gets no requests');
  }

  /** @returns what is wrong, or undefined. */
  private async ask({ upstream }: ServedTarget, check: HealthCheck): Promise<string | undefined> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, host = upstream.host } = check;
    try {
      const timeouts = { ...this.transport.timeouts(undefined), connectMs: timeoutMs };
      const { pool } = this.transport.poolFor(upstream, timeouts);
      return await asked(pool, upstream.basePath + check.path, host, check, {
        timeoutMs,
        closing: this.closing.signal,
      });
    } catch (error) {
      const { code, name } = error as { code?: unknown; name?: unknown };
      return name === 'TimeoutError' ? `no answer in ${timeoutMs} ms` : String(code ?? name);
    }
  }

  /** The services of published routes are in use whether or not somebody has asked for them yet. */
  private async touchPublished(): Promise<void> {
    if (this.touching) return;
    this.touching = true;
    try {
      const ids = [...this.publications.services()];
      for (let start = 0; start < ids.length && !this.closing.signal.aborted; start += BATCH) {
        const services = await Promise.allSettled(
          ids.slice(start, start + BATCH).map(async (id) => this.directory.service(id)),
        );
        // Those that cannot be had now, or cannot be served, are not checked either.
        for (const found of services) if (found.status === 'fulfilled') found.value?.touch(Date.now());
      }
    } finally {
      this.touching = false;
    }
  }
}

async function asked(
  pool: Dispatcher,
  path: string,
  host: string,
  check: HealthCheck,
  { timeoutMs, closing }: { timeoutMs: number; closing: AbortSignal },
): Promise<string | undefined> {
  const [first, last] = expectedStatuses(check);
  const { statusCode, body } = await pool.request({
    path,
    method: 'GET',
    headers: { host, 'user-agent': 'Gatehouse-Health-Check', accept: '*/*' },
    signal: AbortSignal.any([closing, AbortSignal.timeout(timeoutMs)]),
  });
  // What it says is of no interest, and must not be waited for.
  body.on('error', () => undefined).destroy();
  return statusCode >= first && statusCode <= last ? undefined : `status ${statusCode}`;
}
