import type { GatewayConfig } from '#libs/config';
import { openDeclarations } from '#libs/declarations';
import { createLogging, type Logging } from '#libs/logging';
import { MetricsRegistry, exposeToPrimary } from '#libs/metrics';
import { recalling } from '#libs/recall';
import { openStore, type Store } from '#libs/store';
import { Readiness } from './readiness';

/** What every Gatehouse process works with, whatever it serves. */
export interface Resources {
  readonly config: GatewayConfig;
  readonly logging: Logging;
  readonly metrics: MetricsRegistry;
  /** With what files declare over it. */
  readonly store: Store;
  /** Without it: what is backed up. */
  readonly stored: Store;
  readonly readiness: Readiness;
}

/**
 * Opens the resources. The store is not reached yet; readiness follows when it is.
 * @param recalls whether what was served before is served from disk until then.
 */
export function openResources(
  config: GatewayConfig,
  logging: Logging = createLogging(config),
  recalls = false,
): Resources {
  const metrics = new MetricsRegistry(config.metricsMaxTenants);
  exposeToPrimary(metrics.registry);
  const stored = openStore(config, logging.logger);
  const recalled = recalls
    ? recalling(stored, config, logging.logger, () => metrics.snapshotWrites())
    : stored;
  const { store, folder } = openDeclarations(config, recalled, logging.logger);
  if (folder) metrics.watchDeclarations(folder);
  const readiness = new Readiness();
  metrics.watchStore(store);
  readiness.markDegradedWhile(() => store.recalledAt !== undefined);
  void store.ready().then(() => readiness.markReady());
  return { config, logging, metrics, store, stored, readiness };
}
