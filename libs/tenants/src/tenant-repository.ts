import { GatewayError } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { keys, versionOf, type Store } from '#libs/store';
import type { AddressPolicy } from './address-policy';
import type { ApiKeyRepository } from './api-key-repository';
import { weakSignatureKeys } from './check-signing';
import { checkTenant, parseTenant, type CheckedTenant } from './check-tenant';
import { forgetBreakers } from './forget-breakers';
import { MAX_ROUNDS, demandVersion, invalid, refuseInvalid } from './preconditions';
import type { IdentityProvider } from './identity-provider';
import { withKeptSecrets } from './kept-secrets';
import { ServiceRepository } from './service-repository';
import { mirrorUrlsIn } from './shaping/check-shape';
import { sortableId } from './sortable-id';
import type { SignatureKeys } from './signing-policy';
import type { Tenant } from './tenant';
import { forgetBudgets } from './tenant-budgets';
import { isWrongType, TenantIndex } from './tenant-index';

/** A tenant with the version of its document; or the reasons why what is stored is none. */
export type StoredTenant = CheckedTenant & {
  readonly id: string;
  /** Undefined where the key holds something that is no text. */
  readonly version: string | undefined;
};

/** A document as it was written, fields of other programs included. */
export type TenantDocument = Readonly<Record<string, unknown>>;

/** What belongs to tenants and is kept elsewhere. */
export interface Belongings {
  /** Ends what a tenant had before `time`, milliseconds since the epoch; the next one of that id must not have it. */
  revokeAllBefore(tenantId: string, time: number): Promise<void>;
}

/** The control plane's tenants: versioned documents, every write compared with what was read. */
export class TenantRepository {
  private readonly index: TenantIndex;
  private readonly services: ServiceRepository;

  /**
   * @param addresses where upstream and JWKS URLs may point to.
   * @param ownTokens whether the gateway has keys of its own for tokens of tenants without an identity provider.
   * @param belongings what goes with a tenant, beside services and API keys.
   */
  constructor(
    private readonly store: Store,
    private readonly apiKeys: ApiKeyRepository,
    private readonly addresses: AddressPolicy,
    private readonly ownTokens = false,
    private readonly belongings: readonly Belongings[] = [],
  ) {
    this.index = new TenantIndex(store);
    this.services = new ServiceRepository(store, apiKeys, addresses, ownTokens);
  }

  /** Keeps tenants that other programs write in the lists, until `close`. */
  adoptForeignTenants(logger: Logger): void {
    this.index.follow(logger);
  }

  close(): void {
    this.index.close();
  }

  /**
   * Stores a new tenant, under a generated id if the document has none.
   * @throws GatewayError validation_failed or already_exists
   */
  async create(document: TenantDocument): Promise<StoredTenant> {
    const named = { ...document, id: document.id ?? `tenant-${sortableId()}` };
    const tenant = this.checked(named, this.addresses);
    refuseInvalid(weakSignatureKeys(tenant.signatureKeys));
    const lookedAt = Date.now();
    if (await this.find(tenant.id)) throw new GatewayError('already_exists');
    await this.forgetBelongings(tenant.id, lookedAt);
    await this.forgetBreaker(tenant.id, tenant.upstreamBaseUrl);
    // The entry comes first: a crash after it leaves an entry without a document, which listing notices and heals.
    await this.index.add(tenant.id);
    const text = JSON.stringify(tenant);
    const done = await this.store.documents.put(keys.tenant(tenant.id), text, 'absent');
    if (!done) throw new GatewayError('already_exists');
    return { id: tenant.id, version: versionOf(text), tenant };
  }

  /** @throws GatewayError tenant_not_found */
  get(id: string): Promise<StoredTenant> {
    return this.read(id);
  }

  /** How many there are, as the index has them. */
  count(): Promise<number> {
    return this.index.size();
  }

  /** Up to `limit` tenants with ids greater than `after` in byte order, and the id to go on from, if there are more. */
  async list(after: string, limit: number): Promise<{ tenants: StoredTenant[]; next?: string }> {
    const ids = await this.index.page(after, limit + 1);
    const page = ids.slice(0, limit);
    const found = await Promise.all(page.map((id) => this.findOrSettle(id)));
    const tenants = found.filter((tenant) => tenant !== undefined);
    return { tenants, next: ids.length > limit ? page.at(-1) : undefined };
  }

  /**
   * Puts another document in the place of the stored one; fields that only other programs know stay.
   * @param versions of which the stored one must be one; absent demands nothing.
   * @throws GatewayError tenant_not_found, validation_failed or precondition_failed
   */
  replace(id: string, document: TenantDocument, versions?: readonly string[]): Promise<StoredTenant> {
    return this.update(id, (current) => ({ ...foreignFields(current), ...document }), versions);
  }

  /**
   * Reads, changes and writes, and again if somebody else wrote in between.
   * @param change gets the stored document, or an empty one if that cannot be parsed; returns the new one.
   * @throws GatewayError tenant_not_found, validation_failed or precondition_failed
   */
  async update(
    id: string,
    change: (current: TenantDocument) => TenantDocument,
    versions?: readonly string[],
  ): Promise<StoredTenant> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.read(id);
      demandVersion(before.version, versions);
      const current = { ...dictionary(before.text), id };
      const changed = withKeptSecrets(current, change(current));
      if (changed.id !== undefined && changed.id !== id)
        throw invalid([{ field: 'id', message: 'cannot be changed' }]);
      const addresses = sameAddresses(current, changed) ? undefined : this.addresses;
      const tenant = this.checked({ ...changed, id }, addresses);
      refuseInvalid(weakSignatureKeys(newKeys(current, tenant)));
      const text = JSON.stringify(tenant);
      const expected = before.version === undefined ? 'any' : { version: before.version };
      const done = await this.write(() => this.store.documents.put(keys.tenant(id), text, expected));
      if (!done) continue;
      const url = before.tenant?.upstreamBaseUrl;
      if (url !== tenant.upstreamBaseUrl) await this.forgetBreaker(id, url);
      return { id, version: versionOf(text), tenant };
    }
    throw new GatewayError('precondition_failed', 'others kept changing the tenant at the same time');
  }

  /**
   * Removes a tenant and what belongs to it.
   * @throws GatewayError tenant_not_found or precondition_failed
   */
  async remove(id: string, versions?: readonly string[]): Promise<void> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.read(id);
      demandVersion(before.version, versions);
      const expected = before.version === undefined ? 'any' : { version: before.version };
      // First: from here on the tenant is refused, even if nothing of what follows is reached.
      if (!(await this.write(() => this.store.documents.delete(keys.tenant(id), expected)))) continue;
      await this.forgetBelongings(id, Date.now());
      await this.forgetBreaker(id, before.tenant?.upstreamBaseUrl);
      return this.index.settle(id);
    }
    throw new GatewayError('precondition_failed', 'others kept changing the tenant at the same time');
  }

  /** Services, keys and counters made before `time`: a tenant that follows under the same id must not inherit them. */
  private async forgetBelongings(id: string, time: number): Promise<void> {
    const forget = await forgetBudgets(this.store, id, time);
    await this.services.removeAllBefore(id, time);
    await this.apiKeys.revokeAllBefore(id, time);
    for (const others of this.belongings) await others.revokeAllBefore(id, time);
    // Statements stay: they are history, and no successor can read them.
    await this.store.documents.delete(keys.tenantBilling(id), 'any');
    await this.store.documents.delete(keys.publication(id), 'any');
    await this.store.documents.indexRemove(keys.PUBLICATION_INDEX, id);
    await this.store.ledgers.drop(id);
    await forget();
  }

  /** Of the tenant's own routes; that of a document which cannot be read is forgotten when one with its URL is made. */
  private async forgetBreaker(tenantId: string, url: string | undefined): Promise<void> {
    if (url !== undefined) await forgetBreakers(this.store, { tenantId, serviceId: undefined }, [url]);
  }

  private checked(document: TenantDocument, addresses: AddressPolicy | undefined): Tenant {
    const { tenant, problems } = checkTenant(document, addresses, this.ownTokens);
    if (!tenant) throw invalid(problems);
    return tenant;
  }

  private async findOrSettle(id: string): Promise<StoredTenant | undefined> {
    const found = await this.find(id);
    // Only the entry: what belongs to the tenant stays, for other programs replace documents by DEL and SET.
    if (!found) await this.index.settle(id);
    return found;
  }

  private async read(id: string): Promise<StoredTenant & { text: string }> {
    const text = await this.text(id);
    if (text === undefined) throw new GatewayError('tenant_not_found');
    if (typeof text === 'string') return { id, version: versionOf(text), text, ...parseTenant(id, text) };
    return { id, version: undefined, text: '', problems: [{ field: '', message: text.wrongType }] };
  }

  private async find(id: string): Promise<StoredTenant | undefined> {
    try {
      return await this.get(id);
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'tenant_not_found') return undefined;
      throw error;
    }
  }

  private async text(id: string): Promise<string | { wrongType: string } | undefined> {
    // `byApiKey:…` is no tenant, whatever lies there.
    if (keys.tenantIdOf(keys.tenant(id)) !== id) return undefined;
    try {
      return await this.store.documents.get(keys.tenant(id));
    } catch (error) {
      if (isWrongType(error)) return { wrongType: error.message };
      throw error;
    }
  }

  private async write(attempt: () => Promise<boolean>): Promise<boolean> {
    try {
      return await attempt();
    } catch (error) {
      if (!isWrongType(error)) throw error;
      const detail = 'the key holds a value that is no text; delete it with the program that wrote it';
      throw new GatewayError('tenant_misconfigured', detail, { cause: error });
    }
  }
}

/** Addresses are judged when they are written: a tenant with an old one must still be suspendable. */
function sameAddresses(before: TenantDocument, after: TenantDocument): boolean {
  return JSON.stringify(addressesIn(before)) === JSON.stringify(addressesIn(after));
}

/** Those that were not stored before: a tenant with an old one must still be suspendable. */
function newKeys({ signatureKeys: before }: TenantDocument, { signatureKeys: after }: Tenant): SignatureKeys {
  const old = (before ?? {}) as Partial<SignatureKeys>;
  return Object.fromEntries(
    Object.entries(after ?? {}).filter(([id, { secret }]) => old[id]?.secret !== secret),
  );
}

function addressesIn({ upstreamBaseUrl, allowedRoutes, idp, idps }: TenantDocument): unknown[] {
  const providers = [idp, ...(Array.isArray(idps) ? (idps as unknown[]) : [])] as Array<
    Partial<IdentityProvider> | undefined
  >;
  // An issuer is an address where its configuration is asked for.
  const ofProvider = (one: Partial<IdentityProvider> | null | undefined): unknown[] => [
    one?.issuer,
    one?.jwksUri,
    one?.introspection?.endpoint,
    one?.secrets === undefined,
  ];
  return [upstreamBaseUrl, mirrorUrlsIn(allowedRoutes), ...providers.map(ofProvider)];
}

const FIELDS: Record<keyof Tenant, true> = {
  id: true,
  name: true,
  upstreamBaseUrl: true,
  allowedRoutes: true,
  auth: true,
  rateLimit: true,
  rateLimitPerIp: true,
  ipAllow: true,
  ipDeny: true,
  idp: true,
  idps: true,
  serviceTokens: true,
  timeouts: true,
  retries: true,
  breaker: true,
  compression: true,
  signatureKeys: true,
  signing: true,
  inboundSignature: true,
  cache: true,
  suspended: true,
  maxBodyBytes: true,
  maxConcurrency: true,
  maxStreams: true,
  maintenance: true,
  // prettier-ignore
};

function foreignFields(document: TenantDocument): TenantDocument {
  return Object.fromEntries(Object.entries(document).filter(([field]) => !Object.hasOwn(FIELDS, field)));
}

/** Stored text as an object; RFC 7396 §2 patches anything else as if it were an empty one. */
function dictionary(text: string): TenantDocument {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as TenantDocument)
      : {};
  } catch {
    return {};
  }
}
