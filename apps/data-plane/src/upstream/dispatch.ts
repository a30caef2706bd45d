import type { Readable } from 'node:stream';
import type { UpstreamPool } from './transport';

/** A request as an upstream gets it, but for its body. */
export interface Outgoing {
  readonly upstream: UpstreamPool;
  readonly path: string;
  readonly headers: string[];
}

/** @param handler undici's low-level handler hooks, which hand over raw bytes and build no objects. */
export function dispatch(
  outgoing: Outgoing,
  method: string,
  body: Readable | undefined,
  handler: object,
): void {
  outgoing.upstream.pool.dispatch(
    {
      path: outgoing.path,
      method,
      headers: outgoing.headers,
      body: body ?? null,
      // Ours are Node's timers, which go when they are cleared; undici's stay listed for up to a second, and every
      // finished request with them.
      headersTimeout: 0,
      bodyTimeout: 0,
    },
    handler,
  );
}
