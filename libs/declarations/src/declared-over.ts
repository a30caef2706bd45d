import { GatewayError } from '#libs/errors';
import {
  keys,
  StoreUnavailableError,
  type ChangeFeed,
  type Documents,
  type Expected,
  type Store,
} from '#libs/store';
import type { Snapshot } from './snapshot';

/** What files declare, now and later. */
export interface Declarations {
  readonly snapshot: Snapshot;
  /** Hears the keys whose documents have changed, after they have. */
  subscribe(listener: (key: string) => void): void;
  close(): void;
}

/**
 * A store in which the declared documents lie over the stored ones: they are read from memory, listed with the
 * others, cannot be written, and their changes are announced with the others. Everything else is the store's.
 */
export function declaredOver(store: Store, declarations: Declarations): Store {
  return new OverlaidStore(store, declarations);
}

class OverlaidStore implements Store {
  readonly kind: Store['kind'];
  readonly documents: Documents;
  readonly changes: ChangeFeed;
  readonly limits: Store['limits'];
  readonly ledgers: Store['ledgers'];
  readonly breakers: Store['breakers'];
  readonly nonces: Store['nonces'];
  readonly notes: Store['notes'];
  readonly recents: Store['recents'];
  readonly responses: Store['responses'];
  readonly fleet: Store['fleet'];

  constructor(
    private readonly store: Store,
    private readonly declarations: Declarations,
  ) {
    this.kind = store.kind;
    this.documents = new OverlaidDocuments(store.documents, declarations);
    this.changes = new JoinedFeed(store.changes, declarations);
    this.limits = store.limits;
    this.ledgers = store.ledgers;
    this.breakers = store.breakers;
    this.nonces = store.nonces;
    this.notes = store.notes;
    this.recents = store.recents;
    this.responses = store.responses;
    this.fleet = store.fleet;
  }

  get state(): Store['state'] {
    return this.store.state;
  }

  get recalledAt(): number | undefined {
    return this.store.recalledAt;
  }

  ready(): Promise<void> {
    return this.store.ready();
  }

  close(): Promise<void> {
    this.declarations.close();
    return this.store.close();
  }
}

/** Reads of what is not declared cost one look into a map more. */
class OverlaidDocuments implements Documents {
  /** The terms of declared tenants as they were last read, by key; undefined where there are none. */
  private readonly terms = new Map<string, string | undefined>();

  constructor(
    private readonly documents: Documents,
    private readonly declarations: Declarations,
  ) {}

  get(key: string): Promise<string | undefined> {
    const declared = this.declarations.snapshot.get(key);
    if (declared) return Promise.resolve(declared.text);
    const billed = keys.billedTenantOf(key);
    const ours = billed !== undefined && this.declarations.snapshot.get(keys.tenant(billed)) !== undefined;
    return ours ? this.termsOf(key) : this.documents.get(key);
  }

  declaredIn(key: string): string | undefined {
    return this.declarations.snapshot.get(key)?.file ?? this.documents.declaredIn?.(key);
  }

  async put(key: string, value: string, expected: Expected): Promise<boolean> {
    this.refuseDeclared(key);
    return this.documents.put(key, value, expected);
  }

  async delete(key: string, expected: Expected): Promise<boolean> {
    this.refuseDeclared(key);
    return this.documents.delete(key, expected);
  }

  async *scan(prefix: string): AsyncIterable<string> {
    const { snapshot } = this.declarations;
    for (const key of snapshot.keys())
      if (key.startsWith(prefix) && snapshot.get(key)?.text !== undefined) yield key;
    for await (const key of this.documents.scan(prefix)) if (!snapshot.get(key)) yield key;
  }

  /** Declared entries are there as long as the file is: the store's own indexes stay free of them. */
  async indexAdd(index: string, member: string): Promise<void> {
    if (!this.declares(index, member)) await this.documents.indexAdd(index, member);
  }

  async indexRemove(index: string, member: string): Promise<void> {
    if (!this.declares(index, member)) await this.documents.indexRemove(index, member);
  }

  async indexPage(index: string, after: string, limit: number): Promise<string[]> {
    const stored = await this.documents.indexPage(index, after, limit);
    const declared = this.declarations.snapshot.members(index).filter((member) => member > after);
    if (declared.length === 0) return stored;
    return [...new Set([...stored, ...declared])].sort().slice(0, limit);
  }

  async indexPageBack(index: string, before: string, limit: number): Promise<string[]> {
    const stored = await this.documents.indexPageBack(index, before, limit);
    const earlier = (member: string): boolean => before === '' || member < before;
    const declared = this.declarations.snapshot.members(index).filter(earlier);
    if (declared.length === 0) return stored;
    return [...new Set([...stored, ...declared])].sort().reverse().slice(0, limit);
  }

  async indexSize(index: string): Promise<number> {
    return (await this.documents.indexSize(index)) + this.declarations.snapshot.members(index).length;
  }

  indexDrop(index: string): Promise<void> {
    return this.documents.indexDrop(index);
  }

  indexes(): AsyncIterable<string> {
    return this.documents.indexes();
  }

  /** While the store is away, what was last known: a file that changes meanwhile must not put its tenant out of service. */
  private async termsOf(key: string): Promise<string | undefined> {
    try {
      const text = await this.documents.get(key);
      this.terms.set(key, text);
      return text;
    } catch (error) {
      if (error instanceof StoreUnavailableError && this.terms.has(key)) return this.terms.get(key);
      throw error;
    }
  }

  private declares(index: string, member: string): boolean {
    return this.declarations.snapshot.members(index).includes(member);
  }

  /** @throws GatewayError declared_in_file */
  private refuseDeclared(key: string): void {
    const declared = this.declarations.snapshot.get(key);
    if (declared)
      throw new GatewayError('declared_in_file', `it is declared in ${declared.file}: change it there`);
  }
}

/** The feed of the store, and of the files beside it. */
class JoinedFeed implements ChangeFeed {
  constructor(
    private readonly feed: ChangeFeed,
    private readonly declarations: Declarations,
  ) {}

  get epoch(): number {
    return this.feed.epoch;
  }

  get trustMs(): number {
    return this.feed.trustMs;
  }

  get ageMs(): number {
    return this.feed.ageMs;
  }

  subscribe(listener: (key: string | undefined) => void): void {
    this.feed.subscribe(listener);
    this.declarations.subscribe(listener);
  }

  acknowledged(timeoutMs: number, changed?: readonly string[]): ReturnType<ChangeFeed['acknowledged']> {
    return this.feed.acknowledged(timeoutMs, changed);
  }
}
