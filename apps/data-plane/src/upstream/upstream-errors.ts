import type { ServerResponse } from 'node:http';
import { GatewayError } from '#libs/errors';
import type { GatewayRequest } from '#libs/guards';
import { ForbiddenAddressError } from '#libs/tenants';

/** Answers a request that could not be forwarded. */
export type Refuse = (error: unknown, request: GatewayRequest, response: ServerResponse) => void;

/** Nothing reached the upstream: it could not be found or did not accept. */
const UNREACHABLE = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
];
const TIMEOUTS = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'];
/** The connection broke: a kept-alive one may have been closed while the request was on its way. */
const BROKEN = ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'];

/** What the client is told about a failed exchange with the upstream. */
export function upstreamError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (error instanceof ForbiddenAddressError) {
    return new GatewayError('upstream_not_permitted', undefined, { cause: error });
  }
  const code = codeOf(error);
  if (TIMEOUTS.includes(code)) return new GatewayError('upstream_timeout', undefined, { cause: error });
  if (UNREACHABLE.includes(code))
    return new GatewayError('upstream_unreachable', undefined, { cause: error });
  return new GatewayError('upstream_failed', undefined, { cause: error });
}

export function isBrokenConnection(error: unknown): boolean {
  return BROKEN.includes(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: Array<{ code?: unknown }> };
  // Connecting to a name with several addresses fails with all their errors (happy eyeballs, RFC 8305).
  const own = code ?? errors?.[0]?.code;
  return typeof own === 'string' ? own : '';
}
