import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import {
  ServerResponse,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import type { Socket } from 'node:net';
import type { GatewayConfig } from '#libs/config';
import { ProblemFilter } from '#libs/errors';
import { Admission, ProxyTrust, RateLimiter, TokenVerifier } from '#libs/guards';
import { nestLogger, type Logging } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { PublicationTable } from '#libs/publications';
import type { Store } from '#libs/store';
import { AddressPolicy, TenantDirectory, type TargetHealth } from '#libs/tenants';
import { UsageMeter } from '#libs/usage';
import { Accounting } from './accounting';
import { answerParserError } from './client-error';
import { Cors } from './cors';
import { DataPlaneModule } from './data-plane.module';
import { FrontDoor, type Neighbour } from './front-door';
import { prepareLastWrite } from './last-write';
import { Observation } from './observation';
import { PrototypeStableAdapter } from './prototype-stable-adapter';
import { describeRequest } from './refusable';
import { Forwarder } from './upstream/forwarder';
import { HealthChecks } from './upstream/health-checks';
import { Transport } from './upstream/transport';

/** What the process hands to the data plane. */
export interface DataPlaneResources {
  readonly config: GatewayConfig;
  readonly store: Store;
  readonly logging: Logging;
  readonly metrics: MetricsRegistry;
  /** What tenants publish; started and closed by whoever made it. */
  readonly publications: PublicationTable;
  /** What is known about the targets of services. */
  readonly targets: TargetHealth;
  readonly neighbour: Neighbour;
  readonly draining: () => boolean;
}

/** The running data plane: its server, not listening yet, and its orderly end. */
export interface DataPlane {
  readonly server: Server;
  /** Ends WebSockets, which would otherwise keep the process alive. */
  closeUpgraded(): void;
  /** Releases upstream connections and publishes the last counters; after the server has closed. */
  close(): Promise<void>;
}

/** Idle client connections outlive those of an ingress (nginx 60 s), so that the ingress never sends into a closing one. */
const KEEP_ALIVE_MS = 75_000;
/** A head that trickles in for longer is an attack (slowloris). */
const HEADERS_TIMEOUT_MS = 20_000;

/** Puts the data plane together: admission → Nest (guards, controller) → forwarder, observed from end to end. */
export async function createDataPlane(resources: DataPlaneResources): Promise<DataPlane> {
  const { config, store, logging, metrics, publications } = resources;
  const addresses = new AddressPolicy(config.allowPrivateUpstreams);
  const limiter = new RateLimiter(store, config.rateLimitMode);
  const meter = new UsageMeter(store, logging.logger, config.dataDir);
  metrics.watchUsage(meter);
  const accounting = new Accounting(meter, limiter);
  const observation = new Observation(metrics.gateway, logging, accounting);
  const filter = new ProblemFilter((error, request) => observation.internalError(error, request));
  const cors = new Cors(config.allowedOrigins);
  const transport = new Transport(config, addresses);
  const proxies = new ProxyTrust(config.trustedProxies);
  const forwarder = new Forwarder(
    transport,
    cors,
    accounting,
    config.maxBodyBytes,
    (error, request, response) => filter.respond(error, request, response),
  );

  const door = new FrontDoor({
    admission: new Admission(proxies, config.maxBodyBytes, publications),
    proxies,
    cors,
    observation,
    filter,
    application: (request, response) => application(request, response),
    neighbour: resources.neighbour,
    draining: resources.draining,
  });
  const adapter = new PrototypeStableAdapter(serverOptions(config), door.request);
  const verifier = new TokenVerifier({ logger: logging.logger, addresses });
  const { directory, checks } = followedBy(resources, transport);
  const nest = await NestFactory.create(
    DataPlaneModule.of({ directory, verifier, limiter, forwarder }),
    adapter,
    // Bodies are streamed, never parsed here.
    { bodyParser: false, logger: nestLogger(logging.logger) },
  );
  nest.useGlobalFilters(filter);
  await nest.init();
  const application = adapter.getInstance<RequestListener>();
  describeRequest(adapter.getInstance(), cors);
  const parts = [checks, transport, verifier, limiter, meter];
  return running(tuned(nest.getHttpServer() as Server, door), door, parts);
}

/** The configuration as requests find it, and what goes on checking the targets in it. */
function followedBy(
  { store, logging, config, publications, targets }: DataPlaneResources,
  transport: Transport,
): { directory: TenantDirectory; checks: HealthChecks } {
  const { logger } = logging;
  const directory = new TenantDirectory(store, logger, config.staleConfigMaxAgeMs, targets);
  const checks = new HealthChecks(targets, transport, directory, publications, logger);
  checks.start();
  return { directory, checks };
}

function serverOptions({ maxHeaderBytes }: GatewayConfig): ServerOptions {
  return {
    maxHeaderSize: maxHeaderBytes,
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Also where NODE_OPTIONS say otherwise: the lenient parser takes folded lines and two lengths.
    insecureHTTPParser: false,
    // Node would answer by itself, unobserved, and go on to the next request of the connection; the door does not.
    requireHostHeader: false,
  };
}

function running(server: Server, door: FrontDoor, parts: Array<{ close(): Promise<void> }>): DataPlane {
  return {
    server,
    closeUpgraded: () => door.closeUpgraded(),
    async close() {
      for (const part of parts) await part.close();
    },
  };
}

function tuned(server: Server, door: FrontDoor): Server {
  // Uploads may take long; their pace is the upstream's time-outs' business.
  server.requestTimeout = 0;
  // Beyond this Node drops header fields without a word; their number is bounded by admission instead.
  server.maxHeadersCount = 0;
  server.on('connection', prepareLastWrite);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    door.upgrade(request, socket, head, new ServerResponse(request));
  });
  // Without listeners Node answers 100 and 417 itself, before anybody has judged the request.
  server.on('checkContinue', door.request);
  server.on('checkExpectation', door.request);
  server.on('clientError', answerParserError);
  return server;
}
