// What a Service is to those who connect: connections go to pods that are ready, in turn. As in a cluster, everybody
// learns a moment late which these are, and a connection stays where it is.
import net from 'node:net';

/** How late the nodes of a cluster may learn that a pod is leaving; well below the preStop of the manifests. */
export const LATENESS_MS = 2000;
const LOOK_MS = 50;

export class Service {
  #server;
  #timer;
  #turn = 0;
  /** Port → when it was last an endpoint. */
  #known = new Map();

  /** @param pods all there are, now and later. */
  constructor(pods) {
    this.#server = net.createServer((client) => this.#connect(client));
    this.#timer = setInterval(() => {
      const now = Date.now();
      for (const pod of pods) if (pod.ready && pod.state === 'running') this.#known.set(pod.port, now);
      for (const [port, seen] of this.#known) if (now - seen > LATENESS_MS) this.#known.delete(port);
    }, LOOK_MS);
  }

  listen() {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve(this.#server.address().port));
    });
  }

  get endpoints() {
    return this.#known.size;
  }

  close() {
    clearInterval(this.#timer);
    this.#server.close();
  }

  #connect(client) {
    const ports = [...this.#known.keys()];
    const port = ports[this.#turn++ % ports.length];
    if (port === undefined) return client.destroy();
    const upstream = net.connect(port, '127.0.0.1');
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ]) {
      from.setNoDelay(true);
      from.pipe(to);
      // Whatever one side ends with, the other gets.
      from.once('error', () => to.destroy());
      from.once('close', () => to.destroy());
    }
  }
}
