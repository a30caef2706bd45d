import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { waitFor } from '../support/children';
import type { TestProcess } from '../support/process';

/** What a gateway is started with so that its heap can be looked at; any free port. */
export const INSPECTED = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

/** Between two looks what is written or published in the background comes to rest. */
const BETWEEN_MS = 150;

/**
 * Bytes of the gateway's heap that are in use, after everything that is garbage has been collected.
 * @param looks of which the least counts.
 */
export async function liveHeapBytes(gateway: TestProcess, looks: number): Promise<number> {
  const address = await waitFor('the inspector', () => /ws:\/\/\S+/.exec(gateway.stderr())?.[0]);
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  try {
    let least = Infinity;
    for (let look = 0; look < looks; look++) {
      if (look > 0) await delay(BETWEEN_MS);
      await command(socket, 2 * look, 'HeapProfiler.collectGarbage');
      const { usedSize } = await command(socket, 2 * look + 1, 'Runtime.getHeapUsage');
      least = Math.min(least, Number(usedSize));
    }
    return least;
  } finally {
    socket.terminate();
  }
}

function command(socket: WebSocket, id: number, method: string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const onMessage = (data: Buffer): void => {
      const message = JSON.parse(data.toString()) as { id?: number; result?: Record<string, unknown> };
      if (message.id !== id) return;
      socket.off('message', onMessage);
      resolve(message.result ?? {});
    };
    socket.on('message', onMessage);
    socket.once('close', () => reject(new Error('the gateway ended while its heap was measured')));
    socket.send(JSON.stringify({ id, method }));
  });
}
