import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import type { ResponseStore } from '#libs/cache';
import { openCertificates, type Certificates } from '#libs/certificates';
import { profileHosts, type GatewayConfig } from '#libs/config';
import { ProblemFilter } from '#libs/errors';
import { Admission, ProxyTrust, admissionTerms } from '#libs/guards';
import { listen, type Drainable } from '#libs/lifecycle';
import { nestLogger, type Logging } from '#libs/logging';
import type { MetricsRegistry } from '#libs/metrics';
import type { PublicationTable } from '#libs/publications';
import type { Store } from '#libs/store';
import { AddressPolicy, type TargetHealth } from '#libs/tenants';
import { openTracing } from '#libs/tracing';
import { UsageMeter } from '#libs/usage';
import { capConnections } from './connection-door';
import { openLoad } from './load';
import { Accounting } from './accounting';
import { Cors } from './cors';
import { DataPlaneModule, type DataPlaneParts } from './data-plane.module';
import type { EdgeStats } from './edge/edge-stats';
import { openForwarding } from './forwarding';
import { FrontDoor, type Neighbour } from './front-door';
import { createServer, openTo } from './http-server';
import { CleartextDoor } from './http2/cleartext-door';
import { Http2Door } from './http2/http2-door';
import { HttpsPolicy } from './https-policy';
import { openJudgement } from './judgement';
import { Observation } from './observation';
import { ProxyConnections } from './proxy-protocol/proxy-connections';
import { Reports } from './reports';
import { RequestPath } from './request-path';
import { createTlsListener } from './tls-listener';
import { HealthChecks } from './upstream/health-checks';

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
  /** Counts what a regional edge does. */
  readonly edge?: EdgeStats;
  /** Stored responses. */
  readonly responses: ResponseStore;
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
  /** Releases upstream connections and publishes the last counters; after the servers have closed. */
  close(): Promise<void>;
}

type Part = { close(): Promise<void> | void };

/** Puts the data plane together: admission → Nest (guards, controller) → forwarder, observed from end to end. */
export async function createDataPlane(resources: DataPlaneResources): Promise<DataPlane> {
  const { config, store, logging, metrics, publications, targets } = resources;
  const certificates = await certificatesOf(resources);
  const addresses = new AddressPolicy(config.allowPrivateUpstreams, profileHosts(config.profiles));
  const load = openLoad(config, metrics);
  const { concurrency, bodies } = load;
  const judgement = openJudgement(resources, addresses, concurrency);
  const { directory, verifier, limiter, streams, maintenance } = judgement;
  const meter = new UsageMeter(store, logging.logger, config.dataDir);
  metrics.watchUsage(meter);
  const accounting = new Accounting(meter, limiter);
  const reports = new Reports({ ...resources, meter, load });
  reports.start();
  const tracing = await openTracing(config.tracing, {
    logger: logging.logger,
    count: config.tracing ? metrics.traceSpans() : () => undefined,
  });
  const beside = { edge: resources.edge, reports, tracing };
  const observation = new Observation(metrics.gateway, logging, accounting, load, beside);
  const filter = new ProblemFilter((error, request) => observation.internalError(error, request));
  const cors = new Cors(config.allowedOrigins);
  const shared = { addresses, directory, streams, load, cors, accounting, filter };
  const { transport, inboundSignatures, cache, forwarder } = openForwarding(resources, shared);
  const checks = new HealthChecks(targets, transport, directory, publications, logging.logger);
  checks.start();

  const judges = { directory, verifier, limiter, inboundSignatures, concurrency, maintenance };
  const parts = { ...judges, cache, forwarder };
  const proxies = new ProxyTrust(config.clientAddress);
  const door = new FrontDoor({
    admission: new Admission(proxies, admissionTerms(config), publications),
    proxies,
    cors,
    https: new HttpsPolicy(config, certificates),
    observation,
    tracing,
    filter,
    path: await requestPath(resources, parts, filter),
    neighbour: resources.neighbour,
    bodies,
    draining: resources.draining,
  });
  const server = openTo(door, createServer(config, cors));
  const tls = certificates && tlsListener(server, certificates, resources);
  if (config.http2Cleartext) openCleartext(server, resources);
  // In this order: connections are counted by whom the PROXY header names.
  expectProxyProtocol(resources, proxies, tls ? [server, tls] : [server]);
  capConnections(tls ? [server, tls] : [server], load, proxies, logging.logger);
  const ending: Part[] = [checks, reports, streams, maintenance, transport, verifier, limiter, meter, load];
  if (tracing) ending.push(tracing);
  return running(config, [server, tls], door, certificates ? [certificates, ...ending] : ending);
}

/** What Nest makes of the guards and the controller. */
async function requestPath(
  { logging }: DataPlaneResources,
  parts: DataPlaneParts,
  filter: ProblemFilter,
): Promise<RequestPath> {
  const options = { logger: nestLogger(logging.logger) };
  const nest = await NestFactory.createApplicationContext(DataPlaneModule.of(parts), options);
  return new RequestPath(nest, filter);
}

async function certificatesOf(resources: DataPlaneResources): Promise<Certificates | undefined> {
  const { config, logging, metrics } = resources;
  const certificates = config.tls && (await openCertificates(config.tls, logging.logger));
  if (certificates) metrics.watchCertificates(certificates);
  return certificates;
}

function tlsListener(http: Server, certificates: Certificates, resources: DataPlaneResources): Drainable {
  const strictSni = resources.config.tls?.strictSni ?? false;
  return createTlsListener(certificates, strictSni, http, http2Door(http, resources));
}

function openCleartext(http: Server, resources: DataPlaneResources): void {
  const { clientHeadTimeoutMs } = resources.config.load;
  new CleartextDoor(http2Door(http, resources), clientHeadTimeoutMs).precede(http);
}

function http2Door(http: Server, { config, logging: { logger }, draining }: DataPlaneResources): Http2Door {
  const { maxHeaderBytes, load } = config;
  return new Http2Door({ http, maxHeaderBytes, readTimeoutMs: load.clientReadTimeoutMs, draining, logger });
}

/** Only where it is asked for: nothing else has anything to do with it. */
function expectProxyProtocol(
  { config, metrics }: DataPlaneResources,
  proxies: ProxyTrust,
  servers: readonly Drainable[],
): void {
  if (config.proxyProtocol === 'off') return;
  const required = config.proxyProtocol === 'require';
  const connections = new ProxyConnections({ required, proxies, refused: metrics.proxyProtocolRefusals() });
  for (const server of servers) connections.precede(server);
}

function running(
  { host, port, tls: tlsConfig }: GatewayConfig,
  [http, tls]: [Server, Drainable | undefined],
  door: FrontDoor,
  parts: readonly Part[],
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
