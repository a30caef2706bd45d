import type { Provider } from '@nestjs/common';
import type { ApiKeyRepository, ServiceRepository, TenantRepository } from '#libs/tenants';
import type { ControlPlaneOptions } from '../control-plane.options';
import { KnownKeys } from '../usage/known-keys';
import { UsageReader } from '../usage/usage-reader';
import { BillingAccounts } from './billing-accounts';
import { BillingCycles } from './billing-cycles';
import { BillingOverview } from './billing-overview';
import { BillingTerms } from './billing-terms';
import { Plans } from './plans';
import { Reconciler } from './reconciler';
import { Statements } from './statements';

interface Repositories {
  tenants: TenantRepository;
  apiKeys: ApiKeyRepository;
  services: ServiceRepository;
}

/** What bills tenants and tells what they have used. */
export function billingProviders(
  { store, logging }: ControlPlaneOptions,
  { tenants, apiKeys, services }: Repositories,
): Provider[] {
  const known = new KnownKeys(apiKeys);
  const accounts = new BillingAccounts(store);
  const statements = new Statements(store);
  const plans = new Plans(store, accounts);
  const cycles = new BillingCycles(store, accounts, statements, known, logging.logger);
  return [
    { provide: Statements, useValue: statements },
    { provide: Plans, useValue: plans },
    { provide: BillingCycles, useValue: cycles },
    { provide: BillingTerms, useValue: new BillingTerms(accounts, cycles, plans) },
    { provide: BillingOverview, useValue: new BillingOverview(store, cycles, apiKeys) },
    { provide: Reconciler, useValue: new Reconciler(store, cycles, statements) },
    { provide: UsageReader, useValue: new UsageReader(store, tenants, services, known) },
  ];
}
