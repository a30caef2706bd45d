import { createServer, type RequestListener, type Server } from 'node:http';
import { createControlPlane } from '#apps/control-plane/src/control-plane';
import { createDataPlane, type DataPlane, type DataPlaneResources } from '#apps/data-plane/src/data-plane';
import { edgeEndpoints } from '#apps/data-plane/src/edge/edge-endpoints';
import { metricsEndpoint } from '#apps/data-plane/src/metrics-endpoint';
import { openReplica, type Replica } from '#apps/data-plane/src/replica';
import type { GatewayConfig } from '#libs/config';
import {
  drain,
  listen,
  openResources,
  probes,
  resolveAdminToken,
  type DrainTerms,
  type Resources,
  type RunningProcess,
} from '#libs/lifecycle';
import type { Logging } from '#libs/logging';
import { prepareQuickStart } from './quick-start';
import { warnOfSharedOrigin } from './shared-origin';

/** Both planes in one process, listening. */
export interface Gateway extends RunningProcess {
  /** Port of the data plane. */
  readonly port: number;
  /** Port of HTTPS, if there is one. */
  readonly tlsPort: number | undefined;
  /** Port of the control plane; the same unless ADMIN_PORT is set. */
  readonly adminPort: number;
  readonly adminToken: string | undefined;
  /** Resolves once the store has been reached and requests can be served. */
  ready(): Promise<void>;
}

/** What the control plane answers on a port that it shares; everything else is the data plane's. */
const CONTROL_PATHS =
  /^\/(?:(?:admin|dashboard|tenant|metrics|docs|redoc|register-api|me|services|api-keys|usage|billing)(?:[/?]|$)|\.well-known\/jwks\.json(?:\?|$))/;

/** Everything else is forwarded, the portal's paths too: of the central API nobody knows which it has. */
const CONTROL_PATHS_OF_AN_EDGE = /^\/(?:admin|metrics)(?:[/?]|$)/;

/**
 * Starts both planes. They listen at once and say "not ready" until the store has been reached.
 * @param logging replaces the log on standard output, for tests.
 */
export async function startGateway(config: GatewayConfig, logging?: Logging): Promise<Gateway> {
  const resources = openResources(config, logging, true);
  const { store, readiness } = resources;
  const { logger } = resources.logging;
  const adminToken = resolveAdminToken(config, logger);
  const replica = openReplica(resources);
  const isReady = (): boolean => readiness.ready;
  const control = await createControlPlane({ ...resources, ...replica, adminToken, isReady });
  const shared = config.adminPort === undefined;
  const data = await createDataPlane({
    ...resources,
    ...replica,
    draining: () => readiness.draining,
    neighbour: neighbourOf(control.handle, { ...resources, ...replica }, shared),
  });
  const demo = !config.production && store.kind === 'embedded';
  const quickStart = demo ? await prepareQuickStart(resources) : undefined;
  const { port, tlsPort } = await data.listen();
  const options = { maxHeaderSize: config.maxHeaderBytes, insecureHTTPParser: false };
  const admin = shared ? undefined : createServer(options, control.handle);
  const adminPort = admin ? await listen(admin, config.adminPort ?? 0, config.host) : port;
  logger.info({ port, tlsPort, adminPort, store: store.kind }, 'listening');
  warnOfSharedOrigin(config, logger);
  quickStart?.announce(port);
  void store.ready().then(() => store.fleet.join());

  return {
    port,
    tlsPort,
    adminPort,
    adminToken,
    // What is published is read from the store, so it comes later.
    ready: () => replica.publications.loaded,
    async close() {
      logger.info('shutting down: requests in flight get to finish');
      await drain(data.servers, drainTerms(resources, data));
      if (admin) await closeServer(admin);
      await quickStart?.close();
      await data.close();
      replica.publications.close();
      replica.events.close();
      await control.close();
      await store.close();
      logger.info('stopped');
      resources.logging.flush();
    },
  };
}

function drainTerms({ config, readiness, metrics }: Resources, data: DataPlane): DrainTerms {
  return {
    readiness,
    inflight: () => metrics.gateway.inflight,
    closeUpgraded: () => data.closeUpgraded(),
    delayMs: config.shutdownDelayMs,
    timeoutMs: config.shutdownTimeoutMs,
  };
}

/** What the data plane's listener leaves to others: probes, endpoints of a profile, and the control plane where both share a port. */
function neighbourOf(
  control: RequestListener,
  resources: Resources & Replica,
  shared: boolean,
): DataPlaneResources['neighbour'] {
  const { config, readiness, metrics } = resources;
  const controlPaths = config.profiles.regionalEdge ? CONTROL_PATHS_OF_AN_EDGE : CONTROL_PATHS;
  const small = [
    probes(readiness),
    edgeEndpoints(resources),
    ...(config.metricsPublic ? [metricsEndpoint(metrics, undefined)] : []),
  ];
  return {
    claims: (url) => small.some((each) => each.claims(url)) || (shared && controlPaths.test(url)),
    handle: (request, response) =>
      (small.find((each) => each.claims(request.url ?? ''))?.handle ?? control)(request, response),
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
