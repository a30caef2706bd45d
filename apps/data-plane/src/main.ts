import { AdminTokens } from '#libs/admin-tokens';
import { drain, openResources, probes, runProcess } from '#libs/lifecycle';
import { createDataPlane } from './data-plane';
import { edgeEndpoints } from './edge/edge-endpoints';
import { openReplica } from './replica';
import { metricsEndpoint } from './metrics-endpoint';

/** The data plane alone: proxies on PORT, answers the probes, and shows its metrics to those who may scrape. */
void runProcess(async (config) => {
  const resources = openResources(config, undefined, true);
  const { readiness, store, metrics, logging } = resources;
  const probe = probes(readiness);
  const adminTokens = new AdminTokens(store, config.staleConfigMaxAgeMs);
  const { adminToken, metricsToken } = config;
  const scrapers = config.metricsPublic ? undefined : { adminToken, metricsToken, adminTokens };
  const scrape = metricsEndpoint(metrics, scrapers);
  const replica = openReplica(resources);
  const neighbours = [probe, scrape, edgeEndpoints({ ...resources, ...replica })];
  const data = await createDataPlane({
    ...resources,
    ...replica,
    draining: () => readiness.draining,
    neighbour: {
      claims: (url) => neighbours.some((each) => each.claims(url)),
      handle: (request, response) =>
        neighbours.find((each) => each.claims(request.url ?? ''))?.handle(request, response),
    },
  });
  const { port, tlsPort } = await data.listen();
  logging.logger.info({ port, tlsPort, store: store.kind }, 'listening');
  void store.ready().then(() => store.fleet.join());
  return {
    async close() {
      await drain(data.servers, {
        readiness,
        inflight: () => metrics.gateway.inflight,
        closeUpgraded: () => data.closeUpgraded(),
        delayMs: config.shutdownDelayMs,
        timeoutMs: config.shutdownTimeoutMs,
      });
      await data.close();
      replica.publications.close();
      replica.events.close();
      await store.close();
      logging.flush();
    },
  };
});
