import type { EventEmitter } from 'node:events';
import { GatewayError } from '#libs/errors';
import type { RequestContext } from '#libs/guards';
import { keys } from '#libs/store';
import { hashApiKey } from '#libs/tenants';

/** What is to be known of a stream to follow it. */
export interface FollowedStream {
  readonly context: RequestContext;
  /** Emits `close` when the stream is over, whoever ended it. */
  readonly ending: EventEmitter;
  /** Closes it, with the reason. */
  end(refusal: GatewayError): void;
}

/** Timers are never set for longer, so that a clock that is put right counts within a minute; Node's own limit is 24 days. */
const MAX_TIMER_MS = 60_000;

/** One open stream: what it rests on, and when that ends. */
export class OpenStream {
  /** The documents whose change may end it, by their keys in the store. */
  keys: readonly string[];
  private readonly mapping: string | undefined;
  /** When its credential ends, milliseconds since the epoch, and what is said then. */
  private endsAt = Infinity;
  private endsWith: () => GatewayError = keyExpired;
  private timer: NodeJS.Timeout | undefined;
  private round = 0;

  /** @param due called when its credential has come to its end. */
  constructor(
    private readonly followed: FollowedStream,
    private readonly due: () => void,
  ) {
    const { context } = followed;
    this.mapping = context.apiKey ? keys.apiKeyMapping(hashApiKey(context.apiKey)) : undefined;
    this.keys = this.keysOf(context);
    this.expectEnd(context);
  }

  get context(): RequestContext {
    return this.followed.context;
  }

  end(refusal: GatewayError): void {
    this.followed.end(refusal);
  }

  /** Begins another judgement, which makes those that are still under way out of date. */
  nextRound(): number {
    return ++this.round;
  }

  isLatest(round: number): boolean {
    return round === this.round;
  }

  /** Notes what it rests on by the latest judgement. True if these are other documents than before. */
  standsOn(again: RequestContext): boolean {
    this.expectEnd(again);
    const before = this.keys;
    const after = this.keysOf(again);
    if (after.length === before.length && after.every((key, i) => key === before[i])) return false;
    this.keys = after;
    return true;
  }

  /** Why it is over by what is known of its credential, whatever may have become of that; undefined if it is not. */
  ended(): GatewayError | undefined {
    return Date.now() >= this.endsAt ? this.endsWith() : undefined;
  }

  /** Waits for nothing any more. */
  rest(): void {
    clearTimeout(this.timer);
  }

  private keysOf({ tenant, service, token }: RequestContext): string[] {
    const found = [keys.GATEWAY_MAINTENANCE];
    if (this.mapping !== undefined) found.push(this.mapping);
    if (tenant) found.push(keys.tenant(tenant.id), keys.publication(tenant.id));
    if (service) found.push(keys.service(service.id));
    const jti = token?.claims.jti;
    if (typeof jti === 'string') found.push(keys.serviceToken(jti));
    return found;
  }

  private expectEnd({ caller, token }: RequestContext): void {
    const keyEndsAt = caller?.key.endsAt ?? Infinity;
    const tokenEndsAt = token?.expiresAt ?? Infinity;
    this.endsAt = Math.min(keyEndsAt, tokenEndsAt);
    this.endsWith = tokenEndsAt < keyEndsAt ? tokenExpired : keyExpired;
    this.arm();
  }

  private arm(): void {
    clearTimeout(this.timer);
    if (this.endsAt === Infinity) return;
    const ms = Math.min(Math.max(this.endsAt - Date.now(), 1), MAX_TIMER_MS);
    this.timer = setTimeout(() => (Date.now() < this.endsAt ? this.arm() : this.due()), ms).unref();
  }
}

function keyExpired(): GatewayError {
  return new GatewayError('key_expired');
}

function tokenExpired(): GatewayError {
  return new GatewayError('invalid_jwt', 'the token has expired');
}
