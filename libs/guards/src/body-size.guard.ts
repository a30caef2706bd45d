import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { GatewayError } from '#libs/errors';
import { requestOf, type RequestContext } from './request-context';

/**
 * The largest body that a request may have: what the most particular of route, service and tenant says, and never more than
 * the gateway takes.
 * @param gateway bytes; 0 for any size, and so is the answer.
 */
export function maxBodyOf({ route, service, tenant }: RequestContext, gateway: number): number {
  const own = route?.maxBodyBytes ?? service?.maxBodyBytes ?? tenant?.maxBodyBytes;
  if (own === undefined) return gateway;
  return gateway === 0 ? own : Math.min(own, gateway);
}

/**
 * Refuses a body that says itself that it is too large; what comes in chunks is counted when it is forwarded.
 * @throws GatewayError body_too_large
 */
export function refuseLargeBody(context: RequestContext): void {
  const { bodyLength } = context;
  if (bodyLength === undefined || bodyLength < 0) return;
  const max = maxBodyOf(context, 0);
  if (max === 0 || bodyLength <= max) return;
  context.judge = 'body_size';
  throw new GatewayError('body_too_large');
}

/** Whether the body is as small as route, service or tenant want it; the gateway's own bound was admission's business. */
@Injectable()
export class BodySizeGuard implements CanActivate {
  canActivate(execution: ExecutionContext): boolean {
    refuseLargeBody(requestOf(execution).context);
    return true;
  }
}
