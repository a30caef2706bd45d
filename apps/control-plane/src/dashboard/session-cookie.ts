import { SESSION_COOKIES } from '#libs/guards';
import type { Arrival } from '#libs/guards';

/** The prefix makes browsers refuse it from other hosts and from plain http (RFC 6265bis §4.1.3.2). */
const [SECURE_NAME, PLAIN_NAME] = SESSION_COOKIES;

/**
 * The session that a request names. Over https only by the name that nobody but this host can set: a cookie of the
 * plain name may come from a neighbouring host, with somebody else's session in it.
 */
export function sessionCookieIn(header: string | undefined, scheme: Arrival['scheme']): string | undefined {
  const name = nameFor(scheme);
  for (const pair of header?.split(';') ?? []) {
    const end = pair.indexOf('=');
    if (end > 0 && pair.slice(0, end).trim() === name) return pair.slice(end + 1).trim();
  }
  return undefined;
}

/** `Set-Cookie` for a session, until `expiresAt` (milliseconds since the epoch). */
export function sessionCookie(value: string, expiresAt: number, scheme: Arrival['scheme']): string {
  return cookie(scheme, value, `Expires=${new Date(expiresAt).toUTCString()}`);
}

/** `Set-Cookie` that makes a browser forget it. */
export function noSessionCookie(scheme: Arrival['scheme']): string {
  return cookie(scheme, '', 'Max-Age=0');
}

function cookie(scheme: Arrival['scheme'], value: string, end: string): string {
  const secure = scheme === 'https' ? '; Secure' : '';
  return `${nameFor(scheme)}=${value}; Path=/; ${end}; HttpOnly; SameSite=Strict${secure}`;
}

function nameFor(scheme: Arrival['scheme']): string {
  return scheme === 'https' ? SECURE_NAME : PLAIN_NAME;
}
