import type { SettingValues } from './settings';

/** How much clients may ask for at once, per process, and how slow they may be. 0 stands for no bound. */
export interface LoadConfig {
  readonly maxConcurrentRequests: number;
  readonly maxQueuedRequests: number;
  readonly queueTimeoutMs: number;
  readonly maxOpenStreams: number;
  readonly maxEventLoopDelayMs: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly clientHeadTimeoutMs: number;
  readonly minBodyBytesPerSecond: number;
  readonly clientBodyGraceMs: number;
  readonly clientReadTimeoutMs: number;
}

export function loadLimits(values: SettingValues): LoadConfig {
  return {
    maxConcurrentRequests: values.MAX_CONCURRENT_REQUESTS,
    maxQueuedRequests: values.MAX_QUEUED_REQUESTS,
    queueTimeoutMs: values.QUEUE_TIMEOUT_MS,
    maxOpenStreams: values.MAX_OPEN_STREAMS,
    maxEventLoopDelayMs: values.MAX_EVENT_LOOP_DELAY_MS,
    maxConnections: values.MAX_CONNECTIONS,
    maxConnectionsPerIp: values.MAX_CONNECTIONS_PER_IP,
    clientHeadTimeoutMs: values.CLIENT_HEAD_TIMEOUT_MS,
    minBodyBytesPerSecond: values.MIN_BODY_BYTES_PER_SECOND,
    clientBodyGraceMs: values.CLIENT_BODY_GRACE_MS,
    clientReadTimeoutMs: values.CLIENT_READ_TIMEOUT_MS,
  };
}
