import { GatewayError, type FieldProblem } from '#libs/errors';
import { keys, type Store } from '#libs/store';
import { parseTenant } from './check-tenant';
import type { Tenant } from './tenant';
import { hasTenant } from './tenant-index';

/** Of so many writers of one document, each round lets one through. */
export const MAX_ROUNDS = 200;

export function invalid(fields: readonly FieldProblem[]): GatewayError {
  return new GatewayError('validation_failed', undefined, { fields });
}

/** @throws GatewayError validation_failed */
export function refuseInvalid(problems: readonly FieldProblem[]): void {
  if (problems.length > 0) throw invalid(problems);
}

/**
 * @param versions of which the stored one must be one; absent demands nothing.
 * @throws GatewayError precondition_failed
 */
export function demandVersion(stored: string | undefined, versions: readonly string[] | undefined): void {
  const met = versions === undefined || (stored !== undefined && versions.includes(stored));
  if (!met) throw new GatewayError('precondition_failed');
}

/** @throws GatewayError tenant_not_found; a tenant that cannot be served is there. */
export async function requireTenant(store: Store, id: string): Promise<void> {
  if (!(await hasTenant(store, id))) throw new GatewayError('tenant_not_found');
}

/** @throws GatewayError tenant_not_found or tenant_misconfigured */
export async function readTenant(store: Store, id: string): Promise<Tenant> {
  await requireTenant(store, id);
  const { tenant } = parseTenant(id, (await store.documents.get(keys.tenant(id))) ?? '');
  if (!tenant) throw new GatewayError('tenant_misconfigured');
  return tenant;
}
