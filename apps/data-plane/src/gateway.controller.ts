import { Controller, UseGuards } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import {
  ApiKeyGuard,
  BodySizeGuard,
  ConcurrencyGuard,
  GatewayMaintenanceGuard,
  JwtGuard,
  MaintenanceGuard,
  RateLimitGuard,
  RouteGuard,
  SignatureGuard,
  type GatewayRequest,
} from '#libs/guards';
import { ResponseCache } from './cache/response-cache';
import { Forwarder } from './upstream/forwarder';

/**
 * The order in which every request is judged. Each entry refuses by throwing GatewayError.
 * Before it: admission (front-door.ts). After it: the response cache (cache/response-cache.ts), then the
 * upstream (upstream/forwarder.ts). On close: observation.ts.
 */
export const REQUEST_PATH = [
  GatewayMaintenanceGuard,
  ApiKeyGuard,
  RouteGuard,
  MaintenanceGuard,
  JwtGuard,
  BodySizeGuard,
  SignatureGuard,
  ConcurrencyGuard,
  RateLimitGuard,
] as const;

@Controller()
@UseGuards(...REQUEST_PATH)
export class GatewayController {
  constructor(
    private readonly cache: ResponseCache,
    private readonly forwarder: Forwarder,
  ) {}

  /** Everything that the guards let through, whatever its method and path (request-path.ts). */
  forward(request: GatewayRequest, response: ServerResponse): void | Promise<void> {
    if (!this.cache.takes(request, response)) return this.forwarder.forward(request, response);
  }
}
