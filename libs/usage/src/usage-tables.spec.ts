import {
  cycle,
  dayFieldPrefix,
  dayTable,
  parseCycleField,
  parseDayField,
  parseDayTable,
  parseTotalsField,
  statusClass,
  totals,
} from './usage-tables';

/** Everything that a field could be taken apart at, and what looks as if it had been escaped already. */
const ODD_NAMES = [
  '',
  '-',
  'a|b',
  '|',
  '%7C',
  '%257C',
  '100%',
  '%2D',
  'a:b',
  'n',
  'access',
  'é💶',
  'a\0b',
  'a\nb',
];

it.each([
  [101, 2],
  [200, 2],
  [299, 2],
  [304, 3],
  [404, 4],
  [499, 4],
  [500, 5],
  [599, 5],
  [999, 5],
])('counts status %i as class %i', (status, expected) => {
  expect(statusClass(status)).toBe(expected);
});

it('writes the documented names', () => {
  expect(dayTable('2026-01-31', '')).toBe('day:2026-01-31:-');
  expect(dayTable('2026-01-31', '7')).toBe('day:2026-01-31:7');
  expect(`${dayFieldPrefix(9, 'k1', '/a|b/%', 2)}n`).toBe('09|k1|/a%7Cb/%25|2|n');
  expect(totals.serviceKey('7', 'k1')).toBe('s|7|k|k1|n');
  expect(cycle.units('v2', 'k1')).toBe('v2|k1|units');
  expect(cycle.cost('', 'k1')).toBe('|k1|cost');
  expect(cycle.access('k1')).toBe('access|k1|n');
});

describe.each(ODD_NAMES)('the name %j', (name) => {
  it('comes back from every table and field it is in', () => {
    expect(parseDayTable(dayTable('2026-01-31', name))).toEqual({ date: '2026-01-31', serviceId: name });
    expect(parseDayField(`${dayFieldPrefix(23, name, `/${name}`, 5)}o`)).toEqual({
      hour: 23,
      keyId: name,
      route: `/${name}`,
      statusClass: 5,
      measure: 'o',
    });
    const read = Object.entries(totals).map(([of, field]) => [
      of,
      parseTotalsField(typeof field === 'string' ? field : field(name, `key ${name}`)),
    ]);
    expect(Object.fromEntries(read)).toEqual({
      requests: { of: 'requests' },
      serviceAll: { of: 'serviceAll', serviceId: name },
      service: { of: 'service', serviceId: name },
      serviceKey: { of: 'serviceKey', serviceId: name, keyId: `key ${name}` },
      keyCost: { of: 'keyCost', keyId: name },
      keyBilled: { of: 'keyBilled', keyId: name },
    });
    expect(parseCycleField(cycle.units(name, `key ${name}`))).toEqual({
      of: 'units',
      planVersion: name,
      keyId: `key ${name}`,
    });
    expect(parseCycleField(cycle.cost(name, name))).toEqual({ of: 'cost', planVersion: name, keyId: name });
    expect(parseCycleField(cycle.access(name))).toEqual({ of: 'access', keyId: name });
  });
});

it('gives different names to different tables and fields', () => {
  const tables = ODD_NAMES.map((name) => dayTable('2026-01-31', name));
  const pairs = ODD_NAMES.flatMap((a) => ODD_NAMES.map((b) => totals.serviceKey(a, b)));
  expect(new Set(tables).size).toBe(ODD_NAMES.length);
  expect(new Set(pairs).size).toBe(ODD_NAMES.length ** 2);
});

it('writes nothing that a ledger takes for no name', () => {
  expect(totals.service('a\0\ud800b\udc00')).toBe('s|a%00\ufffdb\ufffd|n');
  expect(totals.service('💶')).toBe('s|💶|n');
});

it.each([
  ['', '24|k|r|2', '1|k|r|2|n', '10|k|r|6|n', '10|k|r|2|x', '10|k|r|2|n|n', '10|k|r|s|2|n'].map(
    parseDayField,
  ),
  ['day:2026-01-31', 'day:2026-1-1:a', 'totals', 'day:2026-01-31:'].map(parseDayTable),
  ['', 's|a|b', 's|a|k|b', 's|a|k|b|n|n', 'k|a|units', 'x|a|n', 's|a|n|n|n'].map(parseTotalsField),
  ['', 'a', 'a|b', 'v|k|n', 'a|b|units|x', 'a|b|c'].map(parseCycleField),
])('knows no field that is none (%#)', (...parsed) => {
  expect(parsed.every((field) => field === undefined)).toBe(true);
});
