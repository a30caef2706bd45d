import { randomBytes } from 'node:crypto';

/** Base 36 milliseconds fill nine digits until the year 5188, so ids sort by their time as plain text. */
const TIME_DIGITS = 9;
/** 40 bits: ids made in one millisecond, on any number of replicas, do not meet. */
const RANDOM_BYTES = 5;

/** A new id that sorts after those made before it. Not a secret. */
export function sortableId(now = Date.now()): string {
  return now.toString(36).padStart(TIME_DIGITS, '0') + randomBytes(RANDOM_BYTES).toString('hex');
}
