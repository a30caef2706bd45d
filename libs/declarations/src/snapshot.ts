import type { ReadFile } from './read-file';

/** A document that a file declares; without a text there is none, whatever the store holds. */
export interface DeclaredDocument {
  readonly text: string | undefined;
  readonly file: string;
}

/** All that the files declare at one moment. Never changes. */
export class Snapshot {
  private readonly documents = new Map<string, DeclaredDocument>();
  /** Members in byte order, by index. */
  private readonly indexes = new Map<string, string[]>();

  /** @param departing what is still found, and listed nowhere. */
  constructor(
    readonly files: readonly ReadFile[] = [],
    private readonly departing: ReadonlyMap<string, DeclaredDocument> = new Map(),
  ) {
    for (const { file, declared } of files) {
      for (const [key, text] of declared?.documents.texts ?? []) this.documents.set(key, { text, file });
      for (const [index, member] of declared?.documents.entries ?? []) {
        const members = this.indexes.get(index);
        if (members) members.push(member);
        else this.indexes.set(index, [member]);
      }
    }
    for (const members of this.indexes.values()) members.sort();
  }

  get(key: string): DeclaredDocument | undefined {
    return this.documents.get(key) ?? this.departing.get(key);
  }

  members(index: string): readonly string[] {
    return this.indexes.get(index) ?? [];
  }

  keys(): IterableIterator<string> {
    return this.documents.keys();
  }

  /** Those of what is departing, too. */
  allKeys(): string[] {
    return [...this.documents.keys(), ...this.departing.keys()];
  }

  /** The keys under which another snapshot says something else. */
  differences(other: Snapshot): string[] {
    const both = new Set([...this.allKeys(), ...other.allKeys()]);
    return [...both].filter((key) => {
      const [mine, theirs] = [this.get(key), other.get(key)];
      return mine === undefined || theirs === undefined || mine.text !== theirs.text;
    });
  }
}
