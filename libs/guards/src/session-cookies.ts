/**
 * Cookies of the dashboard's sessions, over https and over plain http. Browsers send them to every path of a host and to
 * every port: no upstream may see them, and none may set one.
 */
export const SESSION_COOKIES = ['__Host-gatehouse-session', 'gatehouse-session'] as const;

/** What both names have in them. */
const TRACE = /gatehouse-session/i;

/** The value of a `Cookie` header without sessions of the dashboard; empty if nothing is left. */
export function withoutSessions(value: string): string {
  if (!TRACE.test(value)) return value;
  const kept = value.split(';').filter((pair) => !isSession(pair));
  return kept.join(';').trim();
}

/** Whether a `Set-Cookie` header is about a session of the dashboard. */
export function setsSession(value: string): boolean {
  return TRACE.test(value) && isSession(value);
}

/** Whatever the case: what is no name of ours today might be read as one by something in between. */
function isSession(pair: string): boolean {
  const name = (pair.split('=', 1)[0] as string).trim().toLowerCase();
  return SESSION_COOKIES.some((one) => one.toLowerCase() === name);
}
