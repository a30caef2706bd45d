import { Agent, request } from 'node:http';

/**
 * Clients that ask one after the other over connections that are kept, and count the answers that came whole. A refused or
 * broken request is tried anew as another one, never repeated: what is asked is whether each that was answered is counted once.
 * @param {{ port: number, path: string, headers: Record<string, string>, clients: number }} load
 */
export function startClients({ port, path, headers, clients }) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const tally = { received: 0, refused: 0, broken: 0 };
  let running = true;

  const ask = () =>
    new Promise((resolve) => {
      const outgoing = request({ host: '127.0.0.1', port, path, headers, agent }, (answer) => {
        answer.resume();
        answer.on('close', () => {
          if (!answer.complete) tally.broken += 1;
          else if (answer.statusCode === 200) tally.received += 1;
          else tally.refused += 1;
          resolve(answer.complete && answer.statusCode === 200);
        });
      });
      outgoing.on('error', () => {
        tally.broken += 1;
        resolve(false);
      });
      outgoing.end();
    });
  const client = async () => {
    while (running) {
      // Where nobody listens at this moment, asking without a pause would only burn the core.
      if (!(await ask())) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    tally,
    async stop() {
      running = false;
      await all;
      agent.destroy();
    },
  };
}
