import type { GatewayConfig } from '#libs/config';
import { openDeclarations } from '#libs/declarations';
import { createLogging, type Logging } from '#libs/logging';
import { MetricsRegistry, exposeToPrimary } from '#libs/metrics';
import { openStore, type Store } from '#libs/store';
import { Readiness } from './readiness';

/** What every Gatehouse process works with, whatever it serves. */
export interface Resources {
  readonly config: GatewayConfig;
  readonly logging: Logging;
  readonly metrics: MetricsRegistry;
  /** With what files declare over it. */
  readonly store: Store;
  readonly readiness: Readiness;
}

/** Opens the resources. The store is not reached yet; readiness follows when it is. */
export function openResources(config: GatewayConfig, logging: Logging = createLogging(config)): Resources {
  const metrics = new MetricsRegistry(config.metricsMaxTenants);
  exposeToPrimary(metrics.registry);
  const stored = openStore(config, logging.logger);
  const { store, folder } = openDeclarations(config, stored, logging.logger);
  if (folder) metrics.watchDeclarations(folder);
  const readiness = new Readiness();
  metrics.watchStore(store);
  void store.ready().then(() => readiness.markReady());
  return { config, logging, metrics, store, readiness };
}
