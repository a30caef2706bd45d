/** What was last known of some names, for as long as it may be relied on. Forgets everything when it is full. */
export class LastKnown<T> {
  private readonly known = new Map<string, { value: T; at: number }>();

  /** @param maxAgeMs counted from when it was known. */
  constructor(
    private readonly maxEntries: number,
    private readonly maxAgeMs: number,
  ) {}

  /** @param value undefined: there is nothing any more. */
  note(name: string, value: T | undefined, now: number): void {
    if (value === undefined) return void this.known.delete(name);
    if (this.known.size >= this.maxEntries && !this.known.has(name)) this.known.clear();
    this.known.set(name, { value, at: now });
  }

  get(name: string, now: number): T | undefined {
    const entry = this.known.get(name);
    return entry && now - entry.at < this.maxAgeMs ? entry.value : undefined;
  }
}
