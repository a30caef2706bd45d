import type { OpenAPIObject } from '@nestjs/swagger';
import { createControlPlane } from '#apps/control-plane/src/control-plane';
import type { RoutedApplication } from '#apps/control-plane/src/edge/offered-methods';
import { loadConfig } from '#libs/config';
import { ERRORS } from '#libs/errors';
import { createLogging } from '#libs/logging';
import { MetricsRegistry } from '#libs/metrics';
import { checkPublication } from '#libs/publications';
import { openStore } from '#libs/store';
import { scratchFolder } from '../support/children';
import { startStage, type Stage } from './stage';

type Node = Record<string, unknown>;

interface Operation {
  operationId: string;
  summary: string;
  parameters: Array<{ name: string; in: string; schema?: Node }>;
  requestBody?: { content: Record<string, { schema: Node }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Node }> }>;
  security?: unknown[];
}

describe('the OpenAPI document', () => {
  let stage: Stage;
  let document: OpenAPIObject;
  let operations: Array<{ name: string; path: string; operation: Operation }>;

  beforeAll(async () => {
    stage = await startStage();
    document = (await stage.call('GET', '/docs/openapi.json')).body as OpenAPIObject;
    operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods as Record<string, Operation>).map(([method, operation]) => ({
        name: `${method.toUpperCase()} ${path}`,
        path,
        operation,
      })),
    );
  });
  afterAll(() => stage.close());

  it('lists every route of the application and no other', async () => {
    const config = loadConfig({ DATA_DIR: scratchFolder('data') });
    const logging = createLogging({ logLevel: 'silent' });
    const store = openStore(config, logging.logger);
    const options = {
      config,
      store,
      logging,
      metrics: new MetricsRegistry(1),
      adminToken: 'x',
      isReady: () => true,
    };
    const plane = await createControlPlane(options);
    const { stack } = (plane.handle as unknown as RoutedApplication).router;
    const routed = stack.flatMap(({ route }) =>
      Object.keys(route?.methods ?? {}).map(
        (method) => `${method.toUpperCase()} ${(route?.path ?? '').replace(/:(\w+)/g, '{$1}')}`,
      ),
    );
    expect(operations.map(({ name }) => name).sort()).toEqual(
      routed.filter((name) => !name.includes('/docs')).sort(),
    );
    await plane.close();
    await store.close();
  });

  it('has references that lead somewhere, and no schema that nobody refers to', () => {
    const schemas = Object.keys(document.components?.schemas ?? {});
    const referred = new Set(
      [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map((m) => m[1]),
    );
    expect([...referred].filter((name) => !schemas.includes(name ?? ''))).toEqual([]);
    expect(schemas.filter((name) => !referred.has(name))).toEqual([]);
  });

  it('names every operation once and says what it does', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { name, operation } of operations)
      expect([name, operation.summary]).toEqual([name, expect.stringMatching(/^[A-Z]/)]);
  });

  it('declares the parameters of each path', () => {
    for (const { name, path, operation } of operations) {
      const declared = operation.parameters
        .filter((parameter) => parameter.in === 'path')
        .map((parameter) => parameter.name);
      const used = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
      expect([name, declared.sort()]).toEqual([name, used.sort()]);
    }
  });

  it('describes what is sent and what comes back, refusals as problem+json', () => {
    for (const { name, operation } of operations) {
      const success = Object.entries(operation.responses).filter(([status]) => status < '400');
      // Who waits for a revocation is told who has followed.
      const successes = /^DELETE .*api-keys\/\{\w+\}$/.test(name) ? 2 : 1;
      expect([name, success.length]).toEqual([name, successes]);
      const [status, response] = success[0] ?? ['', undefined];
      if (status !== '204') expect([name, Object.keys(response?.content ?? {})]).not.toEqual([name, []]);
      for (const [refused, { content, description }] of Object.entries(operation.responses)) {
        if (refused < '400') continue;
        expect(content).toEqual({
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        });
        for (const [, code] of description.matchAll(/`(\w+)`/g)) {
          expect(ERRORS[code as keyof typeof ERRORS].status).toBe(Number(refused));
        }
      }
      const takesBody =
        /^(POST|PUT|PATCH) /.test(name) &&
        !/(suspend|resume|cleanup|billing\/(close|reset)|webhooks\/\{\w+\}\/(test|deliveries\/\{\w+\}\/replay))$/.test(
          name,
        );
      expect([name, operation.requestBody !== undefined]).toEqual([name, takesBody]);
      if (takesBody)
        expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['400', '413', '415']));
    }
  });

  it('asks for the admin token everywhere but at the probes and the public keys', () => {
    expect(document.security).toEqual([{ adminToken: [] }, { adminBearer: [] }]);
    expect(Object.keys(document.components?.securitySchemes ?? {})).toEqual(['adminToken', 'adminBearer']);
    for (const { name, operation } of operations) {
      const open = ['GET /livez', 'GET /readyz', 'GET /.well-known/jwks.json'].includes(name);
      const signsIn = name.endsWith(' /dashboard/session');
      expect([name, operation.security]).toEqual([name, open || signsIn ? [] : undefined]);
      if (!signsIn) expect([name, '401' in operation.responses]).toEqual([name, !open]);
    }
  });

  it('describes nothing that a tenant could publish in its place', () => {
    for (const { name, path } of operations) {
      const plain = path.replaceAll(/[{}]/g, '');
      for (const published of [plain, plain.toUpperCase(), `/${plain.split('/')[1]}`]) {
        const route = { name: 'r', path: published, backends: [{ service: '1' }] };
        const { problems = [] } = checkPublication({ tenantId: 'acme', routes: [route] });
        expect([name, published, problems.map(({ field }) => field)]).toEqual([
          name,
          published,
          ['routes.0.path'],
        ]);
      }
    }
  });

  it('describes tenants with all their fields', () => {
    const schemas = document.components?.schemas as Record<string, { properties: Node; required?: string[] }>;
    expect(Object.keys(schemas.TenantInput?.properties ?? {}).sort()).toEqual(
      ['allowedRoutes', 'auth', 'breaker', 'cache', 'compression', 'id', 'idp', 'idps', 'inboundSignature', 'ipAllow', 'ipDeny', 'maintenance', 'maxBodyBytes', 'maxConcurrency', 'maxStreams', 'name', 'rateLimit', 'rateLimitPerIp', 'retries', 'serviceTokens', 'signatureKeys', 'signing', 'suspended', 'timeouts', 'upstreamBaseUrl'],
    ); // prettier-ignore
    expect(schemas.TenantInput?.required).toEqual(['name', 'upstreamBaseUrl', 'allowedRoutes']);
    expect(schemas.Tenant?.required).toContain('id');
    expect(schemas.TenantPatch?.required).toBeUndefined();
  });

  it('comes with a page that needs nothing from elsewhere', async () => {
    const page = await (await fetch(`${stage.url}/docs`)).text();
    const references = [...page.matchAll(/(?:src|href)=["']([^"']+)["']/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(3);
    for (const reference of references) {
      const asset = await fetch(new URL(reference, `${stage.url}/docs`));
      expect([reference, asset.status]).toEqual([reference, 200]);
    }
    expect(page).not.toMatch(/<script>/);
    for (const path of ['/docs/', '/docs/index.html'])
      expect((await fetch(stage.url + path)).status).toBe(200);
  });
});
