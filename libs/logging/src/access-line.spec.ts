import { accessLine, type AccessRecord } from './access-line';

const NOW = Date.parse('2026-01-02T03:04:05.006Z');
const record = (more: Partial<AccessRecord> = {}): AccessRecord => ({
  endedAt: NOW,
  requestId: 'r-1',
  tenantId: 'acme',
  protocol: 'HTTP/2.0',
  scheme: 'https',
  method: 'GET',
  path: '/v1/orders',
  status: 200,
  durationMs: 1.234,
  upstreamMs: 1,
  clientAddress: '203.0.113.7',
  decision: 'allow',
  bytesIn: 0,
  bytesOut: 12,
  ...more,
});

/** The one line there must be, read as JSON. */
function parsed(more: Partial<AccessRecord> = {}, level = 'info'): Record<string, unknown> {
  const line = accessLine(record(more), level);
  expect(line.endsWith('\n')).toBe(true);
  expect(line.slice(0, -1)).not.toMatch(/[\r\n]/);
  return JSON.parse(line) as Record<string, unknown>;
}

it('says how often a request was sent, where that is worth a word', () => {
  expect(parsed({ attempts: 3, retryWithheld: 'budget' })).toMatchObject({
    attempts: 3,
    retryWithheld: 'budget',
  });
  expect(Object.keys(parsed())).not.toEqual(expect.arrayContaining(['attempts']));
});

it('says what is known of a request', () => {
  expect(parsed()).toEqual({
    level: 'info',
    time: '2026-01-02T03:04:05.006Z',
    category: 'request',
    requestId: 'r-1',
    tenantId: 'acme',
    protocol: 'HTTP/2.0',
    scheme: 'https',
    method: 'GET',
    path: '/v1/orders',
    status: 200,
    durationMs: 1.23,
    upstreamMs: 1,
    ip: '203.0.113.7',
    bytesIn: 0,
    bytesOut: 12,
    decision: 'allow',
    msg: 'request',
  });
});

it('leaves out what is not known', () => {
  const line = parsed({ tenantId: undefined, upstreamMs: undefined, decision: 'invalid_api_key' }, 'warn');
  expect(Object.keys(line)).not.toEqual(expect.arrayContaining(['tenantId']));
  expect(Object.keys(line)).not.toEqual(expect.arrayContaining(['upstreamMs']));
  expect(line).toMatchObject({ level: 'warn', decision: 'invalid_api_key' });
});

describe('what a client sends stays one value of one line', () => {
  it.each([
    ['a quote', '/a","status":599,"x":"'],
    ['a quote at the end', '/a"'],
    ['a backslash', '/a\\'],
    ['an escape', '/a\\u0022\\n'],
    ['a line break', '/a\r\n{"level":"fatal"}'],
    ['a null', '/a\0b'],
    ['a terminal escape', '/\x1b[31m'],
    ['a delete', '/\x7f'],
    ['a line separator', '/\u2028\u2029\u0085'],
    ['letters of all kinds', '/schlüssel/日本/😀'],
    ['half a surrogate pair', '/\ud83d'],
    ['every byte', String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))],
    ['nothing', ''],
  ])('%s', (_, text) => {
    const line = parsed({
      path: text,
      requestId: text,
      method: text,
      clientAddress: text,
      tenantId: text,
    });
    expect(line).toEqual({
      ...parsed(),
      path: text,
      requestId: text,
      method: text,
      ip: text,
      tenantId: text,
    });
  });
});

it.each([
  [NOW, '2026-01-02T03:04:05.006Z'],
  [NOW + 993, '2026-01-02T03:04:05.999Z'],
  [NOW + 994, '2026-01-02T03:04:06.000Z'],
  [NOW + 1004, '2026-01-02T03:04:06.010Z'],
  [NOW - 7, '2026-01-02T03:04:04.999Z'],
  [NOW, '2026-01-02T03:04:05.006Z'],
  [Date.parse('2026-12-31T23:59:59.999Z'), '2026-12-31T23:59:59.999Z'],
  [Date.parse('2027-01-01T00:00:00.000Z'), '2027-01-01T00:00:00.000Z'],
  [NOW + 94, '2026-01-02T03:04:05.100Z'],
])('the time %d, after the ones above, is %s', (endedAt, time) => {
  expect(parsed({ endedAt }).time).toBe(time);
  expect(new Date(endedAt).toISOString()).toBe(time);
});
