import type { IncomingMessage, ServerResponse } from 'node:http';
import { hintedLinks } from './response-headers';

/** What a client may have yet to read. Nothing holds an upstream back that only hints, so beyond it nothing is passed on. */
const WAITING_BYTES = 16_384;

/** HTTP/1.0 has one response to a request, and takes an interim one for it. */
export function knowsInterim(request: IncomingMessage): boolean {
  return request.httpVersionMinor > 0;
}

/**
 * Passes an interim response on that the gateway did not ask for itself (RFC 9110 §15.2). They are hints: a client that
 * does not read misses some, and they do not pile up.
 * @returns true: more may come.
 */
export function passInterim(response: ServerResponse, status: number, raw: readonly Buffer[]): true {
  if (!knowsInterim(response.req) || response.writableLength > WAITING_BYTES) return true;
  if (status === 102) response.writeProcessing();
  else if (status === 103) response.writeEarlyHints({ link: hintedLinks(raw) });
  return true;
}
