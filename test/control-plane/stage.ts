import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createControlPlane } from '#apps/control-plane/src/control-plane';
import { loadConfig } from '#libs/config';
import type { Problem } from '#libs/errors';
import { createLogging } from '#libs/logging';
import { MetricsRegistry } from '#libs/metrics';
import { openStore, type Store } from '#libs/store';
import { contractRedis, describeRedis } from '../support/redis';

export const ADMIN_TOKEN = 'owner-token-of-the-tests';

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tests look into it
  body: any;
  text: string;
}

/** What a refusal said. */
export const problem = (answer: Answer): Problem => answer.body as Problem;

/** A control plane on a port of its own, with a store of its own. */
export interface Stage {
  readonly url: string;
  readonly store: Store;
  /** Everything logged so far, one object per line. */
  lines(): Array<Record<string, unknown>>;
  /** Sends a request with the admin token; an object becomes a JSON body. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  setReady(ready: boolean): void;
  close(): Promise<void>;
}

export interface StageOptions {
  env?: Record<string, string>;
  adminToken?: string | undefined;
  /** Stands between the control plane and its store. */
  wrap?: (store: Store) => Store;
}

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-control-'));
  const config = loadConfig({ DATA_DIR: folder, LOG_LEVEL: 'debug', ...options.env });
  const written: string[] = [];
  const logging = createLogging(config, { write: (line: string) => void written.push(line) });
  const opened = openStore(config, logging.logger);
  await opened.ready();
  const store = options.wrap?.(opened) ?? opened;
  const metrics = new MetricsRegistry(10);
  let ready = true;
  const adminToken = 'adminToken' in options ? options.adminToken : ADMIN_TOKEN;
  const plane = await createControlPlane({ config, store, logging, metrics, adminToken, isReady: () => ready });
  const server = createServer(plane.handle satisfies RequestListener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    store,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    call: (method, path, body, headers) => call(url + path, method, body, headers),
    setReady: (value) => void (ready = value),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await plane.close();
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function call(url: string, method: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const raw = typeof body === 'string' || body === undefined || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      'X-Admin-Token': ADMIN_TOKEN,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: raw ? (body as string | undefined) : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/** A suite over both stores: the embedded one, and a real Redis where there is one. */
export function describeStores(title: string, block: (start: (options?: StageOptions) => Promise<Stage>) => void): void {
  describe(`${title} (embedded)`, () => block(startStage));
  describeRedis(`${title} (Redis)`, () => {
    let redis: Awaited<ReturnType<typeof contractRedis>>;
    beforeAll(async () => void (redis = await contractRedis()));
    afterAll(() => redis.stop());
    block(async (options = {}) => {
      await redis.flush();
      return startStage({ ...options, env: { REDIS_URL: redis.url, ...options.env } });
    });
  });
}

/** The smallest valid tenant. */
export function tenantDocument(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, name: `Tenant ${id}`, upstreamBaseUrl: 'http://127.0.0.1:9/base', allowedRoutes: [{ path: '/v1' }], ...more };
}

/** Waits until `condition` holds; the test's own time-out ends a wait in vain. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
