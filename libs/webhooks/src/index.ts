/**
 * webhooks: events of the gateway, sent to whoever has asked for them: signed (Standard Webhooks), at least once, by one
 * replica each, for a bounded time.
 * Not here: which moments are events. That is said where they happen.
 */
export { WEBHOOK_EVENTS, type GatewayEvent, type Webhook, type WebhookEventName } from './webhook';
export { Webhooks, type NewWebhook, type WebhookPatch } from './webhooks';
export { WebhookQueue, type Delivery } from './webhook-queue';
export { WebhookSender, type SenderTerms } from './webhook-sender';
