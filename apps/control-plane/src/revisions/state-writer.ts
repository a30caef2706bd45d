import { Inject, Injectable } from '@nestjs/common';
import { checkPlan } from '#libs/billing';
import { GatewayError, type FieldProblem } from '#libs/errors';
import { PublicationRepository, parsePublication } from '#libs/publications';
import type { RevisedObject } from '#libs/revisions';
import { keys, versionOf } from '#libs/store';
import {
  MaintenanceRepository,
  TenantRepository,
  parseMaintenance,
  parseService,
  parseTenant,
  serviceIndexMember,
  type TenantDocument,
} from '#libs/tenants';
import { planIdOf } from '../billing/billing-account';
import { BillingTerms } from '../billing/billing-terms';
import { Plans } from '../billing/plans';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';

/** What is to be of an object: `before` is how it is now, `after` how it is to be. */
export type Step = RevisedObject;

type Writer = (step: Step) => Promise<unknown>;

/** Brings objects of the configuration into a state that they were in, by the rules that hold for every change of them. */
@Injectable()
export class StateWriter {
  private readonly writers: Readonly<Record<Step['kind'], Writer>> = {
    tenant: (step) => this.tenant(step),
    plan: (step) => this.plan(step),
    service: (step) => this.service(step),
    billing_terms: (step) => this.terms(step),
    publication: (step) => this.publication(step),
    maintenance: (step) => this.maintenance(step),
    api_key: (step) => this.apiKey(step),
  };

  constructor(
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
    private readonly tenants: TenantRepository,
    private readonly publications: PublicationRepository,
    private readonly billing: BillingTerms,
    private readonly plans: Plans,
  ) {}

  /** @throws GatewayError conflict, or whatever refuses such a change */
  async write(step: Step): Promise<void> {
    await this.writers[step.kind](step);
  }

  /** Whether a state could be served at all, as far as the object itself tells. */
  problemsOf({ kind, id, tenantId, after }: Step): readonly FieldProblem[] {
    if (after === null) return [];
    if (kind === 'tenant') return parseTenant(id, after).problems ?? [];
    if (kind === 'service') return parseService(id, after).problems ?? [];
    if (kind === 'publication') return parsePublication(tenantId ?? id, after).problems ?? [];
    if (kind === 'plan') return checkPlan(JSON.parse(after)).problems ?? [];
    if (kind === 'maintenance') return parseMaintenance(after).problems ?? [];
    return [];
  }

  private tenant({ id, before, after }: Step): Promise<unknown> {
    const document = dictionary(after);
    if (before === null) return this.tenants.create(document);
    return this.tenants.update(id, () => document, [versionOf(before)]);
  }

  private plan({ id, before, after }: Step): Promise<unknown> {
    if (before === null) return this.plans.create(dictionary(after));
    const versions = [versionOf(before)];
    return after === null
      ? this.plans.remove(id, versions)
      : this.plans.replace(id, dictionary(after), versions);
  }

  /** One that was removed comes back under its number, without the keys that were revoked with it. */
  private async service({ id, tenantId = '', key, before, after }: Step): Promise<void> {
    await this.tenants.get(tenantId);
    const { documents } = this.options.store;
    await documents.indexAdd(keys.serviceIndex(tenantId), serviceIndexMember(id));
    demand(await documents.put(key, after ?? '', expected(before)), `the service ${id}`);
  }

  private publication({ id, before, after }: Step): Promise<unknown> {
    const versions = before === null ? undefined : [versionOf(before)];
    if (after === null) return this.publications.remove(id, versions);
    return this.publications.put(id, dictionary(after).routes, versions);
  }

  private maintenance({ before, after }: Step): Promise<unknown> {
    const repository = new MaintenanceRepository(this.options.store);
    const versions = before === null ? undefined : [versionOf(before)];
    return after === null ? repository.remove(versions) : repository.put(dictionary(after), versions);
  }

  /** Only the terms: cycles that were closed stay closed, and what was billed stays as it is. A plan counts as it is now. */
  private async terms({ id, after }: Step): Promise<void> {
    await this.tenants.get(id);
    const { currency, pricePerRequest, spendCap, planVersion } = dictionary(after);
    await this.billing.change(id, {
      currency,
      pricePerRequest,
      spendCap: spendCap ?? null,
      planId: typeof planVersion === 'string' && planVersion !== '' ? planIdOf(planVersion) : null,
    });
  }

  private async apiKey({ key, before, after }: Step): Promise<void> {
    demand(await this.options.store.documents.put(key, after ?? '', expected(before)), 'the API key');
  }
}

function expected(before: string | null): 'absent' | { version: string } {
  return before === null ? 'absent' : { version: versionOf(before) };
}

/** @throws GatewayError conflict */
function demand(done: boolean, what: string): void {
  if (!done) throw new GatewayError('conflict', `${what} was changed at the same time`);
}

function dictionary(text: string | null): TenantDocument {
  return JSON.parse(text ?? '{}') as TenantDocument;
}
