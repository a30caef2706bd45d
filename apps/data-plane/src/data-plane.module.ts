import { Module, type DynamicModule } from '@nestjs/common';
import { InboundSignatures, RateLimiter, TokenVerifier } from '#libs/guards';
import { Concurrency } from '#libs/load';
import { GatewayMaintenance, TenantDirectory } from '#libs/tenants';
import { ResponseCache } from './cache/response-cache';
import { GatewayController } from './gateway.controller';
import { Forwarder } from './upstream/forwarder';

/** What the guards and the controller are given. */
export interface DataPlaneParts {
  readonly directory: TenantDirectory;
  readonly verifier: TokenVerifier;
  readonly limiter: RateLimiter;
  readonly inboundSignatures: InboundSignatures;
  readonly cache: ResponseCache;
  readonly forwarder: Forwarder;
  readonly concurrency: Concurrency;
  readonly maintenance: GatewayMaintenance;
}

@Module({})
export class DataPlaneModule {
  static of(parts: DataPlaneParts): DynamicModule {
    const { directory, verifier, limiter, inboundSignatures, cache, forwarder, concurrency, maintenance } =
      parts;
    return {
      module: DataPlaneModule,
      controllers: [GatewayController],
      providers: [
        { provide: TenantDirectory, useValue: directory },
        { provide: TokenVerifier, useValue: verifier },
        { provide: RateLimiter, useValue: limiter },
        { provide: InboundSignatures, useValue: inboundSignatures },
        { provide: ResponseCache, useValue: cache },
        { provide: Forwarder, useValue: forwarder },
        { provide: Concurrency, useValue: concurrency },
        { provide: GatewayMaintenance, useValue: maintenance },
      ],
    };
  }
}
