import type { AdminRole } from '#libs/admin-tokens';

/** The least role that may do something; `+tenant`: also a token of the tenant that it is about; `+metrics`: also Prometheus. */
export type Permission =
  `${'owner' | 'operator' | 'viewer'}${'' | '+tenant' | '+metrics' | '+tenant+metrics'}`;

/**
 * Who may do what: every operation by its operationId of the OpenAPI document, and the least role for it. An operation
 * that is not listed is the owner's; a test refuses such an operation. Public ones need no role.
 */
// prettier-ignore
export const OPERATION_ROLES: Readonly<Record<string, Permission>> = {
  'WhoAmI.show': 'viewer+tenant+metrics',
  'Metrics.scrape': 'viewer+metrics',
  'Health.health': 'viewer', 'Health.status': 'viewer',

  'AdminTokens.create': 'owner', 'AdminTokens.list': 'owner', 'AdminTokens.show': 'owner',
  'AdminTokens.rotate': 'owner', 'AdminTokens.revoke': 'owner',
  'Audit.list': 'viewer', 'Audit.verify': 'viewer',
  'Revisions.list': 'viewer', 'Revisions.show': 'viewer', 'Revisions.diff': 'viewer', 'Revisions.goBack': 'operator',

  'Webhooks.list': 'viewer', 'Webhooks.show': 'viewer', 'Webhooks.deliveries': 'viewer',
  'Webhooks.create': 'operator', 'Webhooks.change': 'operator', 'Webhooks.remove': 'operator',
  'Webhooks.rotate': 'operator', 'Webhooks.test': 'operator', 'Webhooks.replay': 'operator',
  'Backup.take': 'owner', 'Backup.restore': 'owner',

  'Tenants.list': 'viewer', 'Tenants.show': 'viewer+tenant',
  'Tenants.create': 'operator', 'Tenants.replace': 'operator', 'Tenants.change': 'operator',
  'Tenants.remove': 'operator', 'Tenants.suspend': 'operator', 'Tenants.resume': 'operator',
  'TenantConfigurations.list': 'viewer', 'TenantConfigurations.show': 'viewer+tenant',
  'Routes.list': 'viewer+tenant', 'RouteOverview.list': 'viewer',
  'Routes.add': 'operator', 'Routes.replace': 'operator', 'Routes.remove': 'operator',
  'Publication.show': 'viewer+tenant', 'Publications.list': 'viewer',
  'Publication.replace': 'operator', 'Publication.remove': 'operator',
  'Maintenance.show': 'viewer', 'Maintenance.start': 'operator', 'Maintenance.stop': 'operator',
  'Explain.explain': 'viewer', 'Explain.explainMine': 'viewer+tenant',
  'Overview.show': 'viewer', 'Overview.stream': 'viewer',
  'Overview.showMine': 'viewer+tenant', 'Overview.streamMine': 'viewer+tenant',
  'Refusals.list': 'viewer', 'Refusals.show': 'viewer',
  'Refusals.listMine': 'viewer+tenant', 'Refusals.showMine': 'viewer+tenant',
  'ServiceTest.test': 'operator+tenant', 'ServiceTest.testMine': 'operator+tenant',

  'Services.list': 'viewer+tenant', 'Services.show': 'viewer+tenant', 'ServiceHealth.show': 'viewer+tenant',
  'Services.create': 'operator+tenant', 'Services.change': 'operator+tenant', 'Services.remove': 'operator+tenant',
  'Breakers.show': 'viewer+tenant', 'Breakers.order': 'operator', 'Breakers.orderOfService': 'operator',
  'Cache.show': 'viewer+tenant', 'Cache.purge': 'operator+tenant',

  'ApiKeys.list': 'viewer+tenant', 'ApiKeys.show': 'viewer+tenant',
  'ApiKeys.create': 'operator+tenant', 'ApiKeys.change': 'operator+tenant',
  'ApiKeys.rotate': 'operator+tenant', 'ApiKeys.revoke': 'operator+tenant',
  'Tokens.list': 'viewer', 'Tokens.show': 'viewer',
  'Tokens.issue': 'operator', 'Tokens.revoke': 'operator', 'Tokens.cleanup': 'operator',

  'TenantUsage.show': 'viewer+tenant',
  'TenantBilling.show': 'viewer+tenant', 'TenantBilling.list': 'viewer+tenant', 'TenantBilling.statement': 'viewer+tenant',
  'TenantBilling.change': 'operator', 'TenantBilling.close': 'operator',
  'Plans.list': 'viewer', 'Plans.show': 'viewer',
  'Plans.create': 'operator', 'Plans.replace': 'operator', 'Plans.remove': 'operator',

  // The portal: a token of a tenant is as good there as a portal token of it.
  'Me.show': 'viewer+tenant', 'Me.showKey': 'viewer+tenant',
  'PortalServices.list': 'viewer+tenant', 'PortalServices.show': 'viewer+tenant',
  'PortalServices.change': 'operator+tenant', 'PortalServices.remove': 'operator+tenant',
  'Registration.register': 'operator+tenant',
  'PortalKeys.list': 'viewer+tenant', 'PortalKeys.show': 'viewer+tenant',
  'PortalKeys.create': 'operator+tenant', 'PortalKeys.change': 'operator+tenant',
  'PortalKeys.rotate': 'operator+tenant', 'PortalKeys.revoke': 'operator+tenant',
  'Pricing.price': 'operator+tenant',
  'Usage.showAll': 'viewer+tenant', 'Usage.show': 'viewer+tenant',
  'Billing.summary': 'viewer+tenant', 'Billing.listKeys': 'viewer+tenant', 'Billing.reconcile': 'viewer+tenant',
  'Billing.reset': 'operator+tenant', 'Statements.list': 'viewer+tenant', 'Statements.show': 'viewer+tenant',
};

const RANK = { viewer: 1, operator: 2, owner: 3 } as const;

/** Whether a role may do something; whose tenant it is about is not judged here. */
export function mayDo(role: AdminRole, operation: string): boolean {
  const [least = 'owner', ...others] = (OPERATION_ROLES[operation] ?? 'owner').split('+');
  if (role === 'tenant' || role === 'metrics') return others.includes(role);
  return RANK[role] >= RANK[least as keyof typeof RANK];
}

/** All that a role may do, by name. */
export function operationsOf(role: AdminRole): string[] {
  return Object.keys(OPERATION_ROLES)
    .filter((operation) => mayDo(role, operation))
    .sort();
}
