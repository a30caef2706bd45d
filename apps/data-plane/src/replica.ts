import { ResponseStore } from '#libs/cache';
import type { Resources } from '#libs/lifecycle';
import { PublicationTable } from '#libs/publications';
import { TargetHealth } from '#libs/tenants';

/** What a data plane process knows beyond its caches; a control plane in the same process is asked about it. */
export interface Replica {
  readonly publications: PublicationTable;
  readonly targets: TargetHealth;
  readonly responses: ResponseStore;
}

/** Begins to follow what is published; the process is not ready before that has been read once. */
export function openReplica({ store, logging, config, readiness, metrics }: Resources): Replica {
  const publications = new PublicationTable(store, logging.logger, config.staleConfigMaxAgeMs);
  const targets = new TargetHealth();
  const responses = new ResponseStore(store, {
    memoryBytes: config.cacheMemoryBytes,
    redisBytes: config.cacheRedisBytes,
    maxStaleMs: config.staleConfigMaxAgeMs,
  });
  metrics.cache.watch(responses.memory);
  readiness.waitFor(publications.loaded);
  metrics.watchTargets(targets);
  publications.start();
  return { publications, targets, responses };
}
