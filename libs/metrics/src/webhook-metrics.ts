import { Counter, Gauge, type Registry } from 'prom-client';

/** How events get to those who have asked for them. `#libs/webhooks` tells it without importing it. */
export class WebhookMetrics {
  private readonly attempts: Counter<'outcome'>;
  private readonly lostEvents: Counter<'reason'>;

  constructor(private readonly registry: Registry) {
    const registers = [registry];
    this.attempts = new Counter({
      name: 'gateway_webhook_attempts_total',
      help: 'Events sent to webhooks, by whether they were taken',
      labelNames: ['outcome'],
      registers,
    });
    this.lostEvents = new Counter({
      name: 'gateway_webhook_events_lost_total',
      help: 'Events that were given up (they can be replayed) or could not be queued (they are in the log)',
      labelNames: ['reason'],
      registers,
    });
    // A series that begins with its first event has not increased by it, as Prometheus counts.
    for (const reason of ['given_up', 'unqueued']) this.lostEvents.inc({ reason }, 0);
    for (const outcome of ['delivered', 'failed']) this.attempts.inc({ outcome }, 0);
  }

  attempted(outcome: 'delivered' | 'failed'): void {
    this.attempts.inc({ outcome });
  }

  lost(reason: 'given_up' | 'unqueued'): void {
    this.lostEvents.inc({ reason });
  }

  /** @param queue where senders look; several of them see the same. */
  watch(queue: { readonly waiting: number }): void {
    new Gauge({
      name: 'gateway_webhook_backlog',
      help: 'Events that wait for their webhooks, as seen at the last look; 100 stands for that and more',
      registers: [this.registry],
      aggregator: 'max',
      collect() {
        this.set(queue.waiting);
      },
    });
  }
}
