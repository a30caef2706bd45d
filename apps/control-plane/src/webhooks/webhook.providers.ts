import type { Provider } from '@nestjs/common';
import type { ApiKeyRepository, AddressPolicy } from '#libs/tenants';
import { WebhookQueue, WebhookSender, Webhooks, type SenderTerms } from '#libs/webhooks';
import type { ControlPlaneOptions } from '../control-plane.options';
import { BudgetWatch } from './budget-watch';

/** What sends events, and looks for those that nobody else notices. */
export function webhookProviders(
  { store, config, logging, metrics }: ControlPlaneOptions,
  webhooks: Webhooks,
  addresses: AddressPolicy,
  apiKeys: ApiKeyRepository,
): Provider[] {
  const { logger } = logging;
  const queue = new WebhookQueue(store, webhooks, logger, undefined, () => metrics.webhooks.lost('unqueued'));
  metrics.webhooks.watch(queue);
  const told: SenderTerms['told'] = (outcome) =>
    outcome === 'given_up' ? metrics.webhooks.lost(outcome) : metrics.webhooks.attempted(outcome);
  const terms = { maxAgeMs: config.webhookMaxAgeMs, told };
  return [
    { provide: Webhooks, useValue: webhooks },
    { provide: WebhookQueue, useValue: queue },
    { provide: WebhookSender, useValue: new WebhookSender(queue, webhooks, addresses, logger, terms) },
    { provide: BudgetWatch, useValue: new BudgetWatch(store, webhooks, queue, apiKeys, logger) },
  ];
}
