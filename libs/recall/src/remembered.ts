import { keys } from '#libs/store';

/** About as much as the caches hold of a busy replica; beyond it what came first goes first. */
const MAX_ENTRIES = 100_000;
const MAX_BYTES = 64 * 1024 * 1024;

/** The texts of documents as they were last read; null where it is known that there is none. */
export class Remembered {
  private readonly texts = new Map<string, string | null>();
  private bytes = 0;
  /** Grows with every change. */
  changes = 0;

  constructor(
    private readonly maxEntries = MAX_ENTRIES,
    private readonly maxBytes = MAX_BYTES,
  ) {}

  get(key: string): string | null | undefined {
    return this.texts.get(key);
  }

  has(key: string): boolean {
    return this.texts.has(key);
  }

  get keys(): string[] {
    return [...this.texts.keys()];
  }

  get entries(): Iterable<readonly [key: string, text: string | null]> {
    return this.texts;
  }

  /** @param text undefined: there is no such document. */
  note(key: string, text: string | undefined): void {
    const before = this.texts.get(key);
    if (text === undefined && before === undefined && !mayBeAbsent(key)) return;
    const now = text ?? null;
    if (before === now) return;
    this.forget(key);
    this.texts.set(key, now);
    this.bytes += sizeOf(key, now);
    this.changes += 1;
    for (const oldest of this.texts.keys()) {
      if (this.texts.size <= this.maxEntries && this.bytes <= this.maxBytes) break;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    const text = this.texts.get(key);
    if (text === undefined) return;
    this.bytes -= sizeOf(key, text);
    this.texts.delete(key);
  }
}

/**
 * Whether it is worth remembering that a document was never there. Strangers can ask for any key, tenant or service; for
 * these only of those that exist, and for tokens only with a good signature.
 */
function mayBeAbsent(key: string): boolean {
  return (
    key === keys.GATEWAY_MAINTENANCE ||
    [keys.billedTenantOf, keys.purgedTenantOf, keys.publisherOf, keys.tokenIdOf].some(
      (of) => of(key) !== undefined,
    )
  );
}

function sizeOf(key: string, text: string | null): number {
  return 2 * (key.length + (text?.length ?? 0));
}
