/** What may happen; the names are a contract and stay. */
export const WEBHOOK_EVENTS = [
  'key.created',
  'key.revoked',
  'key.rotated',
  'key.expiring',
  'billing.cycle_closed',
  'billing.spend_cap',
  'billing.quota',
  'limit.degraded',
  'limit.tenant_limited',
  'breaker.opened',
  'breaker.closed',
  'webhook.test',
] as const;
export type WebhookEventName = (typeof WEBHOOK_EVENTS)[number];

/** Something that has happened. Never a secret. */
export interface GatewayEvent {
  readonly type: WebhookEventName;
  /** Whose affair it is; undefined: the gateway's. */
  readonly tenantId?: string;
  readonly data: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** Where events are sent to, as it is stored. */
export interface Webhook {
  /** Sorts by the time of creation. */
  readonly id: string;
  /** Only events of this tenant; undefined: of all, and of the gateway. */
  readonly tenantId?: string;
  readonly url: string;
  /** Empty: every event. */
  readonly events: readonly WebhookEventName[];
  readonly description?: string;
  readonly enabled: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** `whsec_` and base64, the newest first: an old one signs beside it for a while after a rotation. */
  readonly secrets: ReadonlyArray<{ readonly secret: string; readonly until?: string }>;
}

export function wants(webhook: Webhook, { type, tenantId }: GatewayEvent): boolean {
  if (!webhook.enabled || type === 'webhook.test') return false;
  if (webhook.tenantId !== undefined && webhook.tenantId !== tenantId) return false;
  return webhook.events.length === 0 || webhook.events.includes(type);
}
