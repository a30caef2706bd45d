import { LRUCache } from 'lru-cache';
import type { RequestContext } from '#libs/guards';
import { RetryBudget } from './retry-budget';

/** As many as there may be origins with open connections, see transport.ts. */
const MAX_BUDGETS = 4096;

/** The budgets of services, and of tenants for what they forward without one. */
export class RetryBudgets {
  private readonly budgets = new LRUCache<string, RetryBudget>({ max: MAX_BUDGETS });

  of({ service, tenant }: RequestContext): RetryBudget {
    const name = service ? `service ${service.id}` : `tenant ${tenant?.id}`;
    let budget = this.budgets.get(name);
    if (!budget) this.budgets.set(name, (budget = new RetryBudget()));
    return budget;
  }
}
