/**
 * A bounded map that forgets what has not been used for longest, in two generations: what is found in the older one
 * moves to the younger one, and when that is half full the older one is dropped. A hit costs one map access.
 * Not lru-cache, which reserves memory for all its entries at the start: with room for 100,000 tenants that is 6 MB
 * per cache in a gateway of one tenant, and its linked list is touched on every request.
 */
export class GenerationalCache<T extends NonNullable<unknown>> {
  private young = new Map<string, T>();
  private old = new Map<string, T>();

  /** @param maxEntries at least half as many of the latest used entries are always kept. */
  constructor(private readonly maxEntries: number) {}

  get(key: string): T | undefined {
    const value = this.young.get(key);
    if (value !== undefined) return value;
    const older = this.old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: string, value: T): void {
    this.young.set(key, value);
    if (this.young.size * 2 <= this.maxEntries) return;
    this.old = this.young;
    this.young = new Map();
  }

  delete(key: string): void {
    this.young.delete(key);
    this.old.delete(key);
  }
}
