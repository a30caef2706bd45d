import type { CacheKey } from './cache-key';
import { variantKey } from './cache-key';
import type { StoredResponse } from './stored-response';

/** Variants of one key: `Vary: User-Agent` must not fill the memory with one page. */
const MAX_VARIANTS = 64;

/** What was asked for before so many invalidations is not stored any more. */
const MAX_VOIDED = 256;

/** All that is stored under one primary key. */
interface Slot {
  readonly key: CacheKey;
  /** What any of them varies by: a name too many only tells more apart. */
  vary: readonly string[];
  readonly variants: Map<string, StoredResponse>;
  used: boolean;
}

/** What a look-up found: nothing under the key, nothing for this variant, or a response. */
export type Found = StoredResponse | 'uri-miss' | 'vary-miss';

/** What is stored for one tenant in this process, and what came of it. */
export class TenantShelf {
  bytes = 0;
  entries = 0;
  /** Requests by what became of them, since this process has something for the tenant. */
  readonly outcomes: Record<string, number> = {};
  /** URIs that were invalidated lately, the latest last, and how many came before them. */
  private readonly voided: string[] = [];
  private voidedBefore = 0;
  private readonly slots = new Map<string, Slot>();
  /** Primary keys by URI. */
  private readonly byUri = new Map<string, Set<string>>();

  find(key: CacheKey, headers: readonly string[]): Found {
    const slot = this.slots.get(key.primary);
    if (slot === undefined) return 'uri-miss';
    slot.used = true;
    const variant = slot.vary.length === 0 ? '' : variantKey(slot.vary, headers);
    return slot.variants.get(variant) ?? 'vary-miss';
  }

  /** What `find` would find, without counting as use. */
  peek(key: CacheKey, headers: readonly string[]): StoredResponse | undefined {
    const slot = this.slots.get(key.primary);
    return slot?.variants.get(slot.vary.length === 0 ? '' : variantKey(slot.vary, headers));
  }

  /** What responses under a key are known to vary by. */
  varyOf({ primary }: CacheKey): readonly string[] | undefined {
    return this.slots.get(primary)?.vary;
  }

  /** @param headers of the request that it answers */
  put(key: CacheKey, headers: readonly string[], response: StoredResponse): void {
    const slot = this.slotFor(key, response.terms.vary);
    const variant = variantKey(slot.vary, headers);
    this.removeVariant(slot, variant);
    if (slot.variants.size >= MAX_VARIANTS)
      this.removeVariant(slot, slot.variants.keys().next().value as string);
    slot.variants.set(variant, response);
    this.bytes += response.size + key.primary.length + variant.length;
    this.entries += 1;
  }

  private slotFor(key: CacheKey, vary: readonly string[]): Slot {
    let slot = this.slots.get(key.primary);
    if (slot === undefined) {
      slot = { key, vary, variants: new Map(), used: false };
      this.slots.set(key.primary, slot);
      const keys = this.byUri.get(key.uri);
      if (keys) keys.add(key.primary);
      else this.byUri.set(key.uri, new Set([key.primary]));
      return slot;
    }
    const more = vary.filter((name) => !slot.vary.includes(name));
    if (more.length > 0) {
      // What was told apart by less cannot be found any more.
      for (const variant of [...slot.variants.keys()]) this.removeVariant(slot, variant);
      slot.vary = [...slot.vary, ...more].sort();
    }
    return slot;
  }

  /** The moment of a request, in invalidations; see `isVoid`. */
  get moment(): number {
    return this.voidedBefore + this.voided.length;
  }

  /** Whether what was asked for at a moment was invalidated since, or may have been. */
  isVoid(moment: number, uri: string): boolean {
    const lately = moment - this.voidedBefore;
    return lately < 0 || lately > this.voided.length || this.voided.includes(uri, lately);
  }

  remove(key: CacheKey, response: StoredResponse): void {
    const slot = this.slots.get(key.primary);
    if (!slot) return;
    for (const [variant, stored] of slot.variants) if (stored === response) this.removeVariant(slot, variant);
    if (slot.variants.size === 0) this.removeSlot(slot);
  }

  /** Forgets everything about a URI. */
  invalidate(uri: string): void {
    this.voided.push(uri);
    if (this.voided.length > MAX_VOIDED) {
      this.voided.shift();
      this.voidedBefore += 1;
    }
    for (const primary of [...(this.byUri.get(uri) ?? [])]) {
      const slot = this.slots.get(primary);
      if (slot) this.removeSlot(slot);
    }
  }

  /**
   * Makes room: what was not asked for since the last time goes first, in the order in which it came.
   * @returns how many responses went
   */
  evict(bytes: number): number {
    const target = this.bytes - bytes;
    let evicted = 0;
    // Twice round at the most: the second time nothing counts as used any more.
    for (let looks = this.slots.size * 2; looks > 0 && this.bytes > target; looks--) {
      const slot = this.slots.values().next().value as Slot;
      if (slot.used) {
        slot.used = false;
        this.slots.delete(slot.key.primary);
        this.slots.set(slot.key.primary, slot);
      } else {
        evicted += slot.variants.size;
        this.removeSlot(slot);
      }
    }
    return evicted;
  }

  private removeSlot(slot: Slot): void {
    for (const variant of [...slot.variants.keys()]) this.removeVariant(slot, variant);
    const { primary, uri } = slot.key;
    this.slots.delete(primary);
    const keys = this.byUri.get(uri);
    keys?.delete(primary);
    if (keys?.size === 0) this.byUri.delete(uri);
  }

  private removeVariant(slot: Slot, variant: string): void {
    const stored = slot.variants.get(variant);
    if (stored === undefined) return;
    slot.variants.delete(variant);
    this.bytes -= stored.size + slot.key.primary.length + variant.length;
    this.entries -= 1;
  }
}
