import { GatewayError } from '#libs/errors';
import {
  DocumentsOver,
  keys,
  storeOver,
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
  return storeOver(store, {
    documents: new OverlaidDocuments(store.documents, declarations),
    changes: new JoinedFeed(store.changes, declarations),
    close() {
      declarations.close();
      return store.close();
    },
  });
}

/** Reads of what is not declared cost one look into a map more. */
class OverlaidDocuments extends DocumentsOver {
  /** The terms of declared tenants as they were last read, by key; undefined where there are none. */
  private readonly terms = new Map<string, string | undefined>();

  constructor(
    documents: Documents,
    private readonly declarations: Declarations,
  ) {
    super(documents);
  }

  override get(key: string): Promise<string | undefined> {
    const declared = this.declarations.snapshot.get(key);
    if (declared) return Promise.resolve(declared.text);
    const billed = keys.billedTenantOf(key);
    const ours = billed !== undefined && this.declarations.snapshot.get(keys.tenant(billed)) !== undefined;
    return ours ? this.termsOf(key) : this.below.get(key);
  }

  override declaredIn(key: string): string | undefined {
    return this.declarations.snapshot.get(key)?.file ?? super.declaredIn(key);
  }

  override async put(key: string, value: string, expected: Expected): Promise<boolean> {
    this.refuseDeclared(key);
    return this.below.put(key, value, expected);
  }

  override async delete(key: string, expected: Expected): Promise<boolean> {
    this.refuseDeclared(key);
    return this.below.delete(key, expected);
  }

  override async *scan(prefix: string): AsyncIterable<string> {
    const { snapshot } = this.declarations;
    for (const key of snapshot.keys())
      if (key.startsWith(prefix) && snapshot.get(key)?.text !== undefined) yield key;
    for await (const key of this.below.scan(prefix)) if (!snapshot.get(key)) yield key;
  }

  /** Declared entries are there as long as the file is: the store's own indexes stay free of them. */
  override async indexAdd(index: string, member: string): Promise<void> {
    if (!this.declares(index, member)) await this.below.indexAdd(index, member);
  }

  override async indexRemove(index: string, member: string): Promise<void> {
    if (!this.declares(index, member)) await this.below.indexRemove(index, member);
  }

  override async indexPage(index: string, after: string, limit: number): Promise<string[]> {
    const stored = await this.below.indexPage(index, after, limit);
    const declared = this.declarations.snapshot.members(index).filter((member) => member > after);
    if (declared.length === 0) return stored;
    return [...new Set([...stored, ...declared])].sort().slice(0, limit);
  }

  override async indexPageBack(index: string, before: string, limit: number): Promise<string[]> {
    const stored = await this.below.indexPageBack(index, before, limit);
    const earlier = (member: string): boolean => before === '' || member < before;
    const declared = this.declarations.snapshot.members(index).filter(earlier);
    if (declared.length === 0) return stored;
    return [...new Set([...stored, ...declared])].sort().reverse().slice(0, limit);
  }

  override async indexSize(index: string): Promise<number> {
    return (await this.below.indexSize(index)) + this.declarations.snapshot.members(index).length;
  }

  /** While the store is away, what was last known: a file that changes meanwhile must not put its tenant out of service. */
  private async termsOf(key: string): Promise<string | undefined> {
    try {
      const text = await this.below.get(key);
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
