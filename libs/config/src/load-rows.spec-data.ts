import type { GatewayConfig } from './config';

type Row = [name: string, raw: string, read: (config: GatewayConfig) => unknown, value: unknown];

/** The settings of load as config.spec.ts reads them. */
export const LOAD_ROWS: Row[] = [
  ['MAX_CONCURRENT_REQUESTS', '11', (c) => c.load.maxConcurrentRequests, 11],
  ['MAX_QUEUED_REQUESTS', '12', (c) => c.load.maxQueuedRequests, 12],
  ['QUEUE_TIMEOUT_MS', '13', (c) => c.load.queueTimeoutMs, 13],
  ['MAX_OPEN_STREAMS', '14', (c) => c.load.maxOpenStreams, 14],
  ['MAX_EVENT_LOOP_DELAY_MS', '15', (c) => c.load.maxEventLoopDelayMs, 15],
  ['MAX_CONNECTIONS', '16', (c) => c.load.maxConnections, 16],
  ['MAX_CONNECTIONS_PER_IP', '17', (c) => c.load.maxConnectionsPerIp, 17],
  ['CLIENT_HEAD_TIMEOUT_MS', '18', (c) => c.load.clientHeadTimeoutMs, 18],
  ['MIN_BODY_BYTES_PER_SECOND', '19', (c) => c.load.minBodyBytesPerSecond, 19],
  ['CLIENT_BODY_GRACE_MS', '20', (c) => c.load.clientBodyGraceMs, 20],
  ['CLIENT_READ_TIMEOUT_MS', '21', (c) => c.load.clientReadTimeoutMs, 21],
]; // prettier-ignore

export const LOAD_DEFAULTS = {
  maxConcurrentRequests: 0,
  maxQueuedRequests: 100,
  queueTimeoutMs: 1000,
  maxOpenStreams: 0,
  maxEventLoopDelayMs: 0,
  maxConnections: 0,
  maxConnectionsPerIp: 0,
  clientHeadTimeoutMs: 20_000,
  minBodyBytesPerSecond: 240,
  clientBodyGraceMs: 10_000,
  clientReadTimeoutMs: 60_000,
};
