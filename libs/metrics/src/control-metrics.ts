import { Counter, Histogram, type Registry } from 'prom-client';

/** The control plane's metrics, by the documented names. */
export class ControlMetrics {
  private readonly requests: Counter<'endpoint' | 'status'>;
  private readonly mutations: Counter<'action'>;
  private readonly errors: Counter;
  private readonly latency: Histogram<'endpoint'>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({
      name: 'control_requests_total',
      help: 'Control plane API requests',
      labelNames: ['endpoint', 'status'],
      registers,
    });
    this.mutations = new Counter({
      name: 'control_mutations_total',
      help: 'Configuration changes',
      labelNames: ['action'],
      registers,
    });
    this.errors = new Counter({ name: 'control_errors_total', help: 'Control plane errors', registers });
    this.latency = new Histogram({
      name: 'control_latency_ms',
      help: 'Latency of control plane requests in milliseconds',
      labelNames: ['endpoint'],
      buckets: [1, 5, 10, 25, 50, 100, 250, 500, 1000, 3000],
      registers,
    });
  }

  /** @param endpoint method and route pattern, such as `GET /admin/tenants/:id`: never a path with ids in it. */
  finished(endpoint: string, status: number, durationMs: number): void {
    this.requests.inc({ endpoint, status: String(status) });
    this.latency.observe({ endpoint }, durationMs);
    if (status >= 500) this.errors.inc();
  }

  /** @param action noun and verb, such as `tenant.create`. */
  mutation(action: string): void {
    this.mutations.inc({ action });
  }
}
