import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { ProblemFilter } from '#libs/errors';
import { AddressPolicy, ApiKeyRepository, TenantRepository } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from './control-plane.options';
import { AdminGuard } from './edge/admin.guard';
import { JsonBodyGuard } from './edge/json-body.guard';
import { StoreAwayFilter } from './edge/store-away.filter';
import { validationPipe } from './edge/validation';
import { ExplainController } from './explain/explain.controller';
import { Explainer } from './explain/explainer';
import { HealthController } from './health/health.controller';
import { ApiKeysController } from './keys/api-keys.controller';
import { MetricsController } from './metrics/metrics.controller';
import { RouteOverviewController } from './routes/route-overview.controller';
import { RoutesController } from './routes/routes.controller';
import { TenantConfigurationsController } from './tenants/tenant-configurations.controller';
import { TenantsController } from './tenants/tenants.controller';
import { UsageController } from './tenants/usage.controller';

@Module({})
export class ControlPlaneModule {
  static with(options: ControlPlaneOptions): DynamicModule {
    const { store, config, logging } = options;
    const apiKeys = new ApiKeyRepository(store);
    const tenants = new TenantRepository(store, apiKeys, new AddressPolicy(config.allowPrivateUpstreams));
    const problems = new ProblemFilter((error, request) => {
      const { id } = request as { id?: string };
      logging.logger.error({ category: 'admin', err: error, requestId: id }, 'the control plane failed');
    });
    return {
      module: ControlPlaneModule,
      controllers: [
        HealthController,
        MetricsController,
        TenantsController,
        UsageController,
        RoutesController,
        RouteOverviewController,
        ApiKeysController,
        TenantConfigurationsController,
        ExplainController,
      ],
      providers: [
        { provide: OPTIONS, useValue: options },
        { provide: TenantRepository, useValue: tenants },
        { provide: ApiKeyRepository, useValue: apiKeys },
        { provide: Explainer, useValue: new Explainer(store, config, logging.logger) },
        // In this order: the body is read only for those who may send one.
        { provide: APP_GUARD, useClass: AdminGuard },
        { provide: APP_GUARD, useClass: JsonBodyGuard },
        { provide: APP_PIPE, useFactory: validationPipe },
        { provide: APP_FILTER, useValue: problems },
        { provide: APP_FILTER, useValue: new StoreAwayFilter(problems) },
      ],
    };
  }
}
