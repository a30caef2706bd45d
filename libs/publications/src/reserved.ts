import { PROFILE_TENANTS, type Profiles } from '#libs/config';

/**
 * First segments of what the gateway answers itself, on this port or on that of the control plane. Nobody publishes there,
 * whatever the host: what an operator or a probe asks the gateway must never be answered by a tenant.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'api', 'proxy', 'admin', 'dashboard', 'tenant', 'metrics', 'docs', 'redoc', 'register-api', 'me', 'services', 'api-keys', 'usage',
  'billing', '.well-known', 'livez', 'readyz', 'healthz', 'ping', 'health',
]); // prettier-ignore

/** What is left of them where everything else is forwarded to a central API; `/health` and `/stats` themselves never get here. */
const OF_AN_EDGE: ReadonlySet<string> = new Set([
  'admin', 'metrics', 'livez', 'readyz', 'ping',
]); // prettier-ignore

/** Who may publish where: more than others may the tenants that the operator's variables declare (docs/adr/0021). */
export interface Reservations {
  /** First segments under which nothing is looked up. */
  readonly always: ReadonlySet<string>;
  /** First segments that a tenant's documents must not name. */
  of(tenantId: string): ReadonlySet<string>;
}

export const USUAL_RESERVATIONS: Reservations = { always: RESERVED, of: () => RESERVED };

export function reservationsOf({ regionalEdge, backendServices }: Profiles): Reservations {
  if (!regionalEdge && !backendServices) return USUAL_RESERVATIONS;
  const butApi = new Set([...RESERVED].filter((segment) => segment !== 'api'));
  return {
    always: regionalEdge ? OF_AN_EDGE : butApi,
    of: (tenantId) => (tenantId === PROFILE_TENANTS.backendServices && backendServices ? butApi : RESERVED),
  };
}

/** @param loose the loose form of a path, so that `/Admin` and `/admin;x` are the gateway's as well. */
export function isReserved(loose: string, reserved: ReadonlySet<string> = RESERVED): boolean {
  const end = loose.indexOf('/', 1);
  return reserved.has(end < 0 ? loose.slice(1) : loose.slice(1, end));
}
