import { GatewayError } from '#libs/errors';
import { StoreUnavailableError, keys, versionOf, type Store } from '#libs/store';
import { generateCredential, hashApiKey, isCredential, requireTenant, sortableId } from '#libs/tenants';
import {
  ADMIN_TOKEN_PREFIX,
  parseAdminToken,
  stateOfAdminToken,
  type AdminRole,
  type AdminTokenRecord,
  type AdminTokenState,
} from './admin-token';
import { LastKnown } from './last-known';

/** Who somebody is by a token that was accepted. */
export type AdminIdentity = Pick<AdminTokenRecord, 'id' | 'name' | 'role' | 'tenantId'>;

/** What whoever makes a token says about it, checked before. */
export interface NewAdminToken {
  readonly name: string;
  readonly role: AdminRole;
  readonly tenantId?: string;
  /** ISO 8601. */
  readonly expiresAt?: string;
}

/** A record with the time of its last use. */
export type ListedAdminToken = AdminTokenRecord & { readonly lastUsedAt?: string };

export interface CreatedAdminToken {
  readonly record: AdminTokenRecord;
  /** Returned here and never again. */
  readonly token: string;
}

/** `gh_admin_` and 24 of the 256 random bits. */
const SHOWN_LENGTH = ADMIN_TOKEN_PREFIX.length + 4;
/** Those who administer are people and programs that somebody has set up by hand. */
const MAX_TOKENS = 1000;
const PAGE = 100;
const MAX_ROUNDS = 200;
/** How exactly it is known when a token was used: a script that calls all day must not write all day. */
const USE_STEP_MS = 60_000;

/**
 * The admin tokens of a store. Whoever brings one is looked up in the store each time, so that a revocation holds at the
 * next call on every replica; only while the store is away does what was last known count, for a bounded time.
 */
export class AdminTokens {
  private readonly lastKnown: LastKnown<AdminTokenRecord>;
  private readonly usedAt = new Map<string, number>();

  /** @param maxStaleMs how long a token that was seen before is accepted while the store is away. */
  constructor(
    private readonly store: Store,
    maxStaleMs: number,
  ) {
    this.lastKnown = new LastKnown(MAX_TOKENS, maxStaleMs);
  }

  /** @throws GatewayError tenant_not_found, or conflict where there are too many */
  async create(fields: NewAdminToken, actor: string): Promise<CreatedAdminToken> {
    if (fields.tenantId !== undefined) await requireTenant(this.store, fields.tenantId);
    if ((await this.store.documents.indexSize(keys.ADMIN_TOKEN_INDEX)) >= MAX_TOKENS) await this.makeRoom();
    const { name, role, tenantId, expiresAt } = fields;
    const created = await this.make({ name, role, tenantId, expiresAt }, actor);
    await this.withdrawIfOrphaned(created);
    return created;
  }

  /** Up to `limit` tokens made after the one named `after`; a page may be short and not be the last. */
  async list(
    state: AdminTokenState | 'all',
    after: string,
    limit: number,
  ): Promise<{ tokens: ListedAdminToken[]; next?: string }> {
    const members = await this.page(after, limit + 1);
    const page = members.slice(0, limit);
    const found = await Promise.all(page.map((member) => this.listed(hashIn(member))));
    const now = Date.now();
    const tokens = found.filter(
      (record) => record !== undefined && (state === 'all' || stateOfAdminToken(record, now) === state),
    ) as ListedAdminToken[];
    return { tokens, next: members.length > limit ? page.at(-1) : undefined };
  }

  /** @throws GatewayError admin_token_not_found */
  async get(id: string): Promise<ListedAdminToken> {
    const record = await this.listed(await this.hashOf(id));
    if (!record) throw new GatewayError('admin_token_not_found');
    return record;
  }

  /**
   * Makes a token like another one, which goes on working for the time of grace.
   * @throws GatewayError admin_token_not_found, tenant_not_found, or conflict for one that was replaced or has ended
   */
  async rotate(id: string, graceSeconds: number, actor: string): Promise<CreatedAdminToken> {
    const hash = await this.hashOf(id);
    const before = await this.get(id);
    if (before.replacedBy !== undefined || stateOfAdminToken(before, Date.now()) !== 'active')
      throw new GatewayError('conflict', 'the token was replaced already, or has ended');
    const { name, role, tenantId, expiresAt } = before;
    // First the new one, of which nobody knows yet: whatever interrupts this, the old one is not lost without it.
    const made = await this.make({ name, role, tenantId, expiresAt, replaces: id }, actor);
    const validUntil = new Date(Date.now() + graceSeconds * 1000).toISOString();
    try {
      await this.change(hash, (record) => {
        if (record.replacedBy !== undefined || record.revoked)
          throw new GatewayError('conflict', 'others have changed the token at the same time');
        return { ...record, validUntil, replacedBy: made.record.id };
      });
    } catch (error) {
      await this.forget(made.record.id, hashApiKey(made.token));
      throw error;
    }
    await this.withdrawIfOrphaned(made);
    return made;
  }

  /** Takes a token back for good. What took it back first stays. @throws GatewayError admin_token_not_found */
  async revoke(id: string, by: string, reason?: string): Promise<{ record: AdminTokenRecord; key: string }> {
    const hash = await this.hashOf(id);
    const revoked = { at: new Date().toISOString(), by, reason };
    const record = await this.change(hash, (found) => (found.revoked ? found : { ...found, revoked }));
    return { record, key: keys.adminToken(hash) };
  }

  /** Ends the tokens that a tenant had before `time`: whoever gets its id next must not have them. */
  async revokeAllBefore(tenantId: string, time: number): Promise<void> {
    for await (const member of this.members()) {
      const record = await this.read(hashIn(member));
      const theirs = record?.tenantId === tenantId && !(Date.parse(record.createdAt) > time);
      if (theirs && !record.revoked) await this.revoke(record.id, 'gateway', 'the tenant was deleted');
    }
  }

  /**
   * Whose a token is; undefined for whatever is no token, or none any more.
   * @throws StoreUnavailableError when that cannot be said
   */
  async identify(token: string): Promise<AdminIdentity | undefined> {
    if (!isCredential(ADMIN_TOKEN_PREFIX, token)) return undefined;
    const hash = hashApiKey(token);
    const record = await this.current(hash);
    if (!record || stateOfAdminToken(record, Date.now()) !== 'active') return undefined;
    this.noteUse(record.id);
    const { id, name, role, tenantId } = record;
    return { id, name, role, tenantId };
  }

  private async current(hash: string): Promise<AdminTokenRecord | undefined> {
    try {
      const record = await this.read(hash);
      this.lastKnown.note(hash, record, Date.now());
      return record;
    } catch (error) {
      const known = error instanceof StoreUnavailableError ? this.lastKnown.get(hash, Date.now()) : undefined;
      if (known) return known;
      throw error;
    }
  }

  /** Behind the request: nobody waits for it, and nobody minds when it is lost. */
  private noteUse(id: string): void {
    const now = Date.now();
    if (now - (this.usedAt.get(id) ?? 0) < USE_STEP_MS) return;
    if (this.usedAt.size >= MAX_TOKENS) this.usedAt.clear();
    this.usedAt.set(id, now);
    const text = new Date(now).toISOString();
    this.store.documents.put(keys.adminTokenUse(id), text, 'any').catch(() => undefined);
  }

  private async make(
    fields: NewAdminToken & { replaces?: string },
    createdBy: string,
  ): Promise<CreatedAdminToken> {
    const token = generateCredential(ADMIN_TOKEN_PREFIX);
    const hash = hashApiKey(token);
    const now = new Date();
    const record: AdminTokenRecord = {
      id: sortableId(now.getTime()),
      ...fields,
      prefix: token.slice(0, SHOWN_LENGTH),
      createdAt: now.toISOString(),
      createdBy,
    };
    // The entry comes first: there is no token that could not be listed and taken back.
    await this.store.documents.indexAdd(keys.ADMIN_TOKEN_INDEX, `${record.id}:${hash}`);
    await this.store.documents.put(keys.adminToken(hash), JSON.stringify(record), 'absent');
    return { record, token };
  }

  /** The tenant may have been removed meanwhile, after its other tokens had been taken back. */
  private async withdrawIfOrphaned({ record, token }: CreatedAdminToken): Promise<void> {
    if (record.tenantId === undefined) return;
    try {
      await requireTenant(this.store, record.tenantId);
    } catch (error) {
      if (error instanceof GatewayError) await this.forget(record.id, hashApiKey(token));
      throw error;
    }
  }

  private async change(
    hash: string,
    change: (record: AdminTokenRecord) => AdminTokenRecord,
  ): Promise<AdminTokenRecord> {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const text = await this.store.documents.get(keys.adminToken(hash));
      const record = text === undefined ? undefined : parseAdminToken(text);
      if (text === undefined || !record) break;
      const changed = change(record);
      const expected = { version: versionOf(text) };
      if (await this.store.documents.put(keys.adminToken(hash), JSON.stringify(changed), expected))
        return changed;
    }
    throw new GatewayError('admin_token_not_found');
  }

  /** @throws GatewayError conflict */
  private async makeRoom(): Promise<void> {
    for await (const member of this.members()) {
      const record = await this.read(hashIn(member));
      if (record && stateOfAdminToken(record, Date.now()) === 'active') continue;
      return this.forget(idIn(member), hashIn(member));
    }
    throw new GatewayError('conflict', `there are ${MAX_TOKENS} admin tokens in force: take some back first`);
  }

  private async forget(id: string, hash: string): Promise<void> {
    const { documents } = this.store;
    await documents.delete(keys.adminToken(hash), 'any');
    await documents.delete(keys.adminTokenUse(id), 'any');
    await documents.indexRemove(keys.ADMIN_TOKEN_INDEX, `${id}:${hash}`);
  }

  private async hashOf(id: string): Promise<string> {
    const [member] = /^[a-z0-9]{1,40}$/.test(id) ? await this.page(`${id}:`, 1) : [];
    if (member === undefined || idIn(member) !== id) throw new GatewayError('admin_token_not_found');
    return hashIn(member);
  }

  private async listed(hash: string): Promise<ListedAdminToken | undefined> {
    const record = await this.read(hash);
    if (!record) return undefined;
    const lastUsedAt = await this.store.documents.get(keys.adminTokenUse(record.id));
    return { ...record, lastUsedAt };
  }

  private async read(hash: string): Promise<AdminTokenRecord | undefined> {
    const text = await this.store.documents.get(keys.adminToken(hash));
    return text === undefined ? undefined : parseAdminToken(text);
  }

  private async *members(): AsyncIterable<string> {
    for (let page = await this.page('', PAGE); page.length > 0; page = await this.page(page.at(-1)!, PAGE))
      yield* page;
  }

  private page(after: string, limit: number): Promise<string[]> {
    return this.store.documents.indexPage(keys.ADMIN_TOKEN_INDEX, after, limit);
  }
}

function idIn(member: string): string {
  return member.slice(0, member.indexOf(':'));
}

function hashIn(member: string): string {
  return member.slice(member.indexOf(':') + 1);
}
