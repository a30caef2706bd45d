import { keys } from '#libs/store';

export const CONFIG_KINDS = [
  'tenant',
  'service',
  'publication',
  'billing_terms',
  'plan',
  'api_key',
  'maintenance',
] as const;
export type ConfigKind = (typeof CONFIG_KINDS)[number];

/** Which object of the configuration a document is. */
export interface ConfigObject {
  readonly kind: ConfigKind;
  /** Of a publication and of terms, the id of the tenant. */
  readonly id: string;
  readonly tenantId?: string;
}

/**
 * The object that a document is, or undefined for one that is no configuration: tokens, counters, indexes, entries of logs.
 * @param text the document before or after a change, for ids that are only inside.
 */
export function configObjectOf(key: string, text: string | undefined): ConfigObject | undefined {
  if (key === keys.GATEWAY_MAINTENANCE) return { kind: 'maintenance', id: 'gateway' };
  const tenant = keys.tenantIdOf(key);
  if (tenant !== undefined) return { kind: 'tenant', id: tenant, tenantId: tenant };
  const publisher = keys.publisherOf(key);
  if (publisher !== undefined) return { kind: 'publication', id: publisher, tenantId: publisher };
  const billed = keys.billedTenantOf(key);
  if (billed !== undefined) return { kind: 'billing_terms', id: billed, tenantId: billed };
  const service = keys.serviceIdOf(key);
  if (service !== undefined) return { kind: 'service', id: service, tenantId: memberOf(text, 'tenantId') };
  const plan = keys.planIdOf(key);
  if (plan !== undefined) return { kind: 'plan', id: plan };
  const keyHash = keys.keyHashOf(key);
  if (keyHash === undefined) return undefined;
  // The digest of a key is nobody's business; one that another program has mapped has no other name.
  const id = memberOf(text, 'id') ?? `sha256-${keyHash.slice(0, 16)}`;
  return { kind: 'api_key', id, tenantId: memberOf(text, 'tenantId') };
}

function memberOf(text: string | undefined, name: string): string | undefined {
  const value = documentOf(text)?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** A document as an object; undefined where it is none, be it that of another program. */
export function documentOf(text: string | null | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
