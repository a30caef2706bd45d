import type { GatewayConfig, LoadConfig } from '#libs/config';
import { Concurrency, ConnectionCaps, DelayGovernedLimit, LoopDelay, PaceWatch } from '#libs/load';
import type { LoadMetrics, MetricsRegistry } from '#libs/metrics';

/** What bounds how much clients may ask for at once, and how slow they may be. */
export interface Load {
  readonly concurrency: Concurrency;
  readonly connections: ConnectionCaps;
  /** Sees that request bodies get on, and that responses are read. */
  readonly bodies: PaceWatch;
  readonly readers: PaceWatch;
  readonly metrics: LoadMetrics;
  readonly delay: LoopDelay;
  close(): void;
}

export function openLoad({ load }: Pick<GatewayConfig, 'load'>, metrics: MetricsRegistry): Load {
  const limit = load.maxConcurrentRequests || Infinity;
  const governed = load.maxEventLoopDelayMs > 0;
  const concurrency = new Concurrency({
    limit,
    maxQueued: load.maxQueuedRequests,
    queueMs: load.queueTimeoutMs,
    maxStreams: load.maxOpenStreams || Infinity,
    governed,
  });
  const connections = new ConnectionCaps({
    max: load.maxConnections,
    maxPerAddress: load.maxConnectionsPerIp,
  });
  const governor = new DelayGovernedLimit(concurrency.slots, load.maxEventLoopDelayMs, limit);
  const delay = new LoopDelay((lateMs) => {
    if (governed) governor.note(lateMs);
  });
  delay.start();
  metrics.watchLoad({ slots: concurrency.slots, connections, delay });
  const { bodies, readers } = paceWatches(load);
  return {
    concurrency,
    connections,
    bodies,
    readers,
    metrics: metrics.load,
    delay,
    close() {
      delay.close();
      bodies.close();
      readers.close();
    },
  };
}

function paceWatches(load: LoadConfig): Pick<Load, 'bodies' | 'readers'> {
  const bodies = new PaceWatch(load.minBodyBytesPerSecond, load.clientBodyGraceMs);
  // What is counted of readers is how often they have taken everything: once in that time is enough.
  const readers = new PaceWatch(1000 / load.clientReadTimeoutMs, load.clientReadTimeoutMs);
  return { bodies, readers };
}
