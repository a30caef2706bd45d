import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '#libs/errors';
import type { Arrival } from '#libs/guards';

/** RFC 9110 §9.2.1. */
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Refuses what a page of another origin has caused. `SameSite=Strict` keeps other sites out; it lets in other ports and
 * neighbouring hosts, which are the same site. No script can set the headers that this looks at.
 * @throws GatewayError csrf_refused
 */
export function demandOwnOrigin(headers: IncomingHttpHeaders, { host }: Arrival): void {
  const site = headers['sec-fetch-site'];
  // Not sent over plain http but to localhost, and not by old browsers.
  const own = site === undefined ? isOwn(headers.origin, host) : site === 'same-origin' || site === 'none';
  if (!own) throw new GatewayError('csrf_refused', 'it was made by a page of another origin');
}

/**
 * Refuses a change without the token of the session, which a page of another origin cannot know.
 * @throws GatewayError csrf_refused
 */
export function demandCsrfToken(method: string, headers: IncomingHttpHeaders, csrfToken: string): void {
  if (SAFE_METHODS.includes(method)) return;
  const sent = Buffer.from(String(headers['x-csrf-token'] ?? ''));
  const expected = Buffer.from(csrfToken);
  if (sent.length !== expected.length || !timingSafeEqual(sent, expected))
    throw new GatewayError('csrf_refused', 'a change needs the csrfToken of the session as X-CSRF-Token');
}

/** Browsers name the origin with every request that could change something, and with those of scripts elsewhere. */
function isOwn(origin: string | undefined, host: string): boolean {
  if (origin === undefined) return true;
  // The scheme may be one that a proxy has turned into another; browsers hold pages of both apart by themselves.
  return origin === `http://${host}` || origin === `https://${host}`;
}
