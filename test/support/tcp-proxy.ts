import { type AddressInfo, type Socket, connect, createServer } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections that pass through now. */
  connections(): number;
  /** Closes every connection and refuses new ones, until `mend`. */
  cut(): void;
  /** Stops passing bytes on without closing anything, as a network does that drops packets; new connections hang too. */
  swallow(): void;
  /** Passes every byte on this much later, both ways. */
  delay(ms: number): void;
  /**
   * Lets new connections through again. Those that were swallowed stay dead: what they carried is lost, as it is
   * after a firewall has forgotten them.
   */
  mend(): void;
  stop(): Promise<void>;
}

type Mode = 'open' | 'cut' | 'swallowing';

/** A wire to `targetPort` on loopback that can be cut, clogged and stretched. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const pairs = new Set<{ client: Socket; target: Socket; dead: boolean }>();
  let mode: Mode = 'open';
  let delayMs = 0;

  const server = createServer((client) => {
    if (mode === 'cut') return void client.resetAndDestroy();
    const target = connect(targetPort, '127.0.0.1');
    const pair = { client, target, dead: mode === 'swallowing' };
    pairs.add(pair);
    const join = (from: Socket, to: Socket): void => {
      const queue: { chunk: Buffer; dueAt: number }[] = [];
      const pass = (): void => {
        for (let next = queue[0]; next && next.dueAt <= performance.now(); next = queue[0]) {
          queue.shift();
          if (!pair.dead && !to.destroyed) to.write(next.chunk);
        }
        if (queue[0]) setTimeout(pass, Math.ceil(queue[0].dueAt - performance.now()));
      };
      from.on('data', (chunk: Buffer) => {
        // No byte overtakes another, also when the delay gets shorter.
        const dueAt = Math.max(queue.at(-1)?.dueAt ?? 0, performance.now() + delayMs);
        if (queue.push({ chunk, dueAt }) === 1) pass();
      });
      from.on('error', () => {});
      from.on('close', () => {
        pairs.delete(pair);
        // Nobody hears of the end of a dead connection.
        if (!pair.dead) to.destroy();
      });
    };
    client.setNoDelay(true);
    target.setNoDelay(true);
    join(client, target);
    join(target, client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  server.unref();

  return {
    port: (server.address() as AddressInfo).port,
    connections: () => [...pairs].filter(({ dead }) => !dead).length,
    cut() {
      mode = 'cut';
      for (const { client, target } of pairs) {
        client.resetAndDestroy();
        target.destroy();
      }
    },
    swallow() {
      mode = 'swallowing';
      for (const pair of pairs) pair.dead = true;
    },
    delay: (ms) => void (delayMs = ms),
    mend() {
      mode = 'open';
      delayMs = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { client, target } of pairs) {
          client.destroy();
          target.destroy();
        }
      }),
  };
}
