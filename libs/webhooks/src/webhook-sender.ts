import { Agent, request } from 'undici';
import type { Logger } from '#libs/logging';
import { StoreUnavailableError } from '#libs/store';
import { permittedLookup, type AddressPolicy } from '#libs/tenants';
import { signedHeaders } from './signed-headers';
import type { Webhook } from './webhook';
import type { Delivery, WebhookQueue } from './webhook-queue';
import type { Webhooks } from './webhooks';

export interface SenderTerms {
  /** After which a delivery is given up. */
  readonly maxAgeMs: number;
  /** How often it is looked whose turn it is. */
  readonly lookMs?: number;
  /** For a whole attempt, from the name look-up to the answer. */
  readonly timeoutMs?: number;
  /** Wait after the first failure; doubled with each further one. */
  readonly firstDelayMs?: number;
  /** Called with what became of each attempt, and when an event is given up. */
  readonly told?: (outcome: 'delivered' | 'failed' | 'given_up') => void;
}

const LOOK_MS = 500;
const TIMEOUT_MS = 10_000;
const FIRST_DELAY_MS = 2000;
const MAX_DELAY_MS = 3_600_000;
/** Of one process at a time. */
const CONCURRENCY = 8;
/** Wants nothing any more (RFC 9110 §15.5.11). */
const GONE = 410;

/** Sends what is in the queue. Several processes may do so: each delivery is one's at a time. */
export class WebhookSender {
  private readonly agent: Agent;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> | undefined;
  private readonly terms: Required<SenderTerms>;

  constructor(
    private readonly queue: WebhookQueue,
    private readonly webhooks: Webhooks,
    private readonly addresses: AddressPolicy,
    private readonly logger: Pick<Logger, 'warn'>,
    terms: SenderTerms,
  ) {
    const told = (): void => undefined;
    this.terms = { lookMs: LOOK_MS, timeoutMs: TIMEOUT_MS, firstDelayMs: FIRST_DELAY_MS, told, ...terms };
    const { timeoutMs } = this.terms;
    // Every answer and every address is suspect: whoever may write a webhook must not reach what he could not otherwise.
    this.agent = new Agent({
      connect: { lookup: permittedLookup(addresses), timeout: timeoutMs },
      maxHeaderSize: 16_384,
      pipelining: 1,
    });
  }

  start(): void {
    this.timer = setInterval(() => void (this.running ??= this.run()), this.terms.lookMs).unref();
  }

  /** Resolves when what is under way has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    await this.running;
    await this.agent.destroy();
  }

  private async run(): Promise<void> {
    try {
      for (;;) {
        const claimed = await this.queue.claim(CONCURRENCY);
        await Promise.all(claimed.map((delivery) => this.deliver(delivery)));
        if (claimed.length === 0 || !this.timer) break;
      }
    } catch (error) {
      // What was claimed comes back when its lease is over.
      if (!(error instanceof StoreUnavailableError))
        this.logger.warn({ category: 'admin', err: error }, 'webhooks could not be sent, trying again');
    } finally {
      this.running = undefined;
    }
  }

  private async deliver(delivery: Delivery): Promise<void> {
    const webhook = await this.webhooks.find(delivery.webhookId);
    if (!webhook) return this.queue.delivered(delivery);
    const outcome = webhook.enabled
      ? await this.send(webhook, delivery)
      : { lastError: 'the webhook is disabled' };
    const arrived = 'arrived' in outcome;
    if (webhook.enabled) this.terms.told(arrived ? 'delivered' : 'failed');
    if (arrived) return this.queue.delivered(delivery, outcome.arrived);
    const delay = this.delayAfter(delivery.attempts);
    const tooLate = Date.now() + delay - delivery.since > this.terms.maxAgeMs;
    if (!tooLate && outcome.lastStatus !== GONE)
      return this.queue.postpone(delivery, Date.now() + delay, outcome);
    const { id, webhookId, attempts } = delivery;
    this.logger.warn(
      { category: 'admin', id, webhookId, attempts, ...outcome },
      'an event is not delivered any more',
    );
    await this.queue.giveUp(delivery, outcome);
    this.terms.told('given_up');
  }

  /** Between the half and the whole of what doubles with every attempt: many that failed together do not come back together. */
  private delayAfter(attempts: number): number {
    const whole = Math.min(MAX_DELAY_MS, this.terms.firstDelayMs * 2 ** Math.min(attempts - 1, 30));
    return Math.round(whole * (0.5 + Math.random() / 2));
  }

  /** @returns by which status it has arrived; or why it has not. */
  private async send(
    webhook: Webhook,
    { id, event, createdAt }: Delivery,
  ): Promise<{ arrived: number } | { lastStatus?: number; lastError?: string }> {
    const now = Date.now();
    const { type, tenantId, data } = event;
    const body = JSON.stringify({ type, timestamp: createdAt, data: { tenantId, ...data } });
    const secrets = webhook.secrets
      .filter(({ until }) => until === undefined || Date.parse(until) > now)
      .map(({ secret }) => secret);
    try {
      // Look-ups are skipped for literal addresses, so those are judged here.
      const objection = this.addresses.objectionToHost(new URL(webhook.url).hostname);
      if (objection) return { lastError: objection };
      // Redirects are not followed: they would lead past what was configured.
      const { statusCode, body: answer } = await request(webhook.url, {
        method: 'POST',
        dispatcher: this.agent,
        reset: true,
        headers: {
          'content-type': 'application/json',
          'user-agent': 'gatehouse-webhooks',
          ...signedHeaders(id, body, secrets, now),
        },
        body,
        signal: AbortSignal.timeout(this.terms.timeoutMs),
      });
      answer.on('error', () => undefined);
      answer.destroy();
      return statusCode >= 200 && statusCode < 300
        ? { arrived: statusCode }
        : { lastStatus: statusCode, lastError: undefined };
    } catch (error) {
      const { cause, message } = error as Error;
      const reason = cause instanceof Error ? cause.message : message;
      return { lastStatus: undefined, lastError: reason.slice(0, 200) };
    }
  }
}
