import { once } from 'node:events';
import { createServer } from 'node:net';

/** Ports given out in this run: the kernel may offer one again before its server has bound it. */
const given = new Set();

/** @returns {Promise<number>} a port on loopback that nobody listens on */
export async function freePort() {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    server.close();
    await once(server, 'close');
    if (given.has(port)) continue;
    given.add(port);
    return port;
  }
}
