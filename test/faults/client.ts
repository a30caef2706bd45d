import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

/** A request of a client. */
export interface Ask {
  readonly port: number;
  readonly path?: string;
  readonly method?: string;
  readonly key: string;
  readonly body?: string;
  readonly agent?: Agent;
  /** The only body that a 200 may have. */
  readonly expects?: string;
  /** Told the client's port of the connection. */
  readonly onConnection?: (localPort: number) => void;
}

/** What became of it. */
export interface Answer {
  /**
   * The status of a response that came whole, or: `broken` (a head, but not all of the body), `reset` (a connection that
   * broke without an answer), `refused` (none, or one that nobody had accepted yet), `silence` (none of it in 20 s), `foreign body` (somebody else's).
   */
  readonly outcome: string;
  /** Whether it is to be billed: a success that came whole. */
  readonly billable: boolean;
}

/** Beyond all time-outs of the rows. */
const PATIENCE_MS = 20_000;

/** Sends a request; never rejects. A 503 must say when to come again, and is another outcome if it does not. */
export function ask(terms: Ask): Promise<Answer> {
  const { port, path = '/api/', method = 'GET', key, body, agent, expects } = terms;
  return new Promise((resolve) => {
    const settle = (outcome: string, billable = false): void => resolve({ outcome, billable });
    const headers = { 'X-API-Key': key, ...(body === undefined ? {} : { 'Content-Length': body.length }) };
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent }, (answer) => {
      let text = '';
      answer.setEncoding('latin1').on('data', (chunk: string) => {
        if (text.length < 1024) text += chunk;
      });
      answer.on('error', () => undefined);
      answer.on('close', () => {
        const status = answer.statusCode ?? 0;
        if (!answer.complete) settle('broken');
        else if (status === 200 && expects !== undefined && text !== expects) settle('foreign body');
        else settle(nameOf(status, answer), status >= 200 && status < 400);
      });
    });
    sent.on('socket', (socket) => {
      const tell = (): void => terms.onConnection?.(socket.localPort ?? 0);
      if (socket.connecting) socket.once('connect', tell);
      else tell();
    });
    sent.setTimeout(PATIENCE_MS, () => sent.destroy(Object.assign(new Error(), { code: 'SILENCE' })));
    sent.on('error', ({ code }: NodeJS.ErrnoException) => {
      // In the queue of a listener that closes a connection looks established, and is reset.
      const refused = code === 'ECONNREFUSED' || (code === 'ECONNRESET' && !sent.reusedSocket);
      settle(refused ? 'refused' : code === 'SILENCE' ? 'silence' : 'reset');
    });
    sent.end(body);
  });
}

function nameOf(status: number, { headers }: IncomingMessage): string {
  return status === 503 && headers['retry-after'] === undefined ? '503 without Retry-After' : String(status);
}

/** Traffic that goes on until it is stopped. */
export interface Load {
  /** Resolves when the last request is over. */
  stop(): Promise<void>;
}

/** Clients that each ask again and again, with a pause in between, so that the machine stays usable. */
export function startLoad(clients: number, pauseMs: number, once: (agent: Agent) => Promise<unknown>): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let running = true;
  const client = async (): Promise<void> => {
    while (running) {
      await once(agent);
      await delay(pauseMs);
    }
  };
  const all = Promise.all(Array.from({ length: clients }, client));
  return {
    async stop() {
      running = false;
      await all;
      agent.destroy();
    },
  };
}
