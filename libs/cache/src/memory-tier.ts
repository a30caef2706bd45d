import type { CacheKey } from './cache-key';
import type { StoredResponse } from './stored-response';
import { TenantShelf } from './tenant-shelf';

/** An entry larger than this part of all memory would push out too much for too few. */
const LARGEST_SHARE = 8;
/** Of all memory: room is made in strides, so that not every response that is stored looks for it. */
const STRIDE = 64;
/** Shelves without anything on them, kept for their counts. */
const MAX_SHELVES = 10_000;

/**
 * Responses in the memory of this process, bounded in bytes over all tenants. Room is made at the expense of whoever has
 * most, so a tenant that asks for a million different things pushes out its own and nobody else's.
 */
export class MemoryTier {
  evictions = 0;
  /** Never less than there is: what goes by itself is not counted until room has to be made. */
  private used = 0;
  private readonly shelves = new Map<string, TenantShelf>();

  /** @param maxBytes 0 stores nothing. */
  constructor(readonly maxBytes: number) {}

  get bytes(): number {
    let bytes = 0;
    for (const shelf of this.shelves.values()) bytes += shelf.bytes;
    return bytes;
  }

  get entries(): number {
    let entries = 0;
    for (const shelf of this.shelves.values()) entries += shelf.entries;
    return entries;
  }

  /** What there is of a tenant; made when it is first asked for. */
  shelf(tenantId: string): TenantShelf {
    let shelf = this.shelves.get(tenantId);
    if (!shelf) {
      if (this.shelves.size >= MAX_SHELVES) this.clear();
      this.shelves.set(tenantId, (shelf = new TenantShelf()));
    }
    return shelf;
  }

  known(tenantId: string): TenantShelf | undefined {
    return this.shelves.get(tenantId);
  }

  /** @returns false for what is too large. */
  put(tenantId: string, key: CacheKey, headers: readonly string[], response: StoredResponse): boolean {
    if (response.size * LARGEST_SHARE > this.maxBytes) return false;
    const shelf = this.shelf(tenantId);
    const before = shelf.bytes;
    shelf.put(key, headers, response);
    this.used += shelf.bytes - before;
    if (this.used > this.maxBytes) this.makeRoom();
    return true;
  }

  drop(tenantId: string): void {
    this.shelves.delete(tenantId);
  }

  private makeRoom(): void {
    const shelves = [...this.shelves.values()].sort((one, other) => other.bytes - one.bytes);
    this.used = shelves.reduce((sum, { bytes }) => sum + bytes, 0);
    let excess = this.used - this.maxBytes;
    if (excess <= 0) return;
    excess += this.maxBytes / STRIDE;
    // The largest are cut down to the size of the next largest, all the way down until there is room.
    for (let i = 0; i < shelves.length && excess > 0; i++) {
      const next = shelves[i + 1]?.bytes ?? 0;
      const largest = shelves.slice(0, i + 1);
      const cut = Math.min(
        excess,
        largest.reduce((sum, { bytes }) => sum + bytes - next, 0),
      );
      if (cut <= 0) continue;
      for (const shelf of largest) {
        const before = shelf.bytes;
        this.evictions += shelf.evict(Math.ceil(cut / largest.length));
        excess -= before - shelf.bytes;
        this.used -= before - shelf.bytes;
      }
    }
  }

  /** Empty shelves go. */
  private clear(): void {
    for (const [id, shelf] of this.shelves) if (shelf.entries === 0) this.shelves.delete(id);
  }
}
