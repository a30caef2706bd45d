/** Upper bounds of latencies, milliseconds. Finer than those of the metrics, which are kept for years and in every label. */
const BOUNDS_MS = [
  0.5, 1, 1.5, 2, 3, 4, 5, 7.5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 400, 500, 750, 1000, 1500, 2000, 3000,
  5000, 10_000, 30_000,
]; // prettier-ignore

/** Places of a tally: counts, then classes of status from 1xx on, then latencies by bound and those above the last. */
export const REQUESTS = 0;
export const ERRORS = 1;
export const LIMITED = 2;
export const REFUSED = 3;
export const CLASSES = 4;
const LATENCIES = CLASSES + 5;
export const TALLY_LENGTH = LATENCIES + BOUNDS_MS.length + 1;

/** What is counted of some requests: whole numbers that are added up, whoever has counted them. */
export type Tally = Uint32Array | number[];

export function emptyTally(): number[] {
  return new Array<number>(TALLY_LENGTH).fill(0);
}

/** How a request ended. */
export interface Ending {
  readonly status: number;
  /** Refused by the gateway itself. */
  readonly refused: boolean;
  /** … because a limit, a quota or a cap was reached. */
  readonly limited: boolean;
  readonly durationMs: number;
}

/** @param offset where the tally begins in an array of many. */
export function count(tally: Tally, offset: number, { status, refused, limited, durationMs }: Ending): void {
  const group = Math.min(5, Math.max(1, Math.floor(status / 100)));
  add(tally, offset + REQUESTS);
  add(tally, offset + CLASSES + group - 1);
  if (status >= 500) add(tally, offset + ERRORS);
  if (refused) add(tally, offset + REFUSED);
  if (limited) add(tally, offset + LIMITED);
  // A WebSocket lasts as long as both like.
  if (status === 101) return;
  let place = 0;
  while (durationMs > (BOUNDS_MS[place] ?? Infinity)) place += 1;
  add(tally, offset + LATENCIES + place);
}

function add(tally: Tally, place: number): void {
  tally[place] = (tally[place] as number) + 1;
}

/** Adds a tally to another one. @param offset where it begins in `from`. */
export function addTally(to: Tally, from: Tally, offset = 0): void {
  for (let i = 0; i < TALLY_LENGTH; i++) to[i] = (to[i] as number) + (from[offset + i] ?? 0);
}

/**
 * The latency that a part of the requests did not exceed, milliseconds, by straight lines within a bound; null without
 * requests. Of requests counted in several places it is taken of their sum: percentiles themselves cannot be averaged.
 */
export function percentile(tally: Tally, part: number): number | null {
  let all = 0;
  for (let i = LATENCIES; i < TALLY_LENGTH; i++) all += tally[i] as number;
  if (all === 0) return null;
  let left = part * all;
  for (let i = 0; i <= BOUNDS_MS.length; i++) {
    const here = tally[LATENCIES + i] as number;
    if (here > 0 && left <= here) return within(i, left / here);
    left -= here;
  }
  return within(BOUNDS_MS.length, 1);
}

function within(place: number, part: number): number {
  const low = place === 0 ? 0 : (BOUNDS_MS[place - 1] as number);
  // Of what is above all bounds nothing more is known.
  const high = BOUNDS_MS[place] ?? low;
  return Math.round((low + (high - low) * part) * 100) / 100;
}
