import { VERSION } from '#libs/config';
import type { RequestContext } from '#libs/guards';
import type { MetricsRegistry } from '#libs/metrics';
import type { Store } from '#libs/store';
import type { TargetHealth } from '#libs/tenants';
import {
  RefusalRecorder,
  Vitals,
  VitalsReporter,
  type ProcessFacts,
  type RefusedRequest,
  type TargetNote,
} from '#libs/vitals';
import type { UsageMeter } from '#libs/usage';
import type { Load } from './load';

/** What the rest of the process tells of itself. */
export interface Reporting {
  readonly store: Store;
  readonly metrics: MetricsRegistry;
  readonly targets: TargetHealth;
  readonly meter: Pick<UsageMeter, 'backlogBatches' | 'backlogSince' | 'journalErrors'>;
  readonly load: Pick<Load, 'delay'>;
  readonly draining: () => boolean;
}

/** Codes of refusals that mean: enough for now. */
const LIMITS: ReadonlySet<string> = new Set(['rate_limited', 'quota_exceeded', 'spend_cap_reached']);
const MAX_PATH = 500;
const MAX_HEADER_NAMES = 50;
/** Targets that are told of, those with trouble first. */
const MAX_TARGETS = 500;
/** Written by the gateway itself. */
const OWN_HEADERS = /^(?:x-forwarded-|forwarded$|x-request-id$|x-gateway-)/;

/** Live figures and recent refusals, for those who look at the control plane. */
export class Reports {
  private readonly vitals = new Vitals();
  private readonly refusals: RefusalRecorder;
  private readonly reporter: VitalsReporter;
  private readonly startedAt = Date.now();

  constructor(private readonly parts: Reporting) {
    this.refusals = new RefusalRecorder(parts.store);
    this.reporter = new VitalsReporter(parts.store, this.vitals, () => this.facts());
  }

  start(): void {
    this.reporter.start();
    this.refusals.start();
  }

  /** Once for each request, when it is over. */
  note(context: RequestContext, status: number, durationMs: number): void {
    const { refusal } = context;
    const tenantId = context.tenant?.id ?? context.published?.tenantId;
    const limited = refusal !== undefined && LIMITS.has(refusal.code);
    this.vitals.note({ tenantId, status, refused: refusal !== undefined, limited, durationMs });
    if (refusal) this.refusals.note(tenantId, () => refusedRequest(context, status, tenantId));
  }

  async close(): Promise<void> {
    await this.reporter.close();
    await this.refusals.close();
  }

  private facts(): ProcessFacts {
    const { store, metrics, meter, load, draining } = this.parts;
    const { backlogBatches, backlogSince, journalErrors } = meter;
    const oldestSeconds = backlogSince === 0 ? 0 : Math.round((Date.now() - backlogSince) / 1000);
    return {
      version: VERSION,
      startedAt: this.startedAt,
      state: draining() ? 'draining' : store.state === 'starting' ? 'starting' : 'ready',
      eventLoopDelayMs: Math.round(load.delay.latestMs * 100) / 100,
      inflight: metrics.gateway.inflight,
      openStreams: metrics.gateway.openStreams,
      usageBacklog: { batches: backlogBatches, oldestSeconds, journalErrors },
      targets: targetNotes(this.parts.targets),
    };
  }
}

function refusedRequest(
  context: RequestContext,
  status: number,
  tenantId: string | undefined,
): RefusedRequest {
  const { id, method, path, host, clientAddress, judge, apiKey, authorization, refusal } = context;
  return {
    requestId: id,
    tenantId: tenantId ?? null,
    serviceId: context.service?.id ?? context.serviceId ?? null,
    route: context.route?.path ?? context.published?.name ?? null,
    keyId: context.caller?.key.id ?? null,
    method,
    path: path.slice(0, MAX_PATH),
    host,
    clientAddress,
    status,
    code: refusal?.code ?? '',
    title: refusal?.definition.title ?? '',
    detail: refusal?.publicDetail ?? null,
    guard: judge,
    headerNames: headerNames(context),
    hadApiKey: apiKey !== undefined,
    hadAuthorization: authorization !== undefined,
  };
}

function headerNames({ arrivedHeaders, upstreamHeaders }: RequestContext): string[] {
  const names = new Set<string>();
  const headers = arrivedHeaders ?? upstreamHeaders;
  for (let i = 0; i < headers.length && names.size < MAX_HEADER_NAMES; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (!OWN_HEADERS.test(name)) names.add(name.slice(0, 100));
  }
  return [...names];
}

function targetNotes(targets: TargetHealth): TargetNote[] {
  const now = Date.now();
  const notes: TargetNote[] = [];
  const well: TargetNote[] = [];
  for (const { owner, targets: own } of targets.watched(now)) {
    for (const [url, target] of own) {
      const trouble = target.trouble(now) ?? null;
      const note = {
        tenantId: owner.tenantId,
        serviceId: owner.serviceId ?? '',
        url,
        trouble,
        breaker: target.breaker?.view(now).state ?? null,
        pending: target.pending,
        problem: target.lastProblem?.slice(0, 200) ?? null,
      };
      if (notes.length + well.length >= 10 * MAX_TARGETS) break;
      (trouble === null ? well : notes).push(note);
    }
  }
  return [...notes, ...well].slice(0, MAX_TARGETS);
}
