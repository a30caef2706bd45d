import type { Documents, Expected, Store } from './store';

/**
 * The same store but for some of its parts. What is not among them is passed on, also what stores come to have later:
 * a layer that lists the parts loses those that it has not heard of.
 */
export function storeOver(store: Store, parts: Partial<Store>): Store {
  // Both keep state in the store that is meant.
  const own: Partial<Store> = { ready: () => store.ready(), close: () => store.close() };
  return Object.create(store, {
    ...Object.getOwnPropertyDescriptors(own),
    ...Object.getOwnPropertyDescriptors(parts),
  }) as Store;
}

/** Documents that lie over others and pass everything on; a layer overrides what it does otherwise. */
export class DocumentsOver implements Documents {
  constructor(protected readonly below: Documents) {}

  get(key: string): Promise<string | undefined> {
    return this.below.get(key);
  }

  declaredIn(key: string): string | undefined {
    return this.below.declaredIn?.(key);
  }

  put(key: string, value: string, expected: Expected): Promise<boolean> {
    return this.below.put(key, value, expected);
  }

  delete(key: string, expected: Expected): Promise<boolean> {
    return this.below.delete(key, expected);
  }

  scan(prefix: string): AsyncIterable<string> {
    return this.below.scan(prefix);
  }

  indexAdd(index: string, member: string): Promise<void> {
    return this.below.indexAdd(index, member);
  }

  indexRemove(index: string, member: string): Promise<void> {
    return this.below.indexRemove(index, member);
  }

  indexPage(index: string, after: string, limit: number): Promise<string[]> {
    return this.below.indexPage(index, after, limit);
  }

  indexPageBack(index: string, before: string, limit: number): Promise<string[]> {
    return this.below.indexPageBack(index, before, limit);
  }

  indexSize(index: string): Promise<number> {
    return this.below.indexSize(index);
  }

  indexDrop(index: string): Promise<void> {
    return this.below.indexDrop(index);
  }

  indexes(): AsyncIterable<string> {
    return this.below.indexes();
  }
}
