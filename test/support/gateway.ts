import { PassThrough } from 'node:stream';
import { startGateway as start } from '../../src/gateway';
import { loadConfig } from '#libs/config';
import { createLogging } from '#libs/logging';
import { hashApiKey, type Tenant } from '#libs/tenants';
import { scratchFolder } from './children';
import type { LogLine } from './process';
import type { TestRedis } from './redis';

export const ADMIN_TOKEN = 'an-admin-token-for-tests';

/** A whole gateway inside the test's process, on a free loopback port. */
export interface TestGateway {
  readonly url: string;
  readonly adminUrl: string;
  readonly port: number;
  /** Port of HTTPS; throws where none is set. */
  readonly tlsPort: number;
  readonly adminToken: string;
  /** Everything it logged, parsed, oldest first; all levels down to LOG_LEVEL (info). */
  readonly logs: LogLine[];
  /** Calls the admin API; resolves to status, headers and parsed body. */
  admin(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<AdminAnswer>;
  /** Makes a tenant through the admin API and resolves to a working API key. */
  addTenant(tenant: Partial<Tenant> & { id: string; upstreamBaseUrl: string }): Promise<string>;
  close(): Promise<void>;
}

export interface AdminAnswer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into bodies of all shapes
  body: any;
}

const open = new Set<TestGateway>();

// Whatever a failed test leaves running.
afterAll(async () => {
  await Promise.all([...open].map((gateway) => gateway.close()));
});

/**
 * Starts both planes as `npm start` would, with the embedded store unless `env` names a Redis, and waits until the
 * store has been reached (unless `until` is `listening`).
 */
export async function startGateway(
  env: Record<string, string> = {},
  until: 'ready' | 'listening' = 'ready',
): Promise<TestGateway> {
  const config = loadConfig({
    NODE_ENV: 'production',
    HOST: '127.0.0.1',
    PORT: '0',
    ADMIN_TOKEN,
    ALLOW_PRIVATE_UPSTREAMS: 'true',
    DATA_DIR: scratchFolder('data'),
    SHUTDOWN_TIMEOUT_MS: '1000',
    ...env,
  });
  const logs: LogLine[] = [];
  const gateway = await start(config, createLogging(config, collect(logs)));
  if (until === 'ready') await gateway.ready();

  const started: TestGateway = {
    url: `http://127.0.0.1:${gateway.port}`,
    adminUrl: `http://127.0.0.1:${gateway.adminPort}`,
    port: gateway.port,
    get tlsPort() {
      if (gateway.tlsPort === undefined) throw new Error('the gateway has no TLS_PORT');
      return gateway.tlsPort;
    },
    adminToken: config.adminToken ?? '',
    logs,
    async admin(method, path, body, headers) {
      const response = await fetch(`${started.adminUrl}${path}`, {
        method,
        headers: {
          'X-Admin-Token': started.adminToken,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        body: text === '' ? undefined : parsed(text),
      };
    },
    async addTenant(tenant) {
      const document = { name: tenant.id, allowedRoutes: [{ path: '/' }], ...tenant };
      const created = await started.admin('POST', '/admin/tenants', document);
      if (created.status !== 201) throw new Error(`no tenant: ${JSON.stringify(created.body)}`);
      const key = await started.admin('POST', `/admin/tenants/${tenant.id}/api-keys`, { name: 'test' });
      return (key.body as { key: string }).key;
    },
    async close() {
      if (!open.delete(started)) return;
      await gateway.close();
    },
  };
  open.add(started);
  return started;
}

/** Writes a tenant the documented way, with redis-cli, and maps `apiKey` to it. */
export async function writeTenant(
  redis: TestRedis,
  key: string,
  tenant: object,
  apiKey: string,
): Promise<void> {
  await redis.cli('SET', `tenant:${key}`, JSON.stringify(tenant));
  await redis.cli('SET', `tenant:byApiKey:${hashApiKey(apiKey)}`, key);
}

function collect(logs: LogLine[]): PassThrough {
  const stream = new PassThrough();
  stream.on('data', (chunk: Buffer) => {
    for (const line of chunk.toString().trim().split('\n')) logs.push(JSON.parse(line) as LogLine);
  });
  return stream;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
