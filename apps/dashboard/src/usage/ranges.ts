/** A part of time, in milliseconds since the epoch; the end is not included. */
export interface Range {
  from: number;
  to: number;
}

export const PRESETS = [
  ['24h', '24 hours'],
  ['7d', '7 days'],
  ['30d', '30 days'],
  ['90d', '90 days'],
] as const;

export type Preset = (typeof PRESETS)[number][0];

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const LENGTHS: Record<Preset, number> = {
  '24h': DAY_MS,
  '7d': 7 * DAY_MS,
  '30d': 30 * DAY_MS,
  '90d': 90 * DAY_MS,
};
/** Longer than this, hours would be thinner than the pixels that show them. */
const HOURS_UP_TO_MS = 8 * DAY_MS;

/** Whole hours, or whole days (UTC) where days are counted, up to and with the one that is under way. */
export function presetRange(preset: Preset, now: number): Range {
  const length = LENGTHS[preset];
  const step = length <= HOURS_UP_TO_MS ? HOUR_MS : DAY_MS;
  const to = Math.ceil((now + 1) / step) * step;
  return { from: to - length, to };
}

export type Step = 'hour' | 'day';

export const stepOf = ({ from, to }: Range): Step => (to - from <= HOURS_UP_TO_MS ? 'hour' : 'day');

/** What was marked in the chart, widened to whole steps. */
export function zoomed(from: number, to: number, step: Step): Range {
  const size = step === 'hour' ? HOUR_MS : DAY_MS;
  return { from: Math.floor(from / size) * size, to: Math.ceil(to / size) * size };
}

/** The beginning of every step of a range. */
export function stepsOf({ from, to }: Range): number[] {
  const size = stepOf({ from, to }) === 'hour' ? HOUR_MS : DAY_MS;
  const steps: number[] = [];
  for (let at = Math.floor(from / size) * size; at < to; at += size) steps.push(at);
  return steps;
}
