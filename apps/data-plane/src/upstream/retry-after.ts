/** Statuses with which `Retry-After` says when to come back (RFC 9110 §10.2.3, RFC 6585 §4). */
export const PUTS_OFF = new Set([429, 503]);

/**
 * What an upstream says about when to come back, in milliseconds from `now` (since the epoch); undefined if it says nothing
 * that can be understood.
 * @param raw headers as the upstream sent them, flat, in bytes
 */
export function retryAfterMs(raw: readonly Buffer[], now: number): number | undefined {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as Buffer;
    if (name.length !== 11 || name.toString('latin1').toLowerCase() !== 'retry-after') continue;
    const value = (raw[i + 1] as Buffer).toString('latin1').trim();
    if (/^\d{1,10}$/.test(value)) return Number(value) * 1000;
    // Not what Date.parse makes of other texts, such as a lone year.
    const time = /^[A-Z][a-z]{2,8}, .+ GMT$/.test(value) ? Date.parse(value) : NaN;
    return Number.isNaN(time) ? undefined : Math.max(0, time - now);
  }
  return undefined;
}
