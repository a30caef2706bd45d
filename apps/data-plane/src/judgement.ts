import {
  ApiKeyGuard,
  GatewayMaintenanceGuard,
  JwtGuard,
  MaintenanceGuard,
  PublishedAgain,
  RateLimiter,
  RouteGuard,
  TokenVerifier,
  judgeAgain,
  ownKeys,
} from '#libs/guards';
import { keys } from '#libs/store';
import type { AddressPolicy } from '#libs/tenants';
import { GatewayMaintenance, TenantDirectory } from '#libs/tenants';
import { TokenRevocations } from '#libs/tokens';
import type { Concurrency } from '#libs/load';
import type { DataPlaneResources } from './data-plane';
import { OpenStreams } from './streams/open-streams';

/** What requests are judged with, and open streams again. */
export interface Judgement {
  readonly directory: TenantDirectory;
  readonly verifier: TokenVerifier;
  readonly limiter: RateLimiter;
  readonly streams: OpenStreams;
  readonly maintenance: GatewayMaintenance;
}

export function openJudgement(
  resources: DataPlaneResources,
  addresses: AddressPolicy,
  concurrency: Concurrency,
): Judgement {
  const { config, store, logging, metrics, publications, targets } = resources;
  const { logger } = logging;
  const maxStaleMs = config.staleConfigMaxAgeMs;
  const directory = new TenantDirectory(store, logger, maxStaleMs, targets);
  const revocations = new TokenRevocations(store, logger, maxStaleMs);
  const own = ownKeys(config, revocations);
  const verifier = new TokenVerifier({ logger, addresses, own, named: config.namedSecrets });
  metrics.watchKeySets(verifier);
  const limiter = new RateLimiter(store, config.rateLimitMode);
  metrics.watchLimiter(limiter);
  // The request path without its limits: a stream that is open takes nothing more of them.
  const maintenance = new GatewayMaintenance(store, logger);
  maintenance.start();
  const judges = [
    new GatewayMaintenanceGuard(maintenance),
    new PublishedAgain(publications),
    new ApiKeyGuard(directory),
    new RouteGuard(directory),
    new MaintenanceGuard(),
    new JwtGuard(verifier),
  ];
  const streams = new OpenStreams({
    store,
    judge: (context) => judgeAgain(context, judges),
    gauge: metrics.gateway,
    maxStaleMs,
    opened: (context) => {
      if (context.tenant) concurrency.becomesStream(context, context.tenant, performance.now());
    },
  });
  maintenance.onChange(() => streams.reconsider(keys.GATEWAY_MAINTENANCE));
  publications.onChange((tenantId) => streams.reconsider(keys.publication(tenantId)));
  return { directory, verifier, limiter, streams, maintenance };
}
