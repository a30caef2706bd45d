import type { GatewayEvent, WebhookEventName } from '#libs/webhooks';
import type { ControlRequest } from '../edge/control-request';

const EVENTS: Readonly<Record<string, WebhookEventName>> = {
  'api_key.create': 'key.created',
  'api_key.revoke': 'key.revoked',
  'api_key.rotate': 'key.rotated',
  'billing_cycle.close': 'billing.cycle_closed',
};

/** The event that a change is, once it has been made; undefined for most. @param target what was changed. */
export function eventOf(
  { action = '', actor, tenantId, id: requestId }: ControlRequest,
  target: string | undefined,
): GatewayEvent | undefined {
  const type = EVENTS[action];
  if (type === undefined) return undefined;
  const data = type === 'billing.cycle_closed' ? { actor, requestId } : { keyId: target, actor, requestId };
  return { type, tenantId, data };
}
