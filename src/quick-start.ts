import { createServer, type Server } from 'node:http';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { RunningProcess, Resources } from '#libs/lifecycle';
import { AddressPolicy, ApiKeyRepository, TenantRepository, hashApiKey } from '#libs/tenants';

/** The demo, ready to be used. */
interface QuickStart extends RunningProcess {
  /** Prints the request to paste, once the port is known. */
  announce(port: number): void;
}

const DEMO_ID = 'demo';
const DEMO_NAME = 'Quick start';

/**
 * For a first start with nothing configured: a demo tenant whose upstream is an echo inside this process, and a
 * request to paste. Steps aside as soon as there is a tenant of the user's own.
 */
export async function prepareQuickStart(resources: Resources): Promise<QuickStart | undefined> {
  const { store, config } = resources;
  const apiKeys = new ApiKeyRepository(store);
  const tenants = new TenantRepository(store, apiKeys, new AddressPolicy(true));
  const { tenants: first } = await tenants.list('', 2);
  if (first.some(({ tenant }) => tenant?.id !== DEMO_ID || tenant.name !== DEMO_NAME)) return undefined;

  const echo = await startEcho();
  const upstreamBaseUrl = `http://127.0.0.1:${(echo.address() as AddressInfo).port}`;
  const document = { id: DEMO_ID, name: DEMO_NAME, upstreamBaseUrl, allowedRoutes: [{ path: '/' }] };
  if (first.length === 0) await tenants.create(document);
  else await tenants.update(DEMO_ID, () => document);
  const apiKey = await demoKey(apiKeys, join(config.dataDir, 'demo-api-key'));
  return {
    announce: (port) => void process.stderr.write(greeting(port, apiKey)),
    close: () =>
      new Promise((resolve) => {
        echo.close(() => resolve());
        echo.closeAllConnections();
      }),
  };
}

/** The same key at every start, as long as it is still valid. */
async function demoKey(apiKeys: ApiKeyRepository, file: string): Promise<string> {
  const kept = readOptional(file);
  if (kept && (await apiKeys.byHash(hashApiKey(kept)))?.tenantId === DEMO_ID) return kept;
  const { apiKey } = await apiKeys.create(DEMO_ID, DEMO_NAME);
  writeFileSync(file, `${apiKey}\n`, { mode: 0o600 });
  return apiKey;
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** Answers with what it was asked. */
function startEcho(): Promise<Server> {
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    const body: Buffer[] = [];
    request.on('data', (chunk: Buffer) => body.length < 64 && body.push(chunk));
    request.on('end', () => {
      response.setHeader('Content-Type', 'application/json');
      response.end(
        `${JSON.stringify({ method, url, headers, body: Buffer.concat(body).toString() }, null, 2)}\n`,
      );
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function greeting(port: number, apiKey: string): string {
  return `
  Gatehouse is running with a demo tenant. Send it a request:

    curl -H 'X-API-Key: ${apiKey}' http://localhost:${port}/api/hello

  API documentation: http://localhost:${port}/docs   The demo goes away with your first own tenant.

`;
}
