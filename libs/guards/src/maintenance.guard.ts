import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { GatewayMaintenance, type ServedMaintenance } from '#libs/tenants';
import { requestOf, type RequestContext } from './request-context';

/**
 * Refuses whom a maintenance stops.
 * @param now milliseconds since the epoch.
 * @throws GatewayError maintenance, with Retry-After (RFC 9110 §10.2.3)
 */
export function refuseDuring(
  maintenance: ServedMaintenance,
  context: RequestContext,
  now = Date.now(),
): void {
  if (!maintenance.stops(context, now)) return;
  context.judge = 'maintenance';
  const headers = { 'Retry-After': String(maintenance.retryAfterSeconds(now)) };
  throw new GatewayError('maintenance', maintenance.message, { headers });
}

/** Before everybody is asked who they are: the maintenance of the whole gateway, during which the store may be away. */
@Injectable()
export class GatewayMaintenanceGuard implements CanActivate {
  constructor(private readonly gateway: GatewayMaintenance) {}

  canActivate(execution: ExecutionContext): boolean {
    const { current } = this.gateway;
    if (current !== undefined) refuseDuring(current, requestOf(execution).context);
    return true;
  }
}

/** As soon as it is known where a request goes: the maintenance of its tenant, and of its service. */
@Injectable()
export class MaintenanceGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    const { context } = requestOf(execution);
    const { tenant, service } = context;
    if (tenant?.maintenance !== undefined) refuseDuring(tenant.maintenance, context);
    if (service?.maintenance !== undefined) refuseDuring(service.maintenance, context);
    return true;
  }
}
