import { randomNumbers } from '../../../test/support/tricky-paths';
import {
  DEFAULT_PRICE,
  MAX_PRICE,
  NANO_PER_UNIT,
  formatMoney,
  isCurrency,
  parseMoney,
  parsePrice,
  toNumber,
} from './money';

const random = randomNumbers(1);
const below = (limit: number): number => Math.floor(random() * limit);
/** A number of nano-units with up to `digits` digits, short ones as often as long ones. */
const randomNano = (digits: number): bigint =>
  BigInt(Array.from({ length: 1 + below(digits) }, () => below(10)).join(''));

it('charges what is documented if nobody set a price', () => {
  expect(formatMoney(DEFAULT_PRICE)).toBe('0.001');
});

it.each<[value: number | string, nano: bigint]>([
  [0, 0n],
  [-0, 0n],
  [0.001, 1_000_000n],
  [1e-9, 1n],
  [1.5e-7, 150n],
  // Multiplied as floats these two are 14.999999999999998 and 8199999999.999999.
  [0.000000015, 15n],
  [8.2, 8_200_000_000n],
  [999_999.999999999, MAX_PRICE - 1n],
  [1_000_000, MAX_PRICE],
  ['0', 0n],
  ['0.001', 1_000_000n],
  ['0.000000001', 1n],
  ['1.10', 1_100_000_000n],
  ['1000000.000000000', MAX_PRICE],
  ['1e-9', 1n],
  ['2.5E+3', 2500n * NANO_PER_UNIT],
])('reads the price %p exactly', (value, nano) => {
  expect(parsePrice(value, 'price')).toEqual({ nano });
});

describe('refuses, naming the field, the price', () => {
  const REFUSED: unknown[] = [
    // Out of range: the second is what JSON.parse makes of 1e309.
    ...[-1, JSON.parse('1e309'), -Infinity, NaN, -0.001, -1e-9, 1_000_000.000000001, 1_000_001, 1e21],
    ...['-1', '-0', '1e309', '-1e309', '1e999', '1e9999', '1000000.000000001', '1000001', 'Infinity', 'NaN'],
    // More decimals than there are nano-units. 0.1 + 0.7 is 0.7999999999999999.
    ...[1e-10, 0.1 + 0.7, 0.0000000015, 5e-324, '0.0000000001', '0.0010000000', '1e-10', '1.5e-9', '0e-999'],
    // Not decimal numbers.
    ...['', ' ', ' 1', '1 ', '1\n', '+1', '.5', '5.', '01', '00', '1,5', '1.2.3', '0x10', '1_000', '1e', 'e1', '١'],
    ...['1e1.5', '0e1000', '0b1', '1n', 'abc', '$1', '9'.repeat(1_000_000), `0.${'0'.repeat(1_000_000)}1`],
    // Not even texts.
    ...[true, false, null, undefined, 1n, {}, [], [1], ['1'], { valueOf: () => 1 }, new Number(1), () => 1],
  ]; // prettier-ignore
  it.each(REFUSED.map((value) => [String(value).slice(0, 30), value]))('%p', (_, value) => {
    expect(parsePrice(value, 'plan.price')).toEqual({
      problems: [
        {
          field: 'plan.price',
          message: 'must be a number, or a decimal number as text, from 0 to 1000000 with at most 9 decimals',
        },
      ],
    });
  });
});

it.each<[nano: bigint, text: string]>([
  [0n, '0'],
  [1n, '0.000000001'],
  [1_000_000n, '0.001'],
  [500_000_000n, '0.5'],
  [NANO_PER_UNIT, '1'],
  [10n * NANO_PER_UNIT, '10'],
  [1_234_567_890n, '1.23456789'],
  [-1_000_000n, '-0.001'],
  [-12n * NANO_PER_UNIT, '-12'],
  [10n ** 40n, `1${'0'.repeat(31)}`],
])('writes %p nano-units as %p and reads them back', (nano, text) => {
  expect(formatMoney(nano)).toBe(text);
  expect(parseMoney(text)).toBe(nano);
});

it.each(['', '-', '1.', '.1', '01', '1e3', ' 1', '1\n', '+1', '1.0000000001', '1,0', '9'.repeat(1000), '1-', '--1'])(
  'reads no amount from %p',
  (text) => {
    expect(parseMoney(text)).toBeUndefined();
  },
); // prettier-ignore

describe('10,000 random amounts survive', () => {
  it('as texts', () => {
    const lost: bigint[] = [];
    for (let i = 0; i < 10_000; i++) {
      const nano = randomNano(30) * (below(2) === 0 ? 1n : -1n);
      const text = formatMoney(nano);
      if (parseMoney(text) !== nano || !/^-?\d+(\.\d*[1-9])?$/.test(text)) lost.push(nano);
    }
    expect(lost).toEqual([]);
  });

  it('as prices in texts and in JSON numbers', () => {
    const lost: bigint[] = [];
    for (let i = 0; i < 10_000; i++) {
      const nano = randomNano(15);
      const number: unknown = JSON.parse(JSON.stringify(toNumber(nano)));
      const read = [parsePrice(formatMoney(nano), 'price'), parsePrice(number, 'price')];
      if (!read.every((price) => 'nano' in price && price.nano === nano)) lost.push(nano);
    }
    expect(lost).toEqual([]);
  });
});

it.each<[nano: bigint, number: number]>([
  [1_000_000n, 0.001],
  [-500_000_000n, -0.5],
  [8_200_000_000n, 8.2],
  // Rounded twice, as an integer and divided, these would be 9007199.254756832 and 123456789012.34569.
  [9_007_199_254_756_831n, 9007199.254756831],
  [123_456_789_012_345_678_901n, 123456789012.34567],
])('gives %p nano-units as the nearest double', (nano, number) => {
  expect(toNumber(nano)).toBe(number);
});

describe('knows the currencies of ISO 4217', () => {
  it.each(['EUR', 'USD', 'JPY', 'CHF', 'KWD'])('%s', (code) => expect(isCurrency(code)).toBe(true));

  const UNKNOWN = [
    'eur',
    'Eur',
    'EURO',
    'EU',
    '',
    'XYZ',
    '978',
    ' EUR',
    'BTC',
    '€',
    null,
    undefined,
    978,
    ['EUR'],
  ];
  it.each(UNKNOWN)('and not %p', (code) => expect(isCurrency(code)).toBe(false));
});
