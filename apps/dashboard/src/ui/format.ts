const WHOLE = new Intl.NumberFormat('en');
const COMPACT = new Intl.NumberFormat('en', { notation: 'compact', maximumFractionDigits: 1 });
const MOMENT = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });
const DAY = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' });
const AGO = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export const whole = (value: number): string => WHOLE.format(value);
/** “1 key”, “2,000 keys”. @param thing in the singular; its plural takes an s, unless it is given. */
export const counted = (count: number, thing: string, things = `${thing}s`): string =>
  `${WHOLE.format(count)} ${count === 1 ? thing : things}`;
/** The foot of a list; none where nobody has counted. */
export const inAll = (total: number | null | undefined, thing: string): string | undefined =>
  total === null || total === undefined ? undefined : `${counted(total, thing)} in all`;
export const compact = (value: number | null): string =>
  value === null ? '–' : value < 10_000 ? WHOLE.format(value) : COMPACT.format(value);

/** Requests per second: small rates keep a digit. */
export const rate = (value: number): string =>
  value >= 100 ? compact(Math.round(value)) : value.toFixed(value > 0 && value < 10 ? 1 : 0);

/** 0 … 1 as a percentage; what is not nothing is never shown as 0 %. */
export function percent(share: number): string {
  if (share === 0) return '0%';
  if (share < 0.001) return '<0.1%';
  return `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value >= 1000) return `${(value / 1000).toFixed(2)}\u00a0s`;
  return `${value >= 10 ? Math.round(value) : Number(value.toFixed(1))}\u00a0ms`;
}

export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let rest = value;
  let unit = 0;
  while (rest >= 1000 && unit < units.length - 1) {
    rest /= 1000;
    unit += 1;
  }
  return `${unit > 0 && rest < 10 ? rest.toFixed(1) : Math.round(rest)} ${units[unit]}`;
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

export const moment = (iso: string): string => MOMENT.format(new Date(iso));
export const day = (iso: string): string => DAY.format(new Date(iso));

const STEPS: ReadonlyArray<readonly [Intl.RelativeTimeFormatUnit, number]> = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
];

/** `3 minutes ago`, `in 2 days`. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000;
  for (const [unit, size] of STEPS) {
    if (Math.abs(seconds) >= size) return AGO.format(Math.trunc(seconds / size), unit);
  }
  return Math.abs(seconds) < 5 ? 'just now' : AGO.format(Math.trunc(seconds), 'second');
}

/**
 * An amount with its currency. Texts are exact decimals of the gateway and are never taken through a float: only their
 * digits are grouped, and at least `places` decimals are shown.
 */
export function money(amount: string | number, currency: string, places = 2): string {
  const text = typeof amount === 'number' ? decimal(amount) : amount;
  const negative = text.startsWith('-');
  const [digits = '0', decimals = ''] = text.replace('-', '').split('.');
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, ',');
  return `${negative ? '−' : ''}${symbol(currency)}${grouped}.${decimals.padEnd(places, '0')}`;
}

/** How many decimals the amounts of a column need, so that they stand below each other. */
export function placesOf(amounts: ReadonlyArray<string | number>): number {
  const texts = amounts.map((amount) => (typeof amount === 'number' ? decimal(amount) : amount));
  return Math.max(2, ...texts.map((text) => text.split('.')[1]?.length ?? 0));
}

/** Without an exponent and without zeroes at the end. */
export function decimal(amount: number): string {
  return amount.toFixed(9).replace(/0+$/, '').replace(/\.$/, '');
}

function symbol(currency: string): string {
  const known: Record<string, string> = { USD: '$', EUR: '€', GBP: '£', JPY: '¥', INR: '₹' };
  return known[currency] ?? `${currency} `;
}
