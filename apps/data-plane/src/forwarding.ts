import { InboundSignatures, WholeBodies } from '#libs/guards';
import type { ProblemFilter } from '#libs/errors';
import { FairBytes } from '#libs/load';
import { KeyRings, RequestSigner } from '#libs/signatures';
import type { AddressPolicy, TenantDirectory } from '#libs/tenants';
import type { Accounting } from './accounting';
import { ResponseCache } from './cache/response-cache';
import type { Cors } from './cors';
import type { DataPlaneResources } from './data-plane';
import type { Load } from './load';
import { Compression } from './shaping/compression';
import { Mirrors } from './shaping/mirrors';
import type { OpenStreams } from './streams/open-streams';
import { Forwarder } from './upstream/forwarder';
import { OutgoingSignatures } from './upstream/outgoing-signatures';
import { RetryObservation } from './upstream/retry-observation';
import { Transport } from './upstream/transport';

/** What forwarding shares with the rest of the data plane. */
export interface Neighbours {
  readonly addresses: AddressPolicy;
  readonly directory: TenantDirectory;
  readonly streams: OpenStreams;
  readonly load: Load;
  readonly cors: Cors;
  readonly accounting: Accounting;
  readonly filter: ProblemFilter;
}

/** What happens to a request that has been let in: it is answered from the cache, or by an upstream. */
export interface Forwarding {
  readonly transport: Transport;
  readonly inboundSignatures: InboundSignatures;
  readonly cache: ResponseCache;
  readonly forwarder: Forwarder;
}

export function openForwarding(resources: DataPlaneResources, neighbours: Neighbours): Forwarding {
  const { config, metrics, logging } = resources;
  const { addresses, directory, streams, load, cors, accounting, filter } = neighbours;
  const transport = new Transport(config, addresses);
  const keptBodies = new FairBytes(config.retryBodiesMaxBytes);
  const { inboundSignatures, signatures } = signing(resources, keptBodies);
  const refuse = filter.respond.bind(filter);
  const forwarder = new Forwarder({
    transport,
    cors,
    accounting,
    streams,
    retries: new RetryObservation(metrics.retries, logging),
    compression: new Compression(config.compression, metrics.shaping),
    mirrors: new Mirrors({
      transport,
      directory,
      metrics: metrics.shaping,
      logger: logging.logger,
      keptBodies,
    }),
    signatures,
    load,
    maxBodyBytes: config.maxBodyBytes,
    keptBodies,
    refuse,
  });
  const cache = new ResponseCache({
    store: resources.responses,
    metrics: metrics.cache,
    cors,
    accounting,
    totalMs: config.timeouts.totalMs,
    forward: (request, response) => forwarder.forward(request, response),
    refuse,
  });
  return { transport, inboundSignatures, cache, forwarder };
}

/** Signatures in both directions, which share keys and the bodies that are held for them. */
function signing(
  { config, store, metrics }: DataPlaneResources,
  kept: FairBytes,
): {
  inboundSignatures: InboundSignatures;
  signatures: OutgoingSignatures;
} {
  const { maxBodyBytes, bodyBufferMaxBytes: maxHeldBytes, timeouts } = config;
  const rings = new KeyRings(config.signatureSecrets);
  const bodies = new WholeBodies({ maxBodyBytes, maxHeldBytes, timeouts });
  metrics.gateway.watchBodies({
    get held() {
      return bodies.held + kept.held;
    },
  });
  return {
    inboundSignatures: new InboundSignatures(rings, bodies, store),
    signatures: new OutgoingSignatures(new RequestSigner(rings), bodies),
  };
}
