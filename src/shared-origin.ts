import cluster from 'node:cluster';
import type { GatewayConfig } from '#libs/config';
import type { Logger } from '#libs/logging';

type Decisive = Pick<GatewayConfig, 'production' | 'adminPort' | 'dashboard' | 'profiles'>;

/**
 * Whether browsers take what an upstream sends for a part of the dashboard: both are of one origin where both planes share
 * a port, and no header keeps scripts of one origin apart (RFC 6454 §3; ADR 25). An edge serves no dashboard there.
 */
export function sharesOrigin({ adminPort, dashboard, profiles }: Omit<Decisive, 'production'>): boolean {
  return adminPort === undefined && dashboard.enabled && !profiles.regionalEdge;
}

/** Says so once at a start in production; somebody who tries it out on his own machine has nobody to fear. */
export function warnOfSharedOrigin(config: Decisive, logger: Pick<Logger, 'warn'>): void {
  if (!config.production || !sharesOrigin(config)) return;
  // Of several workers the first speaks for all.
  if (cluster.isWorker && cluster.worker?.id !== 1) return;
  logger.warn(
    { category: 'admin' },
    'the dashboard shares its origin with the data plane: a page that an upstream sends could act there for whoever is signed in. Set ADMIN_PORT, or DASHBOARD=false.',
  );
}
