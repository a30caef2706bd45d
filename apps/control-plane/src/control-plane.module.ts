import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { Webhooks } from '#libs/webhooks';
import { AdminTokens } from '#libs/admin-tokens';
import { AuditLog } from '#libs/audit';
import { TenantResponses } from '#libs/cache';
import { ProblemFilter } from '#libs/errors';
import { PortalTokens } from '#libs/guards';
import { PublicationRepository, reservationsOf } from '#libs/publications';
import { ChangeRecorder, recordedStore } from '#libs/revisions';
import {
  AddressPolicy,
  ApiKeyRepository,
  MaintenanceRepository,
  ServiceRepository,
  TenantDirectory,
  TenantRepository,
} from '#libs/tenants';
import { hasOwnKeys, TokenRepository, TokenSigner } from '#libs/tokens';
import { ADMIN_TOKEN_CONTROLLERS } from './admin-tokens/admin-token.controllers';
import { webhookProviders } from './webhooks/webhook.providers';
import { WebhooksController } from './webhooks/webhooks.controller';
import { AuditController } from './audit/audit.controller';
import { auditLog } from './audit/audit-log';
import { BackupController } from './backup/backup.controller';
import { Custody } from './backup/custody';
import { BillingController } from './billing/billing.controller';
import { billingProviders } from './billing/billing.providers';
import { PlansController } from './billing/plans.controller';
import { PricingController } from './billing/pricing.controller';
import { StatementsController } from './billing/statements.controller';
import { TenantBillingController } from './billing/tenant-billing.controller';
import { BreakersController } from './breakers/breakers.controller';
import { TargetDesk } from './breakers/target-desk';
import { CacheController } from './cache/cache.controller';
import { DASHBOARD_CONTROLLERS, dashboardProviders } from './dashboard/dashboard.providers';
import { OPTIONS, type ControlPlaneOptions } from './control-plane.options';
import { AdminGuard } from './edge/admin.guard';
import { JsonBodyGuard } from './edge/json-body.guard';
import { RecordChanges } from './edge/record-changes';
import { StoreAwayFilter } from './edge/store-away.filter';
import { validationPipe } from './edge/validation';
import { ExplainController } from './explain/explain.controller';
import { Explainer } from './explain/explainer';
import { HealthController } from './health/health.controller';
import { ApiKeysController } from './keys/api-keys.controller';
import { MaintenanceController } from './maintenance/maintenance.controller';
import { MetricsController } from './metrics/metrics.controller';
import { PORTAL_CONTROLLERS, portalProviders } from './portal/providers';
import { revisionProviders } from './revisions/revision.providers';
import { RevisionsController } from './revisions/revisions.controller';
import { RouteOverviewController } from './routes/route-overview.controller';
import { RoutesController } from './routes/routes.controller';
import { PublicationController, PublicationsController } from './publications/publications.controller';
import { ServiceHealthController } from './services/service-health.controller';
import { ServicesController } from './services/services.controller';
import { TenantConfigurationsController } from './tenants/tenant-configurations.controller';
import { TenantsController } from './tenants/tenants.controller';
import { TOKEN_CONTROLLERS, tokenProviders } from './tokens/token.providers';
import { TenantUsageController } from './usage/tenant-usage.controller';
import { UsageController } from './usage/usage.controller';

const CONTROLLERS = [
  HealthController,
  MetricsController,
  TenantsController,
  TenantBillingController,
  TenantUsageController,
  RoutesController,
  RouteOverviewController,
  ApiKeysController,
  ServicesController,
  ...TOKEN_CONTROLLERS,
  ...ADMIN_TOKEN_CONTROLLERS,
  AuditController,
  RevisionsController,
  BackupController,
  WebhooksController,
  ServiceHealthController,
  BreakersController,
  CacheController,
  PublicationController,
  PublicationsController,
  ...PORTAL_CONTROLLERS,
  TenantConfigurationsController,
  ExplainController,
  MaintenanceController,
  PlansController,
  BillingController,
  PricingController,
  StatementsController,
  UsageController,
  ...DASHBOARD_CONTROLLERS,
];

/** In this order: the body is read only for those who may send one. */
const EDGE = [
  { provide: APP_GUARD, useExisting: AdminGuard },
  { provide: APP_GUARD, useClass: JsonBodyGuard },
  { provide: APP_INTERCEPTOR, useClass: RecordChanges },
  { provide: APP_PIPE, useFactory: validationPipe },
];

function problemFilter({ logging }: ControlPlaneOptions): ProblemFilter {
  return new ProblemFilter((error, request) => {
    const { id } = request as { id?: string };
    logging.logger.error({ category: 'admin', err: error, requestId: id }, 'the control plane failed');
  });
}

function filters(options: ControlPlaneOptions): Provider[] {
  const problems = problemFilter(options);
  return [problems, new StoreAwayFilter(problems)].map((useValue) => ({ provide: APP_FILTER, useValue }));
}

@Module({})
export class ControlPlaneModule {
  static with(given: ControlPlaneOptions): DynamicModule {
    const { config, logging } = given;
    const recorder = new ChangeRecorder();
    // What is written through the control plane becomes revisions.
    const store = recordedStore(given.store, recorder);
    const options = { ...given, store, stored: given.stored ?? given.store };
    const apiKeys = new ApiKeyRepository(store);
    const addresses = new AddressPolicy(config.allowPrivateUpstreams);
    const ownTokens = hasOwnKeys(config);
    const services = new ServiceRepository(store, apiKeys, addresses, ownTokens);
    const tokens = new TokenRepository(store, new TokenSigner(config));
    const adminTokens = new AdminTokens(store, config.staleConfigMaxAgeMs);
    const webhooks = new Webhooks(store, addresses);
    const reserved = reservationsOf(config.profiles);
    const publications = new PublicationRepository(store, ownTokens, addresses, reserved);
    const tenants = new TenantRepository(store, apiKeys, addresses, ownTokens, [
      tokens,
      adminTokens,
      webhooks,
      new TenantResponses(store, options.responses),
    ]);
    const directory = new TenantDirectory(store, logging.logger, config.staleConfigMaxAgeMs);
    return {
      module: ControlPlaneModule,
      controllers: CONTROLLERS,
      providers: [
        { provide: OPTIONS, useValue: options },
        { provide: TenantRepository, useValue: tenants },
        { provide: ApiKeyRepository, useValue: apiKeys },
        { provide: ServiceRepository, useValue: services },
        { provide: TargetDesk, useValue: new TargetDesk(store, options.targets) },
        { provide: MaintenanceRepository, useValue: new MaintenanceRepository(store) },
        { provide: PublicationRepository, useValue: publications },
        { provide: TenantDirectory, useValue: directory },
        ...tokenProviders(tokens, logging.logger),
        { provide: PortalTokens, useValue: new PortalTokens(config, tokens) },
        { provide: AdminTokens, useValue: adminTokens },
        { provide: AuditLog, useValue: auditLog(options) },
        ...revisionProviders(options, recorder),
        Custody,
        ...webhookProviders(options, webhooks, addresses, apiKeys),
        ...portalProviders(store, { tenants, apiKeys, services }),
        ...billingProviders(options, { tenants, apiKeys, services }),
        { provide: Explainer, useValue: new Explainer(store, config, logging.logger, options) },
        ...dashboardProviders(options),
        AdminGuard,
        ...EDGE,
        ...filters(given),
      ],
    };
  }
}
