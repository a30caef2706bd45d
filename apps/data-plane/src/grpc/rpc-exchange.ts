import type { ServerResponse } from 'node:http';
import type { TimeoutConfig } from '#libs/config';
import { GRPC_STATUS_FIELD, httpStatusOf, isGrpc, type RpcCall } from '#libs/grpc';
import type { RequestContext } from '#libs/guards';
import { Exchange } from '../upstream/exchange';
import type { ExchangeTerms } from '../upstream/exchange-terms';

/** The longest that can be set: as good as none. */
const NO_TOTAL_MS = 86_400_000;
/** Calls that go on for longer than this after their head are streams, whose credentials are followed. */
const STREAM_AFTER_MS = 1000;

/**
 * The client's deadline takes the place of our time-outs for first byte and total. Without one there is no total, because
 * nobody can tell a call that hangs from a stream; silence in both directions ends either.
 */
export function timeoutsOfCall(timeouts: TimeoutConfig, { timeoutMs }: RpcCall): TimeoutConfig {
  if (timeoutMs === undefined) return { ...timeouts, totalMs: NO_TOTAL_MS };
  return { ...timeouts, firstByteMs: timeoutMs, totalMs: timeoutMs };
}

/** The exchange of a call of gRPC: how it has ended stands in trailers, and both sides may speak by turns for hours. */
export class RpcExchange extends Exchange {
  /** Until the call is followed as a stream. */
  private following: NodeJS.Timeout | undefined;
  /** By the upstream's word: a client that only says that it speaks gRPC is billed by the status of HTTP. */
  private answeredByRpc = false;
  /** Bytes of the request when the silence began. */
  private heard = 0;

  constructor(
    context: RequestContext,
    response: ServerResponse,
    terms: ExchangeTerms,
    private readonly call: RpcCall,
  ) {
    super(context, response, terms);
    this.expectWithin(terms.timeouts.idleMs);
  }

  override onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) return super.onHeaders(status, raw, resume, statusText);
    const code = fieldOf(raw, GRPC_STATUS_FIELD);
    this.answeredByRpc = code !== undefined || isGrpc(fieldOf(raw, 'content-type') ?? '');
    if (code !== undefined) this.call.outcome = httpStatusOf(code);
    // Behind a body of a known length there would be no place for the trailers.
    else if (this.answeredByRpc) removeLength(raw);
    this.following = setTimeout(() => this.terms.streaming(), STREAM_AFTER_MS).unref();
    return super.onHeaders(status, raw, resume, statusText);
  }

  override onComplete(trailers: Buffer[] | null): void {
    if (this.answeredByRpc) this.call.outcome ??= httpStatusOf(fieldOf(trailers ?? [], GRPC_STATUS_FIELD));
    super.onComplete(trailers);
  }

  override judged(status: number, raw: readonly Buffer[]): number {
    const code = status === 200 ? fieldOf(raw, GRPC_STATUS_FIELD) : undefined;
    return code === undefined ? status : httpStatusOf(code);
  }

  protected override expectWithin(ms: number): void {
    this.heard = this.context.bytesIn;
    super.expectWithin(ms);
  }

  /** A client that speaks breaks the silence, too. */
  protected override silent(ms: number): void {
    if (this.context.bytesIn === this.heard) super.silent(ms);
    else this.expectWithin(ms);
  }

  protected override finish(): void {
    clearTimeout(this.following);
    super.finish();
  }
}

/** @param name lower-case. @param raw flat; names of HTTP/1.1 may be spelt in any case. */
function fieldOf(raw: readonly Buffer[], name: string): string | undefined {
  for (let i = 0; i < raw.length; i += 2)
    if (raw[i]?.length === name.length && raw[i]?.toString('latin1').toLowerCase() === name)
      return raw[i + 1]?.toString('latin1');
  return undefined;
}

function removeLength(raw: Buffer[]): void {
  for (let i = raw.length - 2; i >= 0; i -= 2)
    if (raw[i]?.toString('latin1').toLowerCase() === 'content-length') raw.splice(i, 2);
}
