import type { GatewayConfig } from '#libs/config';
import type { AccessRecord } from './access-line';
import { createLogging, type Logging } from './logging';

const record = (status: number): AccessRecord => ({
  endedAt: 1_800_000_000_000,
  requestId: 'r-1',
  tenantId: undefined,
  protocol: 'HTTP/1.1',
  scheme: 'http',
  method: 'GET',
  path: '/',
  status,
  durationMs: 1,
  upstreamMs: undefined,
  clientAddress: '203.0.113.7',
  decision: 'allow',
  bytesIn: 0,
  bytesOut: 0,
});

/** A log at a level, and its lines as they were written. */
function open(logLevel: GatewayConfig['logLevel']): { logging: Logging; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  return { logging: createLogging({ logLevel }, { write }), lines };
}

const STATUSES = [101, 200, 304, 399, 400, 401, 429, 499, 500, 502, 599];

it('writes 5xx as errors, 4xx as warnings and the rest as information', () => {
  const { logging, lines } = open('info');
  for (const status of STATUSES) logging.access(record(status));
  expect(lines.map(({ status, level }) => [status, level])).toEqual([
    ...[101, 200, 304, 399].map((status) => [status, 'info']),
    ...[400, 401, 429, 499].map((status) => [status, 'warn']),
    ...[500, 502, 599].map((status) => [status, 'error']),
  ]);
});

it.each<[level: GatewayConfig['logLevel'], statuses: number[]]>([
  ['trace', STATUSES],
  ['debug', STATUSES],
  ['info', STATUSES],
  ['warn', [400, 401, 429, 499, 500, 502, 599]],
  ['error', [500, 502, 599]],
  ['fatal', []],
  ['silent', []],
])('at LOG_LEVEL=%s writes no line below it', (level, statuses) => {
  const { logging, lines } = open(level);
  for (const status of STATUSES) logging.access(record(status));
  expect(lines.map(({ status }) => status)).toEqual(statuses);
});

it('writes other events in the same format', () => {
  const { logging, lines } = open('info');
  logging.logger.debug('not this');
  logging.logger.warn({ category: 'auth', tenantId: 'acme' }, 'a "quoted"\nmessage');
  expect(lines).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      category: 'auth',
      tenantId: 'acme',
      msg: 'a "quoted"\nmessage',
    },
  ]);
});

it('survives a destination that is gone when it is flushed', () => {
  let flushed = 0;
  const flushSync = (): void => {
    flushed += 1;
    throw new Error('sonic boom is not ready yet');
  };
  createLogging({ logLevel: 'info' }, { write: () => undefined, flushSync }).flush();
  expect(flushed).toBe(1);
});
