import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import type { TracingConfig } from '#libs/config';

/** What passes, by the specification (opentelemetry.io/docs/specs/otlp, OTLP/HTTP Response). */
const COMES_BACK: ReadonlySet<number> = new Set([429, 502, 503, 504]);
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 5000;
const MAX_ANSWER_BYTES = 65_536;

/**
 * Where spans are sent. By undici, as requests are: a client of `node:http` in the same process would have made its server
 * a tenth slower, for what both have in common (messages, sockets) would be compiled for two kinds of everything.
 */
export class Collector {
  private readonly agent: Agent;
  private readonly headers: Record<string, string>;

  constructor(private readonly config: Pick<TracingConfig, 'endpoint' | 'headers' | 'timeoutMs'>) {
    this.agent = new Agent({
      connections: 1,
      connect: { timeout: config.timeoutMs },
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    this.headers = { 'content-type': 'application/json', ...Object.fromEntries(config.headers) };
  }

  /**
   * Sends a request of OTLP, again if that may help, until its time is over.
   * @throws Error that says what came of it the last time
   */
  async send(body: string): Promise<void> {
    const deadline = performance.now() + this.config.timeoutMs;
    for (let wait = FIRST_WAIT_MS; ; wait = Math.min(MAX_WAIT_MS, wait * 2)) {
      const failure = await this.attempt(body, deadline - performance.now());
      if (failure === undefined) return;
      const pause = failure.retryAfterMs ?? wait * (0.5 + Math.random() / 2);
      if (!failure.comesBack || performance.now() + pause >= deadline) throw failure.reason;
      await delay(pause, undefined, { ref: false });
    }
  }

  /** Breaks off what is under way. */
  close(): Promise<void> {
    return this.agent.destroy();
  }

  private async attempt(body: string, timeoutMs: number): Promise<Failure | undefined> {
    try {
      const response = await request(this.config.endpoint, {
        method: 'POST',
        dispatcher: this.agent,
        headers: this.headers,
        body,
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
      });
      // Its status says everything: what breaks off behind that must not send it twice.
      await response.body.dump().catch(() => undefined);
      const { statusCode: status } = response;
      if (status < 300) return undefined;
      const seconds = Number(response.headers['retry-after']);
      return {
        reason: new Error(`the collector answered ${status}`),
        comesBack: COMES_BACK.has(status),
        retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
      };
    } catch (error) {
      return { reason: error as Error, comesBack: !this.agent.destroyed, retryAfterMs: undefined };
    }
  }
}

interface Failure {
  readonly reason: Error;
  /** Whether it may pass. */
  readonly comesBack: boolean;
  /** What the collector asked for. */
  readonly retryAfterMs: number | undefined;
}
