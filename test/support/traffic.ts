import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { hashApiKey } from '#libs/tenants';
import type { TestProcess } from './process';

export const ADMIN_TOKEN = 'owner-token-of-the-process-tests';

/** What became of one request. */
export interface Outcome {
  /** 0 where there was no response, or not all of it. */
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  /** Why there was none: `ECONNREFUSED`, `ECONNRESET`, … */
  error?: string;
  /** Sent on a connection that had carried another request before. */
  reused: boolean;
  durationMs: number;
}

export interface SendOptions {
  method?: string;
  headers?: Record<string, string>;
  /** An object is sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  raw?: string;
  agent?: Agent;
}

const keepAlive = new Agent({ keepAlive: true, maxSockets: 100 });
afterAll(() => keepAlive.destroy());

/** Sends a request and never rejects: a failure is an outcome, too. */
export function send(url: string, options: SendOptions = {}): Promise<Outcome> {
  const { method = 'GET', body, agent = keepAlive } = options;
  const text = body === undefined ? options.raw : JSON.stringify(body);
  const headers = {
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    ...options.headers,
  };
  const startedAt = Date.now();
  return new Promise((resolve) => {
    const sent = request(url, { method, headers, agent }, (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (received += chunk));
      response.on('close', () => {
        finish(response.complete ? (response.statusCode ?? 0) : 0, received, response.headers);
      });
    });
    const finish = (status: number, received: string, answer: IncomingHttpHeaders, error?: string): void =>
      resolve({
        status,
        headers: answer,
        body: received,
        error: status === 0 ? (error ?? 'cut off') : undefined,
        reused: sent.reusedSocket,
        durationMs: Date.now() - startedAt,
      });
    sent.on('error', (error: NodeJS.ErrnoException) => finish(0, '', {}, error.code ?? error.message));
    sent.end(text);
  });
}

/** An API request with a key. */
export function call(gateway: { url: string }, apiKey: string, path = '/api/'): Promise<Outcome> {
  return send(gateway.url + path, { headers: { 'X-API-Key': apiKey } });
}

/** A request of the owner. */
export function admin(
  gateway: Pick<TestProcess, 'adminUrl'>,
  method: string,
  path: string,
  body?: unknown,
  token = ADMIN_TOKEN,
): Promise<Outcome> {
  return send(gateway.adminUrl + path, { method, body, headers: { 'X-Admin-Token': token } });
}

/** A tenant as other programs write it; everything is allowed, and often. */
export function tenantText(upstreamBaseUrl: string, more: object = {}): string {
  return JSON.stringify({
    id: 'tenant-acme',
    name: 'ACME Corporation',
    upstreamBaseUrl,
    allowedRoutes: [{ path: '/' }],
    rateLimit: { windowSeconds: 1, maxRequests: 1_000_000 },
    ...more,
  });
}

export const mappingOf = (apiKey: string): string => `tenant:byApiKey:${hashApiKey(apiKey)}`;

/** How often each status came; failures without one under their reason. */
export function tally(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, error } of outcomes) {
    const name = error ?? String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
