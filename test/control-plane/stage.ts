import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Redis } from 'ioredis';
import { createControlPlane } from '#apps/control-plane/src/control-plane';
import { loadConfig } from '#libs/config';
import type { Problem } from '#libs/errors';
import { createLogging } from '#libs/logging';
import { MetricsRegistry } from '#libs/metrics';
import { openStore, type Store } from '#libs/store';
import { scratchFolder } from '../support/children';
import { contractRedis, describeRedis } from '../support/redis';

export const OWNER_TOKEN = 'owner-token-of-the-tests';

export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tests look into bodies of all shapes
  body: any;
  text: string;
}

/** A control plane alone, on a port of its own. */
export interface Stage {
  readonly url: string;
  readonly store: Store;
  /** Everything logged so far, down to debug. */
  lines(): Array<Record<string, unknown>>;
  /** Sends a request with the owner's token; anything but text and bytes becomes a JSON body. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Writes like a program that knows nothing of us: no index, no announcement of ours. */
  foreignSet(key: string, value: string): Promise<void>;
  foreignDelete(key: string): Promise<void>;
  setReady(ready: boolean): void;
  close(): Promise<void>;
}

export interface StageOptions {
  env?: Record<string, string>;
  adminToken?: string | undefined;
  dashboardFolder?: string;
}

const open = new Set<Stage>();

// Whatever a failed test leaves running.
afterAll(async () => {
  await Promise.all([...open].map((stage) => stage.close()));
});

export type StartStage = (options?: StageOptions) => Promise<Stage>;

export async function startStage(options: StageOptions = {}): Promise<Stage> {
  const config = loadConfig({ DATA_DIR: scratchFolder('data'), LOG_LEVEL: 'debug', ...options.env });
  const written: string[] = [];
  const logging = createLogging(config, { write: (line: string) => void written.push(line) });
  const store = openStore(config, logging.logger);
  await store.ready();
  let ready = true;
  const plane = await createControlPlane({
    config,
    store,
    logging,
    metrics: new MetricsRegistry(10),
    adminToken: 'adminToken' in options ? options.adminToken : OWNER_TOKEN,
    isReady: () => ready,
    dashboardFolder: options.dashboardFolder,
  });
  const server = createServer(plane.handle);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const redisUrl = options.env?.REDIS_URL;
  const foreign = redisUrl === undefined ? foreignSqlite(config) : foreignRedis(redisUrl);
  const stage: Stage = {
    url,
    store,
    lines: () => written.map((line) => JSON.parse(line) as Record<string, unknown>),
    call: (method, path, body, headers) => call(url + path, method, body, headers),
    foreignSet: (key, value) => foreign.set(key, value),
    foreignDelete: (key) => foreign.delete(key),
    setReady: (value) => void (ready = value),
    async close() {
      if (!open.delete(stage)) return;
      server.close();
      server.closeAllConnections();
      await plane.close();
      await store.close();
      await foreign.close();
    },
  };
  open.add(stage);
  return stage;
}

interface ForeignWriter {
  set(key: string, value: string): Promise<void>;
  delete(key: string): Promise<void>;
  close(): Promise<void>;
}

function foreignRedis(url: string): ForeignWriter {
  const client = new Redis(url);
  return {
    set: async (key, value) => void (await client.set(key, value)),
    delete: async (key) => void (await client.del(key)),
    close: () => Promise.resolve(client.disconnect()),
  };
}

/** Another process on the same file. */
function foreignSqlite(config: ReturnType<typeof loadConfig>): ForeignWriter {
  const other = openStore(config, createLogging({ logLevel: 'silent' }).logger);
  return {
    set: async (key, value) => void (await other.documents.put(key, value, 'any')),
    delete: async (key) => void (await other.documents.delete(key, 'any')),
    close: () => other.close(),
  };
}

async function call(
  url: string,
  method: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const raw = typeof body === 'string' || body === undefined || body instanceof Uint8Array;
  const response = await fetch(url, {
    method,
    headers: {
      'X-Admin-Token': OWNER_TOKEN,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      ...headers,
    },
    body: raw ? (body as string | undefined) : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

/** A suite over both stores: the embedded one, and a real Redis where there is one. */
export function describeStores(title: string, block: (start: StartStage) => void): void {
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

/** A valid tenant with nothing optional in it. */
export function tenantDocument(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const required = {
    name: `Tenant ${id}`,
    upstreamBaseUrl: 'http://127.0.0.1:9/base',
    allowedRoutes: [{ path: '/v1' }],
  };
  return { id, ...required, ...more };
}

/** What a refusal says: its status, its code and the fields it names. Checks what all refusals have in common. */
export function refusal(answer: Answer): { status: number; code: string; fields: string[] } {
  const problem = answer.body as Problem;
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(problem).toMatchObject({ status: answer.status, requestId: answer.headers.get('x-request-id') });
  return {
    status: answer.status,
    code: problem.code,
    fields: (problem.errors ?? []).map(({ field }) => field),
  };
}
