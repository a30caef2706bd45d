import { randomUUID } from 'node:crypto';
import { Agent } from 'node:http';

import express from 'express';
import { rateLimit } from 'express-rate-limit';
import { createProxyMiddleware } from 'http-proxy-middleware';
import { Redis } from 'ioredis';
import pino from 'pino';
import { pinoHttp } from 'pino-http';
import { RedisStore } from 'rate-limit-redis';

import { inflight, metricsPage, observe } from './metrics.mjs';
import { principalOf, routeOf, tenantOf } from './tenancy.mjs';

const { PORT, REDIS_URL = '', UPSTREAM = '', ACCESS_LOG = '' } = process.env;

const redis = new Redis(REDIS_URL, { enableAutoPipelining: true });
const app = express();
app.disable('x-powered-by');

app.get('/metrics', async (_request, response) => {
  response.type('text/plain').send(await metricsPage());
});

app.use(
  '/api',
  pinoHttp({
    logger: pino(pino.destination({ dest: ACCESS_LOG, sync: false, minLength: 4096 })),
    genReqId: () => randomUUID(),
    // One short line, as the other gateways write it, not every header of request and response.
    serializers: {
      req: ({ id, method, url, remoteAddress }) => ({ id, method, url, remoteAddress }),
      res: ({ statusCode }) => ({ statusCode }),
    },
    customSuccessObject: named,
    customErrorObject: (request, response, _error, line) => named(request, response, line),
  }),
  measured,
  async (request, _response, next) => {
    request.tenant = await tenantOf(redis, request.headers['x-api-key']);
    next();
  },
  async (request, _response, next) => {
    const route = routeOf(request.tenant, request.url);
    if (route.auth?.jwt) request.principal = await principalOf(request.tenant, request.headers.authorization);
    next();
  },
  rateLimit({
    windowMs: 60_000,
    limit: (request) => request.tenant.rateLimit.maxRequests,
    keyGenerator: (request) => request.tenant.id,
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    store: new RedisStore({ sendCommand: (command, ...args) => redis.call(command, ...args), prefix: 'rl:' }),
  }),
  createProxyMiddleware({
    target: UPSTREAM,
    xfwd: true,
    // Without an agent, every request would open a connection of its own.
    agent: new Agent({ keepAlive: true }),
    on: { proxyReq: (proxyRequest) => proxyRequest.removeHeader('x-api-key') },
  }),
);

app.use((error, _request, response, next) => {
  if (response.headersSent) return next(error);
  response.status(error.status ?? 500).json({ title: error.message });
});

const server = app.listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => server.close(() => process.exit(0)) && server.closeAllConnections());

/** Counts and times a request when its response is over. */
function measured(request, response, next) {
  const start = performance.now();
  inflight.inc();
  response.once('close', () => {
    inflight.dec();
    observe(request.tenant?.id ?? 'none', response.statusCode, performance.now() - start);
  });
  next();
}

/** Adds to the log line what only the end of a request knows; `customProps` would be asked, and written, twice. */
function named(request, _response, line) {
  return { ...line, category: 'request', tenantId: request.tenant?.id ?? 'none' };
}
