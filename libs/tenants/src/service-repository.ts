import { GatewayError } from '#libs/errors';
import { keys, versionOf, type Store } from '#libs/store';
import type { AddressPolicy } from './address-policy';
import type { ApiKeyRepository } from './api-key-repository';
import { checkServiceFields, parseService } from './check-service';
import { checkKeyNames } from './check-signing';
import { forgetBreakers } from './forget-breakers';
import { usableIssuers } from './identity-provider';
import { MAX_ROUNDS, demandVersion, readTenant, refuseInvalid, requireTenant } from './preconditions';
import {
  isServiceId,
  isServiceNumber,
  type Service,
  type ServiceFields,
  type StoredService,
} from './service';
import { mirrorUrlsIn } from './shaping/check-shape';
import { jwtByDefault } from './served-tenant';
import type { Tenant } from './tenant';

const PAGE = 100;
/** Digits of the longest id, so that the members of an index sort as numbers do. */
const ID_DIGITS = 15;

/** The control plane's services: versioned documents, every write compared with what was read. */
export class ServiceRepository {
  /**
   * @param addresses where targets may point to.
   * @param ownTokens whether the gateway has keys of its own for tokens of tenants without an identity provider.
   */
  constructor(
    private readonly store: Store,
    private readonly apiKeys: ApiKeyRepository,
    private readonly addresses: AddressPolicy,
    private readonly ownTokens = false,
  ) {}

  /**
   * Stores a new service under the next number.
   * @throws GatewayError tenant_not_found, tenant_misconfigured or validation_failed
   */
  async create(tenantId: string, fields: ServiceFields): Promise<StoredService> {
    const tenant = await readTenant(this.store, tenantId);
    const checked = this.checked(fields, tenant, this.addresses);
    const { documents } = this.store;
    const index = keys.serviceIndex(tenantId);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const id = await this.nextId();
      const service = { id, tenantId, createdAt: new Date().toISOString(), ...checked };
      const text = JSON.stringify(service);
      // The entry comes first: whatever interrupts this, no service stays that the tenant's removal does not find.
      await documents.indexAdd(index, memberOf(id));
      await this.forgetBreakers(service);
      if (await documents.put(keys.service(id), text, 'absent')) {
        // Somebody who listed meanwhile may have taken the entry for one that was left behind.
        await documents.indexAdd(index, memberOf(id));
        await this.withdrawIfOrphaned(service);
        return { service, version: versionOf(text) };
      }
      // The sequence was lost, and the number is somebody's.
      await this.settle(tenantId, id);
    }
    throw new GatewayError('conflict', 'no number could be found for the service');
  }

  /** @throws GatewayError tenant_not_found, tenant_misconfigured, or service_not_found, also for another tenant's */
  async get(tenantId: string, id: string): Promise<StoredService> {
    await requireTenant(this.store, tenantId);
    return this.read(tenantId, id);
  }

  /**
   * Up to `limit` services with numbers above `after`, and the id to go on from, if there are more. Those that another
   * program has spoilt are left out.
   * @throws GatewayError tenant_not_found
   */
  async list(
    tenantId: string,
    after: string,
    limit: number,
  ): Promise<{ services: StoredService[]; next?: string }> {
    await requireTenant(this.store, tenantId);
    const position = after === '' ? '' : memberOf(after);
    const ids = await this.page(tenantId, position, limit + 1);
    const page = ids.slice(0, limit);
    const found = await Promise.all(page.map((id) => this.findOrSettle(tenantId, id)));
    const services = found.filter((service) => service !== undefined);
    return { services, next: ids.length > limit ? page.at(-1) : undefined };
  }

  /** How many services a tenant has, as the index has them. */
  count(tenantId: string): Promise<number> {
    return this.store.documents.indexSize(keys.serviceIndex(tenantId));
  }

  /**
   * Reads, changes and writes, and again if somebody else wrote in between.
   * @param change gets the fields as they are; returns all that are to be.
   * @param versions of which the stored one must be one; absent demands nothing.
   * @throws GatewayError tenant_not_found, tenant_misconfigured, service_not_found, validation_failed or
   *   precondition_failed
   */
  async update(
    tenantId: string,
    id: string,
    change: (current: ServiceFields) => unknown,
    versions?: readonly string[],
  ): Promise<StoredService> {
    const tenant = await readTenant(this.store, tenantId);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = await this.read(tenantId, id);
      demandVersion(before.version, versions);
      const { id: _id, tenantId: _tenantId, createdAt, ...current } = before.service;
      const fields = change(current);
      const addresses = sameTargets(current, fields) ? undefined : this.addresses;
      const service = { id, tenantId, createdAt, ...this.checked(fields, tenant, addresses) };
      const text = JSON.stringify(service);
      const expected = { version: before.version };
      if (!(await this.store.documents.put(keys.service(id), text, expected))) continue;
      await this.forgetBreakers(before.service, service);
      return { service, version: versionOf(text) };
    }
    throw new GatewayError('precondition_failed', 'others kept changing the service at the same time');
  }

  /**
   * Removes a service and the keys that open nothing else.
   * @throws GatewayError tenant_not_found, service_not_found or precondition_failed
   */
  async remove(tenantId: string, id: string, versions?: readonly string[]): Promise<void> {
    await requireTenant(this.store, tenantId);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const text = await this.text(tenantId, id);
      if (text === undefined) throw new GatewayError('service_not_found');
      const version = versionOf(text);
      demandVersion(version, versions);
      // First: from here on the service is refused, even if nothing of what follows is reached.
      if (!(await this.store.documents.delete(keys.service(id), { version }))) continue;
      await this.apiKeys.revokeAllOf(tenantId, id);
      await this.forgetBreakers(parseService(id, text).service);
      return this.store.documents.indexRemove(keys.serviceIndex(tenantId), memberOf(id));
    }
    throw new GatewayError('precondition_failed', 'others kept changing the service at the same time');
  }

  /**
   * Removes the services that a tenant had before `time` (milliseconds since the epoch), but not their keys: a tenant
   * that follows under the same id must not inherit them.
   */
  async removeAllBefore(tenantId: string, time: number): Promise<void> {
    let after = '';
    for (let ids = await this.page(tenantId, after, PAGE); ids.length > 0;) {
      for (const id of ids) {
        const text = await this.text(tenantId, id);
        const service = text === undefined ? undefined : parseService(id, text).service;
        if (service && Date.parse(service.createdAt) > time) continue;
        if (text !== undefined) await this.store.documents.delete(keys.service(id), 'any');
        await this.forgetBreakers(service);
        await this.store.documents.indexRemove(keys.serviceIndex(tenantId), memberOf(id));
      }
      after = memberOf(ids.at(-1) ?? '');
      ids = await this.page(tenantId, after, PAGE);
    }
  }

  /** Those of a service's targets, but not of the ones that it still has. */
  private async forgetBreakers(before: Service | undefined, now?: Service): Promise<void> {
    if (!before) return;
    const kept = new Set(now?.targets.map(({ url }) => url));
    const gone = before.targets.map(({ url }) => url).filter((url) => !kept.has(url));
    await forgetBreakers(this.store, { tenantId: before.tenantId, serviceId: before.id }, gone);
  }

  private checked(fields: unknown, tenant: Tenant, addresses: AddressPolicy | undefined): ServiceFields {
    const issuers = usableIssuers(tenant, this.ownTokens);
    refuseInvalid(checkServiceFields(fields, addresses, issuers));
    refuseInvalid(checkKeyNames(fields as ServiceFields, tenant.signatureKeys));
    const { auth, ...rest } = fields as ServiceFields;
    // Written down, so that it does not change behind the service's back when the tenant does.
    return { ...rest, auth: auth ?? { jwt: jwtByDefault(tenant) } };
  }

  /** The tenant may have been removed while its service was being made, after its other services had been collected. */
  private async withdrawIfOrphaned({ id, tenantId }: Service): Promise<void> {
    try {
      await requireTenant(this.store, tenantId);
    } catch (error) {
      if (error instanceof GatewayError) {
        await this.store.documents.delete(keys.service(id), 'any');
        await this.store.documents.indexRemove(keys.serviceIndex(tenantId), memberOf(id));
      }
      throw error;
    }
  }

  private async nextId(): Promise<string> {
    const { documents } = this.store;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const last = await documents.get(keys.SERVICE_SEQUENCE);
      const next = String(Number(last ?? 0) + 1);
      if (!isServiceNumber(next)) throw new Error(`${keys.SERVICE_SEQUENCE} holds no number`);
      const expected = last === undefined ? 'absent' : { version: versionOf(last) };
      if (await documents.put(keys.SERVICE_SEQUENCE, next, expected)) return next;
    }
    throw new GatewayError('conflict', 'others kept making services at the same time');
  }

  private async findOrSettle(tenantId: string, id: string): Promise<StoredService | undefined> {
    const text = await this.text(tenantId, id);
    if (text === undefined) {
      await this.settle(tenantId, id);
      return undefined;
    }
    const { service } = parseService(id, text);
    return service && { service, version: versionOf(text) };
  }

  /** Removes the entry of a service that the tenant does not have. */
  private async settle(tenantId: string, id: string): Promise<void> {
    const index = keys.serviceIndex(tenantId);
    await this.store.documents.indexRemove(index, memberOf(id));
    // It may have been written since it was looked for, and must not stay without its entry.
    if ((await this.text(tenantId, id)) !== undefined)
      await this.store.documents.indexAdd(index, memberOf(id));
  }

  private async page(tenantId: string, position: string, limit: number): Promise<string[]> {
    const members = await this.store.documents.indexPage(keys.serviceIndex(tenantId), position, limit);
    return members.map((member) => (/^\d+$/.test(member) ? member.replace(/^0+/, '') : member));
  }

  private async read(tenantId: string, id: string): Promise<StoredService> {
    const text = await this.text(tenantId, id);
    if (text === undefined) throw new GatewayError('service_not_found');
    const { service } = parseService(id, text);
    if (!service) throw new GatewayError('tenant_misconfigured', 'the stored service cannot be read');
    return { service, version: versionOf(text) };
  }

  /** The document of a service, be it one that cannot be served, if it is this tenant's. */
  private async text(tenantId: string, id: string): Promise<string | undefined> {
    const text = isServiceId(id) ? await this.store.documents.get(keys.service(id)) : undefined;
    return text !== undefined && ownerOf(text) === tenantId ? text : undefined;
  }
}

/** The entry of a service in the index of its tenant's services: numbers sort as numbers; names, which never are one, behind most of them. */
export function memberOf(id: string): string {
  return isServiceNumber(id) ? id.padStart(ID_DIGITS, '0') : id;
}

function ownerOf(text: string): unknown {
  try {
    return (JSON.parse(text) as { tenantId?: unknown } | null)?.tenantId;
  } catch {
    return undefined;
  }
}

/** Addresses are judged when they are written: a service with an old one must still be renamable. */
function sameTargets(before: ServiceFields, after: unknown): boolean {
  const urls = (fields: unknown): unknown => {
    const targets = (fields as { targets?: unknown } | undefined)?.targets;
    return Array.isArray(targets)
      ? targets.map((target) => (target as { url?: unknown } | null)?.url)
      : targets;
  };
  return (
    JSON.stringify([urls(before), mirrorUrlsIn(before)]) ===
    JSON.stringify([urls(after), mirrorUrlsIn(after)])
  );
}
