import type { FieldProblem } from '#libs/errors';

const DECIMALS = 9;

/** One unit of any currency in nano-units, the whole numbers that all amounts are kept in. */
export const NANO_PER_UNIT = 10n ** BigInt(DECIMALS);

/** What a request costs if nobody set a price: 0.001 (documented default of `price_per_request`), in nano-units. */
export const DEFAULT_PRICE = 1_000_000n;

/**
 * One million, in nano-units. Six digits before the point and nine behind it are fifteen, and a double holds every decimal
 * of fifteen digits (DBL_DIG): a price that is allowed passes JSON numbers unharmed, in both directions.
 */
export const MAX_PRICE = 1_000_000n * NANO_PER_UNIT;

/** A price in nano-units, or why a value is none. */
export type CheckedPrice =
  { nano: bigint; problems?: undefined } | { nano?: undefined; problems: FieldProblem[] };

const PRICE_RULE = 'must be a number, or a decimal number as text, from 0 to 1000000 with at most 9 decimals';

/** No sign, no spaces, no bare point. Three digits of exponent are more than any price has, and cheap to compute. */
const DECIMAL = /^(0|[1-9]\d{0,39})(?:\.(\d{1,40}))?(?:[eE]([+-]?\d{1,3}))?$/;
const MONEY = /^-?(?:0|[1-9]\d{0,39})(?:\.\d{1,9})?$/;

/**
 * Reads a price, or a fee, as it comes in JSON: a number or a decimal text. Exact: numbers are taken by their shortest
 * decimal text, because multiplying floats makes 0.000000015 × 1e9 something below 15.
 * @param field names the value in the problems.
 */
export function parsePrice(value: unknown, field: string): CheckedPrice {
  const text = typeof value === 'number' ? String(value) : value;
  const nano = typeof text === 'string' ? nanoOf(text) : undefined;
  if (nano === undefined || nano > MAX_PRICE) return { problems: [{ field, message: PRICE_RULE }] };
  return { nano };
}

/** The exact nano-units of a decimal text; undefined if it is none or needs more than nine decimals. */
function nanoOf(text: string): bigint | undefined {
  const [, whole, fraction = '', exponent = '0'] = DECIMAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const zeros = DECIMALS - fraction.length + Number(exponent);
  // As written: 0.0010000000 is refused as well, since whoever writes ten decimals means them.
  return zeros < 0 ? undefined : BigInt(whole + fraction) * 10n ** BigInt(zeros);
}

/** Decimal text without trailing zeros: "0.001", "12", "-0.5". */
export function formatMoney(nano: bigint): string {
  const digits = (nano < 0n ? -nano : nano).toString().padStart(DECIMALS + 1, '0');
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '');
  return (nano < 0n ? '-' : '') + digits.slice(0, -DECIMALS) + (fraction && `.${fraction}`);
}

/** Reads back what `formatMoney` wrote, of any size a sum can have; undefined for any other text. */
export function parseMoney(text: string): bigint | undefined {
  if (!MONEY.test(text)) return undefined;
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'));
}

/**
 * The nearest double, for the documented JSON numbers (`price_per_request`, `total_cost`). By way of the text, which is
 * rounded once: converting the integer and then dividing would round twice.
 */
export function toNumber(nano: bigint): number {
  return Number(formatMoney(nano));
}

/** ISO 4217 codes that this Node knows; it comes with new ones and keeps those that went out of use for years. */
const CURRENCIES: ReadonlySet<unknown> = new Set(Intl.supportedValuesOf('currency'));

/** Whether a value is an ISO 4217 alphabetic code, in upper case. */
export function isCurrency(value: unknown): value is string {
  return CURRENCIES.has(value);
}
