import proxy from '@fastify/http-proxy';
import rateLimit from '@fastify/rate-limit';
import Fastify, { LogController } from 'fastify';
import { Redis } from 'ioredis';
import pino from 'pino';

import { inflight, metricsPage, observe } from './metrics.mjs';
import { principalOf, routeOf, tenantOf } from './tenancy.mjs';

const { PORT, REDIS_URL = '', UPSTREAM = '', ACCESS_LOG = '' } = process.env;

const redis = new Redis(REDIS_URL, { enableAutoPipelining: true });
const app = Fastify({
  loggerInstance: pino(pino.destination({ dest: ACCESS_LOG, sync: false, minLength: 4096 })),
  // Fastify's own two lines per request would be the dearer way to the one line that is wanted.
  logController: new LogController({ disableRequestLogging: true }),
});

app.decorateRequest('tenant', null);
app.decorateRequest('principal', null);

app.get('/metrics', async (_request, reply) => reply.type('text/plain').send(await metricsPage()));

await app.register(async (api) => {
  api.addHook('onRequest', async (request) => {
    inflight.inc();
    const tenant = await tenantOf(redis, request.headers['x-api-key']);
    request.tenant = tenant;
    const route = routeOf(tenant, request.url.slice('/api'.length));
    if (route.auth?.jwt) request.principal = await principalOf(tenant, request.headers.authorization);
  });

  api.addHook('onResponse', async (request, reply) => {
    inflight.dec();
    const tenantId = request.tenant?.id ?? 'none';
    observe(tenantId, reply.statusCode, reply.elapsedTime);
    request.log.info({
      category: 'request',
      tenantId,
      method: request.method,
      path: request.url,
      status: reply.statusCode,
      durationMs: reply.elapsedTime,
      ip: request.ip,
    });
  });

  await api.register(rateLimit, {
    redis,
    // After the tenant is known, because the limit is the tenant's.
    hook: 'preHandler',
    nameSpace: 'rl:',
    keyGenerator: (request) => request.tenant.id,
    max: (request) => request.tenant.rateLimit.maxRequests,
    timeWindow: (request) => request.tenant.rateLimit.windowSeconds * 1000,
  });

  await api.register(proxy, {
    upstream: UPSTREAM,
    prefix: '/api',
    rewritePrefix: '/',
    disableRequestLogging: true,
    replyOptions: {
      // undici leaves out a header whose value is undefined.
      rewriteRequestHeaders: (request, headers) => ({
        ...headers,
        'x-api-key': undefined,
        'x-forwarded-for': request.ip,
      }),
    },
  });
});

await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.once('SIGTERM', () => process.exit(0));
