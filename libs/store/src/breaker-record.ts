import type { BreakerStep, BreakerTerms, BreakerView } from './store';

/** What a breaker is remembered by. Times are milliseconds since the epoch of whoever keeps it. */
export interface BreakerRecord {
  state: 'closed' | 'open' | 'forced_open' | 'forced_closed';
  /** Another one with every change of state: what was learnt in an earlier one says nothing. 0: never opened. */
  generation: number;
  /** Until when no request is let through. */
  until: number;
  /** When it came into its state. */
  since: number;
  /** How often it has opened without having stayed closed for long in between. */
  openings: number;
  /** How long it was last opened for. */
  openMs: number;
  reason: string;
  /** Probes that went well since it is half-open. */
  succeeded: number;
  /** Probes under way, and when they are given up. */
  permits: Record<string, number>;
  /** When it may be forgotten; 0 for never. */
  forgetAt: number;
}

/** An open breaker that nobody probes is remembered for so long beyond its time. */
export const OPEN_MEMORY_MS = 600_000;
/** A closed one remembers how often it has opened for three times the time that it was last open, and at least so long. */
export const CLOSED_MEMORY_MS = 30_000;
const CLOSED_MEMORY_FACTOR = 3;
/** What an operator has said and forgotten does not hold for ever: the target may be another one's by then. */
export const FORCED_MEMORY_MS = 30 * 86_400_000;

/** A breaker that nothing is known about. */
export function freshBreaker(): BreakerRecord {
  return {
    state: 'closed',
    generation: 0,
    until: 0,
    since: 0,
    openings: 0,
    openMs: 0,
    reason: '',
    succeeded: 0,
    permits: {},
    forgetAt: 0,
  };
}

/** Takes one step with a breaker, which it changes. The arithmetic of `redis/breaker-script.ts`. */
export function stepBreaker(record: BreakerRecord, step: BreakerStep, now: number): BreakerView {
  if (record.forgetAt > 0 && now >= record.forgetAt) Object.assign(record, freshBreaker());
  let granted = false;
  switch (step.do) {
    case 'read':
      break;
    case 'trip': {
      const current = step.generation === undefined || step.generation === record.generation;
      if (record.state === 'closed' && (record.generation === 0 || current))
        open(record, step.reason, step.terms, now);
      break;
    }
    case 'permit':
      granted = isHalfOpen(record, now) && admit(record, step.id, step.terms, now);
      break;
    case 'settle':
      settle(record, step, now);
      break;
    case 'force':
      force(record, step.state, step.reason, now);
      break;
  }
  return viewOf(record, now, granted);
}

/** What is to be seen of a breaker now. */
export function viewOf(record: BreakerRecord, now: number, granted = false): BreakerView {
  return {
    state: isHalfOpen(record, now) ? 'half_open' : record.state,
    generation: record.generation,
    remainingMs: record.state === 'open' ? Math.max(0, record.until - now) : 0,
    sinceMs: record.since > 0 ? Math.max(0, now - record.since) : 0,
    openings: record.openings,
    openMs: record.openMs,
    reason: record.reason,
    succeeded: record.succeeded,
    probing: Object.keys(record.permits).length,
    granted,
  };
}

function isHalfOpen({ state, until }: BreakerRecord, now: number): boolean {
  return state === 'open' && now >= until;
}

function open(record: BreakerRecord, reason: string, { openMs, maxOpenMs }: BreakerTerms, now: number): void {
  record.openings += 1;
  record.openMs = Math.min(maxOpenMs, openMs * 2 ** Math.min(30, record.openings - 1));
  enter(record, 'open', reason, now);
  record.until = now + record.openMs;
  record.forgetAt = record.until + OPEN_MEMORY_MS;
}

function admit(record: BreakerRecord, id: string, { probes, permitMs }: BreakerTerms, now: number): boolean {
  for (const [other, expiry] of Object.entries(record.permits))
    if (expiry <= now) delete record.permits[other];
  if (record.succeeded + Object.keys(record.permits).length >= probes) return false;
  record.permits[id] = now + permitMs;
  record.forgetAt = now + permitMs + OPEN_MEMORY_MS;
  return true;
}

function settle(record: BreakerRecord, step: BreakerStep & { do: 'settle' }, now: number): void {
  const { generation, id, outcome, terms } = step;
  if (record.state !== 'open' || generation !== record.generation || !(id in record.permits)) return;
  delete record.permits[id];
  if (outcome === 'failed') open(record, step.reason, terms, now);
  if (outcome !== 'succeeded') return;
  record.succeeded += 1;
  if (record.succeeded < terms.probes) return;
  enter(record, 'closed', step.reason, now);
  record.forgetAt = now + Math.max(CLOSED_MEMORY_MS, CLOSED_MEMORY_FACTOR * record.openMs);
}

function force(record: BreakerRecord, state: 'open' | 'closed' | 'none', reason: string, now: number): void {
  const { generation } = record;
  Object.assign(record, freshBreaker(), { generation });
  enter(record, state === 'none' ? 'closed' : `forced_${state}`, reason, now);
  record.forgetAt = now + (state === 'none' ? CLOSED_MEMORY_MS : FORCED_MEMORY_MS);
}

function enter(record: BreakerRecord, state: BreakerRecord['state'], reason: string, now: number): void {
  record.state = state;
  record.reason = reason;
  record.since = now;
  record.succeeded = 0;
  record.permits = {};
  // A number that no record under this key has had before, also after one was forgotten.
  record.generation = Math.max(record.generation + 1, now);
}
