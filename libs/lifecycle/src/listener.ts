import { Server as NetServer, type AddressInfo } from 'node:net';
import type { Readiness } from './readiness';

/** Resolves to the port once the server accepts connections; rejects when it cannot, such as on a port in use. */
export function listen(server: NetServer, port: number, host: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

/** A listener that can be drained: an HTTP server, or one that knows as much about its connections. */
export interface Drainable extends NetServer {
  /** Ends the connections on which nothing is under way, once and for all. */
  closeIdleConnections(): void;
  closeAllConnections(): void;
}

/** How listeners are brought to an end. */
export interface DrainTerms {
  readonly readiness: Readiness;
  /** Requests still being handled. */
  inflight(): number;
  /** Ends connections that are no longer HTTP. */
  closeUpgraded(): void;
  /** Least time between readiness failing and the listener closing. */
  readonly delayMs: number;
  /** After this, whatever is still running is cut off. */
  readonly timeoutMs: number;
}

const POLL_MS = 20;
/** A connection that was just accepted brings its request within this time, or has none. */
const LAST_ARRIVALS_MS = 200;

/**
 * Readiness fails, requests in flight finish, and only then are new connections refused: a load balancer that has
 * not noticed yet still gets answers, each of which asks its client to reconnect elsewhere.
 */
export async function drain(servers: readonly Drainable[], terms: DrainTerms): Promise<void> {
  const startedAt = Date.now();
  const elapsed = (): number => Date.now() - startedAt;
  // Under load there is always something in flight: what comes in last keeps the other half of the time to finish.
  const refuseAfterMs = Math.min(terms.timeoutMs, Math.max(terms.delayMs, terms.timeoutMs / 2));
  terms.readiness.markDraining();
  while (elapsed() < refuseAfterMs && (elapsed() < terms.delayMs || terms.inflight() > 0)) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const closed = Promise.all(servers.map(stopListening));
  terms.closeUpgraded();
  const cutOff = setTimeout(
    () => {
      for (const server of servers) server.closeAllConnections();
      // Those that were upgraded since.
      terms.closeUpgraded();
    },
    Math.max(POLL_MS, terms.timeoutMs - elapsed()),
  );
  const lastArrivals = setTimeout(() => {
    for (const server of servers) server.closeIdleConnections();
  }, LAST_ARRIVALS_MS);
  await closed;
  clearTimeout(cutOff);
  clearTimeout(lastArrivals);
}

/**
 * `close` of a plain server: that of an HTTP server also ends connections without a request at once, among them those
 * that were accepted a moment ago and have their request on the way.
 */
function stopListening(server: NetServer): Promise<void> {
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()));
}
