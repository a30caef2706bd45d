import { Module, type DynamicModule } from '@nestjs/common';
import { RateLimiter, TokenVerifier } from '#libs/guards';
import { TenantDirectory } from '#libs/tenants';
import { ResponseCache } from './cache/response-cache';
import { GatewayController } from './gateway.controller';
import { Forwarder } from './upstream/forwarder';

/** What the guards and the controller are given. */
export interface DataPlaneParts {
  readonly directory: TenantDirectory;
  readonly verifier: TokenVerifier;
  readonly limiter: RateLimiter;
  readonly cache: ResponseCache;
  readonly forwarder: Forwarder;
}

@Module({})
export class DataPlaneModule {
  static of({ directory, verifier, limiter, cache, forwarder }: DataPlaneParts): DynamicModule {
    return {
      module: DataPlaneModule,
      controllers: [GatewayController],
      providers: [
        { provide: TenantDirectory, useValue: directory },
        { provide: TokenVerifier, useValue: verifier },
        { provide: RateLimiter, useValue: limiter },
        { provide: ResponseCache, useValue: cache },
        { provide: Forwarder, useValue: forwarder },
      ],
    };
  }
}
