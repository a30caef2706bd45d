import 'reflect-metadata';
import type { CanActivate } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ServerResponse,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import type { Socket } from 'node:net';
import { openCertificates, type Certificates } from '#libs/certificates';
import type { GatewayConfig } from '#libs/config';
import { ProblemFilter } from '#libs/errors';
import {
  Admission,
  ApiKeyGuard,
  JwtGuard,
  ProxyTrust,
  RateLimiter,
  RouteGuard,
  TokenVerifier,
  judgeAgain,
  ownKeys,
} from '#libs/guards';
import { listen, type Drainable } from '#libs/lifecycle';
import { nestLogger, type Logging } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { Store } from '#libs/store';
import { AddressPolicy, TenantDirectory } from '#libs/tenants';
import { TokenRevocations } from '#libs/tokens';
import { UsageMeter } from '#libs/usage';
import { Accounting } from './accounting';
import { answerParserError } from './client-error';
import { Cors } from './cors';
import { DataPlaneModule } from './data-plane.module';
import { FrontDoor, type Neighbour } from './front-door';
import { Http2Door } from './http2/http2-door';
import { prepareLastWrite } from './last-write';
import { HttpsPolicy } from './https-policy';
import { Observation } from './observation';
import { PrototypeStableAdapter } from './prototype-stable-adapter';
import { describeRequest } from './refusable';
import { createTlsListener } from './tls-listener';
import { OpenStreams } from './streams/open-streams';
import { Forwarder } from './upstream/forwarder';
import { Transport } from './upstream/transport';

/** What the process hands to the data plane. */
export interface DataPlaneResources {
  readonly config: GatewayConfig;
  readonly store: Store;
  readonly logging: Logging;
  readonly metrics: MetricsRegistry;
  readonly neighbour: Neighbour;
  readonly draining: () => boolean;
}

/** The data plane: its listeners and their orderly end. */
export interface DataPlane {
  /** Opens the ports of the settings. */
  listen(): Promise<{ readonly port: number; readonly tlsPort: number | undefined }>;
  /** What must be drained. */
  readonly servers: readonly Drainable[];
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
  const { config, store, logging, metrics } = resources;
  const certificates = await certificatesOf(resources);
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
  const https = new HttpsPolicy(config, certificates);
  const verifier = newVerifier(resources, addresses);
  const directory = new TenantDirectory(store, logging.logger, config.staleConfigMaxAgeMs);
  const streams = openStreams(resources, [
    new ApiKeyGuard(directory),
    new RouteGuard(directory),
    new JwtGuard(verifier),
  ]);
  const forwarder = new Forwarder({
    transport,
    cors,
    accounting,
    streams,
    maxBodyBytes: config.maxBodyBytes,
    refuse: (error, request, response) => filter.respond(error, request, response),
  });

  const door = new FrontDoor({
    admission: new Admission(proxies, config.maxBodyBytes),
    proxies,
    cors,
    https,
    observation,
    filter,
    application: (request, response) => application(request, response),
    neighbour: resources.neighbour,
    draining: resources.draining,
  });
  const adapter = new PrototypeStableAdapter(serverOptions(config), door.request);
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
  const server = tuned(nest.getHttpServer() as Server, door);
  const tls = certificates && tlsListener(server, certificates, resources);
  const parts = [...(certificates ? [certificates] : []), streams, transport, verifier, limiter, meter];
  return running(config, [server, tls], door, parts);
}

async function certificatesOf(resources: DataPlaneResources): Promise<Certificates | undefined> {
  const { config, logging, metrics } = resources;
  const certificates = config.tls && (await openCertificates(config.tls, logging.logger));
  if (certificates) metrics.watchCertificates(certificates);
  return certificates;
}

function tlsListener(http: Server, certificates: Certificates, resources: DataPlaneResources): Drainable {
  const { config, logging, draining } = resources;
  const { maxHeaderBytes, tls } = config;
  const http2 = new Http2Door({ http, maxHeaderBytes, draining, logger: logging.logger });
  return createTlsListener(certificates, tls?.strictSni ?? false, http, http2);
}

function newVerifier({ config, store, logging, metrics }: DataPlaneResources, addresses: AddressPolicy) {
  const verifier = new TokenVerifier({
    logger: logging.logger,
    addresses,
    own: ownKeys(config, new TokenRevocations(store, logging.logger, config.staleConfigMaxAgeMs)),
    named: config.namedSecrets,
  });
  metrics.watchKeySets(verifier);
  return verifier;
}

/** @param judges the request path without its limits: a stream that is open takes nothing more of them. */
function openStreams({ config, store, metrics }: DataPlaneResources, judges: CanActivate[]): OpenStreams {
  return new OpenStreams({
    store,
    judge: (context) => judgeAgain(context, judges),
    gauge: metrics.gateway,
    maxStaleMs: config.staleConfigMaxAgeMs,
  });
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

function running(
  { host, port, tls: tlsConfig }: GatewayConfig,
  [http, tls]: [Server, Drainable | undefined],
  door: FrontDoor,
  parts: Array<{ close(): Promise<void> | void }>,
): DataPlane {
  return {
    async listen() {
      const opened = await listen(http, port, host);
      const tlsPort = tls && (await listen(tls, tlsConfig?.port ?? 0, host));
      door.announce(tlsPort);
      return { port: opened, tlsPort };
    },
    servers: tls ? [http, tls] : [http],
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
