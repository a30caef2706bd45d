// Clients that never wait and never try again, on connections that they keep and on new ones.
import http from 'node:http';

/** @returns stop(), which resolves to what became of all requests, by status or error. */
export function startLoad(url, headers, { kept = 8, fresh = 2 } = {}) {
  const outcomes = {};
  let stopping = false;
  const count = (outcome) => (outcomes[outcome] = (outcomes[outcome] ?? 0) + 1);
  const client = async (keepAlive) => {
    const agent = new http.Agent({ keepAlive, maxSockets: 1 });
    while (!stopping) count(await send(url, headers, agent));
    agent.destroy();
  };
  const clients = [...Array(kept).fill(true), ...Array(fresh).fill(false)].map(client);
  return async () => {
    stopping = true;
    await Promise.all(clients);
    return outcomes;
  };
}

function send(url, headers, agent) {
  return new Promise((resolve) => {
    const request = http.get(url, { headers, agent }, (response) => {
      response.on('close', () => resolve(response.complete ? response.statusCode : 'cut off'));
      response.resume();
    });
    request.on('error', (error) => resolve(error.code ?? error.message));
  });
}
