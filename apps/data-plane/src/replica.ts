import { SharedBreakers } from '#libs/breakers';
import { ResponseStore } from '#libs/cache';
import type { Resources } from '#libs/lifecycle';
import { PublicationTable, reservationsOf } from '#libs/publications';
import { TargetHealth } from '#libs/tenants';
import { targetEvents } from './target-events';
import { EdgeStats } from './edge/edge-stats';

/** What a data plane process knows beyond its caches; a control plane in the same process is asked about it. */
export interface Replica {
  readonly publications: PublicationTable;
  readonly targets: TargetHealth;
  /** What a regional edge counts; undefined for any other gateway. */
  readonly edge: EdgeStats | undefined;
  readonly responses: ResponseStore;
}

/** Begins to follow what is published; the process is not ready before that has been read once. */
export function openReplica({ store, logging, config, readiness, metrics }: Resources): Replica {
  const publications = new PublicationTable(
    store,
    logging.logger,
    config.staleConfigMaxAgeMs,
    reservationsOf(config.profiles),
  );
  const targets = new TargetHealth(new SharedBreakers(store), targetEvents(logging.logger, metrics));
  readiness.waitFor(publications.loaded);
  metrics.watchTargets(targets);
  publications.start();
  const edge = config.profiles.regionalEdge && new EdgeStats();
  if (edge) metrics.watchEdge(edge);
  const responses = new ResponseStore(store, {
    memoryBytes: config.cacheMemoryBytes,
    redisBytes: config.cacheRedisBytes,
    maxStaleMs: config.staleConfigMaxAgeMs,
  });
  metrics.cache.watch(responses.memory);
  return { publications, targets, edge, responses };
}
