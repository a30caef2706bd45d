import type { Readable } from 'node:stream';
import type { UpstreamPool } from './transport';

/** A request as an upstream gets it, but for its body. */
export interface Outgoing {
  readonly upstream: UpstreamPool;
  readonly path: string;
  readonly headers: string[];
  /** Signs the headers and says of which trace they are, anew for each attempt; undefined: they go as they are. */
  readonly sign: ((headers: string[]) => string[]) | undefined;
}

/** @param handler undici's low-level handler hooks, which hand over raw bytes and build no objects. */
export function dispatch(
  { upstream, path, headers, sign }: Outgoing,
  method: string,
  body: Readable | Buffer | undefined,
  handler: object,
): void {
  upstream.pool.dispatch(
    {
      path,
      method,
      headers: sign === undefined ? headers : sign(headers),
      body: body ?? null,
      // Ours are Node's timers, which go when they are cleared; undici's stay listed for up to a second, and every
      // finished request with them.
      headersTimeout: 0,
      bodyTimeout: 0,
    },
    handler,
  );
}
