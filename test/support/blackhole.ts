import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { waitFor } from './children';

/** Listens, says on which port, and then stands still for good: nobody ever accepts. */
const LISTENER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(workerData), 0, 0));
  });
`;

export interface Blackhole {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * A loopback port on which connecting neither succeeds nor fails: its queue of connections is full, so the kernel
 * drops further attempts, as a firewall would.
 */
export async function startBlackhole(): Promise<Blackhole> {
  const gate = new SharedArrayBuffer(4);
  const worker = new Worker(LISTENER, { eval: true, workerData: gate });
  worker.unref();
  const [port] = (await once(worker, 'message')) as [number];
  const fillers: Socket[] = [];
  await waitFor('a connection that hangs', async () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    fillers.push(socket);
    await Promise.race([once(socket, 'connect'), new Promise((resolve) => setTimeout(resolve, 100))]);
    return socket.connecting;
  });
  return {
    port,
    async stop() {
      for (const socket of fillers) socket.destroy();
      Atomics.notify(new Int32Array(gate), 0);
      await worker.terminate();
    },
  };
}
