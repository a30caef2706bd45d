import { keys, versionOf, type Store } from '#libs/store';
import { isWrongType } from '#libs/tenants';
import type { ServiceTokenRecord } from './service-token';
import { TokenIndex, entryOf, idIn, type Place } from './token-index';
import { isTokenId, parseTokenRecord } from './token-record';

/** What lies under the key of a token. */
export interface FoundToken {
  /** Undefined where it is no text. */
  readonly text: string | undefined;
  /** Undefined where it is no record. */
  readonly record: ServiceTokenRecord | undefined;
}

/** The records of tokens and the index that finds them. */
export class TokenDocuments {
  readonly index: TokenIndex;

  constructor(private readonly store: Store) {
    this.index = new TokenIndex(store);
  }

  async find(jti: string): Promise<FoundToken | undefined> {
    if (!isTokenId(jti)) return undefined;
    try {
      const text = await this.store.documents.get(keys.serviceToken(jti));
      return text === undefined ? undefined : { text, record: parseTokenRecord(jti, text) };
    } catch (error) {
      if (isWrongType(error)) return { text: undefined, record: undefined };
      throw error;
    }
  }

  /** For each entry its record; undefined where there is none, or the record has another entry. */
  records(project: string, entries: readonly string[]): Promise<Array<ServiceTokenRecord | undefined>> {
    return Promise.all(
      entries.map(async (entry) => {
        const record = (await this.find(idIn(entry)))?.record;
        return record?.project === project && entryOf(record) === entry ? record : undefined;
      }),
    );
  }

  /**
   * Writes a record with its entry, which comes first: a record without one would never be listed, nor removed.
   * @param before what is replaced; undefined: nothing may be there.
   * @returns false if something else lies there by now.
   */
  async add(record: ServiceTokenRecord, before?: FoundToken): Promise<boolean> {
    await this.index.add(record);
    return this.put(record, before);
  }

  /** The same for a record that has its entry. */
  put(record: ServiceTokenRecord, before?: FoundToken): Promise<boolean> {
    return this.store.documents.put(
      keys.serviceToken(record.jti),
      JSON.stringify(record),
      expectedOf(before),
    );
  }

  /** The record goes first: whatever interrupts this, the entry is found again. */
  async forget(place: Place, record: ServiceTokenRecord | undefined): Promise<void> {
    if (record) await this.store.documents.delete(keys.serviceToken(record.jti), 'any');
    await this.index.remove(place);
  }
}

function expectedOf(before: FoundToken | undefined): 'absent' | 'any' | { version: string } {
  if (!before) return 'absent';
  return before.text === undefined ? 'any' : { version: versionOf(before.text) };
}
