/**
 * First segments of what the gateway answers itself, on this port or on that of the control plane. Nobody publishes there,
 * whatever the host: what an operator or a probe asks the gateway must never be answered by a tenant.
 */
const RESERVED: ReadonlySet<string> = new Set([
  'api', 'proxy', 'admin', 'tenant', 'metrics', 'docs', 'redoc', 'register-api', 'me', 'services', 'api-keys', 'usage',
  'billing', '.well-known', 'livez', 'readyz', 'healthz', 'ping', 'health',
]); // prettier-ignore

/** @param loose the loose form of a path, so that `/Admin` and `/admin;x` are the gateway's as well. */
export function isReserved(loose: string): boolean {
  const end = loose.indexOf('/', 1);
  return RESERVED.has(end < 0 ? loose.slice(1) : loose.slice(1, end));
}
