import type { Server } from 'node:net';
import { Socket } from 'node:net';
import type { ProxyTrust } from '#libs/guards';
import type { Logger } from '#libs/logging';
import type { Load } from './load';

/** Refusals that are logged; the metric counts all of them. */
const LOG_EVERY_MS = 10_000;

/**
 * Takes no more connections than there may be. Those beyond are reset: whoever opens thousands reads no answers, and the
 * system need not remember them. Connections of trusted proxies count in all, but not by address.
 * @param servers whose `connection` is told with the sockets of the network, and perhaps with others on top of them.
 */
export function capConnections(
  servers: readonly Server[],
  load: Pick<Load, 'connections' | 'metrics'>,
  proxies: ProxyTrust,
  logger: Logger,
): void {
  const { connections, metrics } = load;
  let loggedAt = -Infinity;
  const enter = (socket: Socket): void => {
    // TLS and HTTP/2 bring their requests to the HTTP server over sockets of their own.
    if (!(socket instanceof Socket) || 'encrypted' in socket) return;
    const { address, trusted } = proxies.peer(socket.remoteAddress ?? '', false);
    const counted = trusted ? undefined : address;
    const refusal = connections.enter(counted);
    if (refusal === undefined) return void socket.once('close', () => connections.leave(counted));
    metrics.connectionRefused(refusal);
    socket.resetAndDestroy();
    const now = performance.now();
    if (now - loggedAt < LOG_EVERY_MS) return;
    loggedAt = now;
    logger.warn(
      { category: 'policy', ip: address, reason: refusal },
      'connections are refused: there are too many',
    );
  };
  for (const server of servers) server.on('connection', enter);
}
