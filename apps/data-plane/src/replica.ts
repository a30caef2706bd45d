import { SharedBreakers } from '#libs/breakers';
import { ResponseStore } from '#libs/cache';
import type { Resources } from '#libs/lifecycle';
import { PublicationTable, reservationsOf } from '#libs/publications';
import { TargetHealth } from '#libs/tenants';
import { targetEvents } from './target-events';
import { WebhookEvents } from './webhook-events';
import { EdgeStats } from './edge/edge-stats';

/** What a data plane process knows beyond its caches; a control plane in the same process is asked about it. */
export interface Replica {
  readonly publications: PublicationTable;
  readonly targets: TargetHealth;
  /** What a regional edge counts; undefined for any other gateway. */
  readonly edge: EdgeStats | undefined;
  readonly responses: ResponseStore;
  readonly events: WebhookEvents;
}

/** Begins to follow what is published; the process is not ready before that has been read once. */
export function openReplica({ store, logging, config, readiness, metrics }: Resources): Replica {
  const publications = new PublicationTable(
    store,
    logging.logger,
    config.staleConfigMaxAgeMs,
    reservationsOf(config.profiles),
  );
  const events = new WebhookEvents(store, metrics, config, logging.logger);
  const told = targetEvents(logging.logger, metrics);
  const targets = new TargetHealth(new SharedBreakers(store), (event) => {
    told(event);
    events.target(event);
  });
  events.start();
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
  return { publications, targets, edge, responses, events };
}
