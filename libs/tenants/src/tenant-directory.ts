import { hash } from 'node:crypto';
import { GatewayError, type FieldProblem } from '#libs/errors';
import type { Logger } from '#libs/logging';
import { keys, type Store } from '#libs/store';
import { API_KEY_CHALLENGE, isMistyped } from './api-key-format';
import { parseKeyMapping } from './check-api-key';
import { parseService } from './check-service';
import { parseTenant } from './check-tenant';
import { FollowedCache } from './followed-cache';
import { ServedKey, foreignKeyId, type Caller } from './served-key';
import { ServedService } from './served-service';
import { ServedTenant } from './served-tenant';
import { isServiceId } from './service';
import { TargetHealth } from './target-health';
import { checkBilling } from './tenant-billing';
import { isWrongType } from './tenant-index';

/** An entry costs some 0.3 kB for a key and 1 kB for a tenant with a few routes. */
const MAX_ENTRIES = 262_144;

/** A stored document that cannot be served. */
class Broken {
  constructor(readonly problems: readonly FieldProblem[]) {}
}

/** From an API key or the id of a service to their compiled forms, in memory for everyone who called before. */
export class TenantDirectory {
  /** By digest, a byte a character: half as long as in hex, and there are many. */
  private readonly apiKeys: FollowedCache<ServedKey | Broken>;
  private readonly tenants: FollowedCache<ServedTenant | Broken>;
  private readonly services: FollowedCache<ServedService | Broken>;

  /**
   * @param maxStaleMs how long what is known is served while the store is away.
   * @param health what is known about the targets of services.
   */
  constructor(
    private readonly store: Store,
    private readonly logger: Logger,
    maxStaleMs: number,
    private readonly health: TargetHealth = new TargetHealth(),
  ) {
    this.apiKeys = new FollowedCache(store, (digest) => this.readKey(hexOf(digest)), MAX_ENTRIES, maxStaleMs);
    this.tenants = new FollowedCache(store, (id) => this.readTenant(id), MAX_ENTRIES, maxStaleMs);
    this.services = new FollowedCache(store, (id) => this.readService(id), MAX_ENTRIES, maxStaleMs);
    store.changes.subscribe((key) => this.forget(key));
  }

  /**
   * The tenant that an API key belongs to, and the key; synchronous when they are cached, which is nearly always.
   * Whether the key may be used for a request is not judged here.
   * @throws GatewayError invalid_api_key, tenant_misconfigured or store_unavailable
   */
  byApiKey(apiKey: string): Caller | Promise<Caller> {
    if (isMistyped(apiKey)) throw unknownKey();
    return this.byDigest(hash('sha256', apiKey, 'binary'));
  }

  /** The same for a key of which only the hex SHA-256 is known. */
  byKeyHash(keyHash: string): Caller | Promise<Caller> {
    return this.byDigest(Buffer.from(keyHash, 'hex').toString('latin1'));
  }

  private byDigest(digest: string): Caller | Promise<Caller> {
    const known = this.apiKeys.get(digest);
    return known instanceof Promise ? known.then((found) => this.callerOf(found)) : this.callerOf(known);
  }

  /**
   * A tenant by its id; synchronous when it is cached.
   * @throws GatewayError tenant_misconfigured or store_unavailable
   */
  tenant(id: string): ServedTenant | undefined | Promise<ServedTenant | undefined> {
    const tenant = this.tenants.get(id);
    return tenant instanceof Promise ? tenant.then(intact) : intact(tenant);
  }

  /**
   * A service, whoever's it is; synchronous when it is cached.
   * @throws GatewayError tenant_misconfigured or store_unavailable
   */
  service(id: string): ServedService | undefined | Promise<ServedService | undefined> {
    // Paths of strangers must not become keys of the store.
    if (!isServiceId(id)) return undefined;
    const service = this.services.get(id);
    return service instanceof Promise ? service.then(intact) : intact(service);
  }

  private callerOf(found: ServedKey | Broken | undefined): Caller | Promise<Caller> {
    const key = intact(found);
    if (key === undefined) throw unknownKey();
    const tenant = this.tenants.get(key.tenantId);
    return tenant instanceof Promise ? tenant.then((read) => introduce(key, read)) : introduce(key, tenant);
  }

  private async readKey(keyHash: string): Promise<ServedKey | Broken | undefined> {
    const read = await this.read(keys.apiKeyMapping(keyHash), parseKeyMapping);
    if (read === undefined) return undefined;
    if (read.problems) return this.broken('API key', { keyId: foreignKeyId(keyHash) }, read.problems);
    return read.record ? ServedKey.of(read.record) : ServedKey.foreign(keyHash, read.tenantId);
  }

  private async readTenant(id: string): Promise<ServedTenant | Broken | undefined> {
    // `service:1` and `byApiKey:…` are no tenants, whatever a mapping says.
    if (keys.tenantIdOf(keys.tenant(id)) !== id) return undefined;
    const [read, terms] = await Promise.all([
      this.read(keys.tenant(id), (text) => parseTenant(id, text)),
      this.read(keys.tenantBilling(id), checkBilling),
    ]);
    if (read === undefined) return undefined;
    if (read.problems) return this.broken('tenant', { tenantId: id }, read.problems);
    if (terms?.problems) return this.broken('tenant', { tenantId: id }, terms.problems);
    return new ServedTenant(read.tenant, terms?.billing, this.health);
  }

  private async readService(id: string): Promise<ServedService | Broken | undefined> {
    const read = await this.read(keys.service(id), (text) => parseService(id, text));
    if (read?.problems) return this.broken('service', { serviceId: id }, read.problems);
    return read && new ServedService(read.service, this.health);
  }

  private async read<T>(
    key: string,
    parse: (text: string) => T,
  ): Promise<T | { problems: FieldProblem[] } | undefined> {
    try {
      const text = await this.store.documents.get(key);
      return text === undefined ? undefined : parse(text);
    } catch (error) {
      // Somebody stored a list or a hash there: that document is broken, not the store.
      if (isWrongType(error)) return { problems: [{ field: '', message: error.message }] };
      throw error;
    }
  }

  private broken(kind: string, name: Record<string, string>, problems: readonly FieldProblem[]): Broken {
    this.logger.error({ ...name, problems }, `the stored ${kind} cannot be served`);
    return new Broken(problems);
  }

  private forget(key: string | undefined): void {
    if (key === undefined) {
      for (const cache of [this.apiKeys, this.tenants, this.services]) cache.invalidate(undefined);
      return;
    }
    const keyHash = keys.keyHashOf(key);
    if (keyHash !== undefined) this.apiKeys.invalidate(Buffer.from(keyHash, 'hex').toString('latin1'));
    const serviceId = keys.serviceIdOf(key);
    if (serviceId !== undefined) this.services.invalidate(serviceId);
    const id = keys.billedTenantOf(key) ?? keys.tenantIdOf(key);
    if (id !== undefined) this.tenants.invalidate(id);
  }
}

function introduce(key: ServedKey, found: ServedTenant | Broken | undefined): Caller {
  const tenant = intact(found);
  // A key whose tenant is gone is as good as no key; saying more would tell strangers which tenants existed.
  if (tenant === undefined) throw unknownKey();
  return key.callerOf(tenant);
}

/** @throws GatewayError tenant_misconfigured */
function intact<T>(found: T | Broken | undefined): T | undefined {
  if (found instanceof Broken) throw new GatewayError('tenant_misconfigured');
  return found;
}

function unknownKey(): GatewayError {
  return new GatewayError('invalid_api_key', undefined, { headers: API_KEY_CHALLENGE });
}

function hexOf(digest: string): string {
  return Buffer.from(digest, 'latin1').toString('hex');
}
