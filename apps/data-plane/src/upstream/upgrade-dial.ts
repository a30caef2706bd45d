import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import { backoffMs, type ServedRetries } from '#libs/tenants';
import { isTargetFailure, releaseTarget, tellTarget } from '../release-target';
import { aimAgain, targetsOf } from './aim';
import { exhaustedWith, retriesExhausted } from './retries-exhausted';
import type { RetryBudget } from './retry-budget';
import type { RetryObservation, Withheld } from './retry-observation';
import type { Transport } from './transport';
import { TriedTargets } from './tried-targets';
import { upstreamError } from './upstream-errors';

/** What connecting for a WebSocket needs. */
export interface DialTerms {
  readonly transport: Pick<Transport, 'connect' | 'timeouts'>;
  readonly policy: ServedRetries;
  readonly budget: RetryBudget;
  readonly observation: RetryObservation;
  /** There is a connection, and nothing has been sent on it. */
  readonly connected: (agent: http.Agent) => void;
  readonly failed: (error: GatewayError) => void;
}

/**
 * Connects for a WebSocket, and to another target if one cannot be reached. Only as long as nothing of the handshake has
 * been sent: http-proxy, which sends it, gives up the client with the first connection that fails.
 */
export class UpgradeDial {
  private readonly tried = new TriedTargets();
  private readonly endsAt: number;
  private waiting: NodeJS.Timeout | undefined;
  private made = 0;
  private over = false;
  private lastError: GatewayError | undefined;

  constructor(
    private readonly context: RequestContext,
    private readonly client: Socket,
    private readonly terms: DialTerms,
  ) {
    this.endsAt = performance.now() + this.timeouts.totalMs;
    // A client has nothing to send before the answer: one that closes its side has gone.
    client.once('end', this.abandon).once('close', this.abandon);
  }

  private get timeouts(): ReturnType<Transport['timeouts']> {
    const { service, tenant } = this.context;
    return this.terms.transport.timeouts(service?.timeouts ?? tenant?.timeouts);
  }

  /** @throws GatewayError upstream_not_permitted */
  start(): void {
    const { context, terms } = this;
    const now = performance.now();
    this.made += 1;
    context.attempts = this.made;
    context.attemptStartedAt = now;
    context.upstreamStartedAt ??= now;
    if (this.made === 1) terms.budget.request(now);
    if (!context.upstream) throw new Error('the UpgradeDial ran before the guards');
    const origin = new URL(context.upstream.origin);
    terms.transport.connect(origin, this.timeouts.connectMs, (error, socket) => {
      if (this.over) return void socket?.destroy();
      if (error) return this.miss(upstreamError(error));
      this.finish();
      if (this.made > 1) terms.observation.retried(context, 'connect', 'succeeded');
      this.hand(socket, agentOf(origin, socket));
    });
  }

  /** Called from the socket, where nobody would catch what it throws. */
  private hand(socket: Socket, agent: http.Agent): void {
    try {
      this.terms.connected(agent);
    } catch (error) {
      socket.destroy();
      this.terms.failed(known(error));
    }
  }

  private miss(error: GatewayError): void {
    const { context, terms } = this;
    const { policy, observation } = terms;
    if (this.made > 1) observation.retried(context, 'connect', 'failed');
    if (!isTargetFailure(error)) return this.fail(error);
    tellTarget(context, error.status, error);
    this.tried.add(context);
    this.lastError = error;
    const now = performance.now();
    const delayMs = backoffMs(policy, this.made);
    const why = this.objection(delayMs, now);
    if (why !== undefined) {
      observation.withheld(context, why);
      return this.fail(retriesExhausted(policy, why, error) ?? error);
    }
    observation.retrying(context, 'connect', delayMs);
    releaseTarget(context, error.status);
    this.waiting = setTimeout(() => this.again(), delayMs);
  }

  private objection(delayMs: number, now: number): Withheld | undefined {
    if (this.made > this.terms.policy.attempts) return 'attempts';
    if (targetsOf(this.context)?.rest !== undefined) return 'breaker';
    if (now + delayMs >= this.endsAt) return 'time';
    return this.terms.budget.withdraw(now) ? undefined : 'budget';
  }

  private again(): void {
    try {
      if (aimAgain(this.context, this.tried.list)) this.start();
      else this.shutOut();
    } catch (error) {
      this.fail(known(error));
    }
  }

  /** All breakers have opened while it waited. */
  private shutOut(): void {
    const { policy, observation } = this.terms;
    const { lastError } = this;
    observation.withheld(this.context, 'breaker');
    this.fail(retriesExhausted(policy, 'breaker', lastError) ?? lastError ?? exhaustedWith(policy));
  }

  private fail(error: GatewayError): void {
    this.finish();
    this.terms.failed(error);
  }

  private finish(): void {
    this.over = true;
    clearTimeout(this.waiting);
    this.client.off('end', this.abandon).off('close', this.abandon);
  }

  private readonly abandon = (): void => {
    this.finish();
    if (this.made > 1) this.terms.observation.retried(this.context, 'connect', 'abandoned');
    this.client.destroy();
  };
}

function known(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  return new GatewayError('internal_error', undefined, { cause: error });
}

/** An agent that has this one connection to give away. */
function agentOf({ protocol }: URL, socket: Socket): http.Agent {
  const agent = protocol === 'https:' ? new https.Agent() : new http.Agent();
  return Object.assign(agent, { createConnection: () => socket });
}
