import { startProcess, type TestProcess } from '../support/process';
import { startUpstream, type TestUpstream } from '../support/upstream';
import { waitFor } from '../support/children';

export const ADMIN_TOKEN = 'an-admin-token-for-the-dashboard';

/** A gateway that has something to show: tenants, services, keys, and traffic of all outcomes. */
export interface Shop {
  gateway: TestProcess;
  upstream: TestUpstream;
  url: string;
  /** A key of the tenant `acme` that manages it, and one that opens its first service only. */
  managerKey: string;
  serviceKey: string;
  /** Calls the control plane as the owner; anything but success throws. */
  admin<T = Record<string, string>>(method: string, path: string, body?: unknown): Promise<T>;
  /** Sends requests as a client would: most succeed, some are refused or fail. */
  traffic(rounds: number): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the built gateway as a process of its own, with the embedded store unless `env` names a Redis. */
export async function openShop(env: Record<string, string> = {}): Promise<Shop> {
  const upstream = await startUpstream((req, res) => {
    if (req.url?.includes('missing')) res.statusCode = 404;
    if (req.url?.includes('broken')) res.statusCode = 500;
    res.setHeader('Content-Type', 'application/json');
    res.end(JSON.stringify({ url: req.url, items: ['a', 'b'] }));
  });
  const gateway = await startProcess({
    timeoutMs: 30_000,
    env: {
      ADMIN_TOKEN,
      ALLOW_PRIVATE_UPSTREAMS: 'true',
      GATEWAY_JWT_SECRET: 'p4Rz8Wn2Kx6TqV9bY3mJ7cHd5LsG1uAf',
      ...env,
    },
  });
  const admin = caller(gateway.url);
  const { managerKey, serviceKey, address } = await stock(admin, upstream.url);
  return {
    gateway,
    upstream,
    url: gateway.url,
    managerKey,
    serviceKey,
    admin,
    traffic: (rounds) => send(gateway.url, { address, serviceKey, managerKey }, rounds),
    async stop() {
      await gateway.stop();
      await upstream.stop();
    },
  };
}

function caller(url: string): Shop['admin'] {
  return async <T>(method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'X-Admin-Token': ADMIN_TOKEN, 'Content-Type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
}

const MANY = { rate_limit_requests: 100_000, rate_limit_window_seconds: 60 };

async function stock(admin: Shop['admin'], upstream: string) {
  for (const [id, name] of [
    ['acme', 'ACME Ltd'],
    ['globex', 'Globex Corporation'],
  ]) {
    const routes = [{ path: '/v1/products' }, { path: '/v1/orders', methods: ['GET', 'POST'] }];
    const rateLimit = { windowSeconds: 60, maxRequests: 100_000 };
    const tenant = { id, name, upstreamBaseUrl: upstream, allowedRoutes: routes, rateLimit };
    await admin('POST', '/admin/tenants', tenant);
  }
  const made = await admin('POST', '/register-api?tenant_id=acme', { name: 'Orders', target_url: upstream });
  await admin('POST', '/register-api?tenant_id=acme', { name: 'Catalogue', target_url: upstream });
  await admin('POST', '/register-api?tenant_id=globex', { name: 'Reactor', target_url: upstream });
  // Targets are watched where there is something to watch them for.
  await admin('PATCH', '/admin/tenants/acme/services/1', { breaker: {} });
  await admin('PATCH', `/api-keys/${made.api_key_id}?tenant_id=acme`, MANY);
  const manager = await admin('POST', '/api-keys?tenant_id=acme', { name: 'Back office' });
  await admin('POST', '/api-keys?tenant_id=acme', { name: 'Mobile app', ...MANY, monthly_quota: 1_000_000 });
  await admin('PATCH', '/admin/tenants/acme/billing', { pricePerRequest: '0.001' });
  return { managerKey: manager.api_key!, serviceKey: made.api_key!, address: made.gateway_url! };
}

interface Known {
  address: string;
  serviceKey: string;
  managerKey: string;
}

async function send(url: string, { address, serviceKey, managerKey }: Known, rounds: number): Promise<void> {
  const ask = async (path: string, key?: string) => {
    const response = await fetch(url + path, { headers: key === undefined ? {} : { 'X-API-Key': key } });
    await response.arrayBuffer();
  };
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all([
      ask(`${address}/all`, serviceKey),
      ask(`${address}/all?page=2`, serviceKey),
      ask('/api/v1/products', managerKey),
      ...(round % 4 === 0
        ? [ask(`${address}/missing`, serviceKey), ask(`${address}/broken`, serviceKey)]
        : []),
      ...(round % 5 === 0 ? [ask('/api/v2', managerKey), ask(`${address}/all`, 'gh_live_nobody')] : []),
    ]);
  }
}

/** Usage is written a moment after its responses. */
export async function usageCounted(shop: Shop, atLeast: number): Promise<void> {
  await waitFor('usage', async () => {
    const { total_requests } = await shop.admin<{ total_requests: number }>(
      'GET',
      '/billing/summary?tenant_id=acme',
    );
    return total_requests >= atLeast;
  });
}
