import { checkPlan, planDocument, type Plan } from '#libs/billing';
import { GatewayError } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import { planIdOf } from './billing-account';
import type { BillingAccounts } from './billing-accounts';

/** A plan with the version of its document. */
export interface StoredPlan {
  readonly plan: Plan;
  readonly version: string;
}

type Versions = readonly string[] | undefined;

const MAX_ROUNDS = 200;
const PAGE = 100;

/** The plans that tenants can be assigned. What an assigned one says is kept with the tenant, so a change reaches nobody. */
export class Plans {
  constructor(
    private readonly store: Store,
    private readonly accounts: BillingAccounts,
  ) {}

  /** @throws GatewayError validation_failed or already_exists */
  async create(document: object): Promise<StoredPlan> {
    const { plan, text } = checked(document);
    // The entry comes first: whatever interrupts this, no plan stays unlisted. One without a plan is noticed when listing.
    await this.store.documents.indexAdd(keys.PLAN_INDEX, plan.id);
    if (!(await this.store.documents.put(keys.plan(plan.id), text, 'absent')))
      throw new GatewayError('already_exists');
    return { plan, version: versionOf(text) };
  }

  /** @throws GatewayError plan_not_found */
  async get(id: string): Promise<StoredPlan> {
    // What is no id must not lead to other keys.
    const text = id.includes(':') ? undefined : await this.store.documents.get(keys.plan(id));
    if (text === undefined) throw new GatewayError('plan_not_found');
    const { plan, problems } = checkPlan(JSON.parse(text));
    if (!plan) throw new Error(`the stored plan ${id} is broken: ${JSON.stringify(problems)}`);
    return { plan, version: versionOf(text) };
  }

  /** Up to `limit` plans with ids greater than `after` in byte order, and the id to go on from, if there are more. */
  async list(after: string, limit: number): Promise<{ plans: StoredPlan[]; next?: string }> {
    const ids = await this.store.documents.indexPage(keys.PLAN_INDEX, after, limit + 1);
    const page = ids.slice(0, limit);
    const found = await Promise.all(page.map((id) => this.find(id)));
    return {
      plans: found.filter((plan) => plan !== undefined),
      next: ids.length > limit ? page.at(-1) : undefined,
    };
  }

  /** @throws GatewayError plan_not_found, validation_failed or precondition_failed */
  async replace(id: string, document: object, versions: Versions): Promise<StoredPlan> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { version } = demanded(await this.get(id), versions);
      const { plan, text } = checked({ id, ...document });
      if (plan.id !== id) refuse([{ field: 'id', message: 'cannot be changed' }]);
      if (await this.store.documents.put(keys.plan(id), text, { version }))
        return { plan, version: versionOf(text) };
    }
    throw new GatewayError('precondition_failed', 'others kept changing the plan at the same time');
  }

  /** @throws GatewayError plan_not_found, precondition_failed, or conflict while a tenant has it */
  async remove(id: string, versions: Versions): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const { version } = demanded(await this.get(id), versions);
      const tenantId = await this.findTenant(id);
      if (tenantId !== undefined)
        throw new GatewayError('conflict', `it is the plan of the tenant ${tenantId}`);
      if (!(await this.store.documents.delete(keys.plan(id), { version }))) continue;
      return this.store.documents.indexRemove(keys.PLAN_INDEX, id);
    }
    throw new GatewayError('precondition_failed', 'others kept changing the plan at the same time');
  }

  /** Remembers who may have a plan; to be called before and after it is assigned, see `findTenant`. */
  noteTenant(id: string, tenantId: string): Promise<void> {
    return this.store.documents.indexAdd(keys.planTenants(id), tenantId);
  }

  /** A tenant that has the plan now. Entries of those that have it no more are removed on the way. */
  private async findTenant(id: string): Promise<string | undefined> {
    const { documents } = this.store;
    const index = keys.planTenants(id);
    for (let page = await documents.indexPage(index, '', PAGE); page.length > 0;) {
      for (const tenantId of page) {
        const { account } = await this.accounts.read(tenantId);
        if (planIdOf(account.planVersion) === id) return tenantId;
        await documents.indexRemove(index, tenantId);
      }
      page = await documents.indexPage(index, page.at(-1) ?? '', PAGE);
    }
    return undefined;
  }

  private async find(id: string): Promise<StoredPlan | undefined> {
    try {
      return await this.get(id);
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'plan_not_found') throw error;
      await this.settle(id);
      return undefined;
    }
  }

  /** Removes the entry of a plan that is not there. */
  private async settle(id: string): Promise<void> {
    const { documents } = this.store;
    await documents.indexRemove(keys.PLAN_INDEX, id);
    // It may have been written since it was looked for, and must not stay without its entry.
    if ((await documents.get(keys.plan(id))) !== undefined) await documents.indexAdd(keys.PLAN_INDEX, id);
  }
}

function checked(document: object): { plan: Plan; text: string } {
  const { plan, problems } = checkPlan(document);
  if (!plan) refuse(problems);
  return { plan, text: JSON.stringify(planDocument(plan)) };
}

function demanded(stored: StoredPlan, versions: Versions): StoredPlan {
  if (versions && !versions.includes(stored.version)) throw new GatewayError('precondition_failed');
  return stored;
}

function refuse(fields: NonNullable<GatewayError['fields']>): never {
  throw new GatewayError('validation_failed', undefined, { fields });
}
