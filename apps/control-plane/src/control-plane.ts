import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import type { RequestListener } from 'node:http';
import { AuditLog } from '#libs/audit';
import { ProxyTrust } from '#libs/guards';
import { nestLogger, type Logger } from '#libs/logging';
import { TenantRepository } from '#libs/tenants';
import { WebhookSender } from '#libs/webhooks';
import { ChainWatch } from './audit/chain-watch';
import { ControlPlaneModule } from './control-plane.module';
import type { ControlPlaneOptions } from './control-plane.options';
import { PAGE_FOLDER, serveDashboard } from './dashboard/page';
import { enterByCookie } from './dashboard/session-entry';
import { Sessions } from './dashboard/sessions';
import { serveOpenApi } from './docs/open-api';
import { observe } from './edge/observe';
import { offeredMethods, type RoutedApplication } from './edge/offered-methods';
import { ignoreCacheControl } from './edge/preconditions';
import { safeHeaders } from './edge/safe-headers';
import { LiveStreams } from './overview/live-streams';
import { Explainer } from './explain/explainer';
import { TokenCleanup } from './tokens/token-cleanup';
import { BudgetWatch } from './webhooks/budget-watch';

export type { ControlPlaneOptions } from './control-plane.options';

/** The control plane, ready to be called by whoever listens. */
export interface ControlPlane {
  readonly handle: RequestListener;
  /** Stops following the store; requests in flight are the listener's. */
  close(): Promise<void>;
}

/** What pages of other origins may send. */
const ALLOWED_HEADERS = [
  'Content-Type',
  'Authorization',
  'X-API-Key',
  'X-Admin-Token',
  'If-Match',
  'If-None-Match',
];

/** Builds the control plane on an Express of its own. It does not listen by itself. */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { config, logging, metrics } = options;
  const adapter = new ExpressAdapter();
  const app = await NestFactory.create<NestExpressApplication>(ControlPlaneModule.with(options), adapter, {
    // Bodies are read by a guard, see JsonBodyGuard.
    bodyParser: false,
    logger: nestLogger(frameworkLogger(logging.logger)),
    abortOnError: false,
  });
  app.disable('x-powered-by');
  // Entity tags are versions of documents here; Express would add digests of everything else.
  app.disable('etag');
  app.use(
    observe(metrics.control, logging, new ProxyTrust(config.clientAddress), app.get(AuditLog)),
    safeHeaders,
    ignoreCacheControl,
  );
  app.enableCors({
    origin: config.allowedOrigins.includes('*') ? true : [...config.allowedOrigins],
    credentials: true,
    allowedHeaders: ALLOWED_HEADERS,
    exposedHeaders: ['X-Request-Id', 'ETag', 'Location', 'Retry-After'],
  });
  serveBrowsers(app, options);
  const express = adapter.getInstance<RequestListener & RoutedApplication>();
  app.use(offeredMethods(express));
  serveOpenApi(app);
  await app.init();

  const tenants = app.get(TenantRepository);
  tenants.adoptForeignTenants(logging.logger);
  app.get(TokenCleanup).start();
  app.get(WebhookSender).start();
  app.get(BudgetWatch).start();
  app.get(ChainWatch).start();
  return {
    handle: express,
    async close() {
      tenants.close();
      app.get(LiveStreams).close();
      app.get(ChainWatch).stop();
      await app.get(TokenCleanup).stop();
      await Promise.all([app.get(WebhookSender).stop(), app.get(BudgetWatch).stop()]);
      // Of requests that are over; their entries are written behind their answers.
      await app.get(AuditLog).settled();
      await app.get(Explainer).close();
      await app.close();
    },
  };
}

/** The page of the dashboard, and the sessions of those who have signed in there. */
function serveBrowsers(app: NestExpressApplication, { config, dashboardFolder }: ControlPlaneOptions): void {
  if (!config.dashboard.enabled) return;
  app.use('/dashboard', serveDashboard(dashboardFolder ?? PAGE_FOLDER));
  app.use(enterByCookie(app.get(Sessions), new ProxyTrust(config.clientAddress)));
}

/** Nest announces every route at start; that is for those who debug. */
function frameworkLogger(logger: Logger): Logger {
  const quiet = logger.isLevelEnabled('debug') || !logger.isLevelEnabled('warn');
  return logger.child({ plane: 'control' }, { level: quiet ? logger.level : 'warn' });
}
