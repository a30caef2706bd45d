import { keys, type Store } from '#libs/store';
import { KINDS, type AuditEntry, type Kind } from './audit-entry';

/** Entries read at once. */
const PAGE = 100;

/** The entries from before there were chains: a document each, and an index of their ids. They are read and trimmed, never written. */
export class OldEntries {
  constructor(private readonly store: Store) {}

  /** Up to a hundred, the newest first, with ids less than `before`; empty: from the newest. */
  async page(before: string): Promise<AuditEntry[]> {
    const { documents } = this.store;
    const ids = await Promise.all(
      KINDS.map((kind) => documents.indexPageBack(keys.auditIndex(kind), before, PAGE)),
    );
    const newest = ids.flat().sort().reverse().slice(0, PAGE);
    const texts = await Promise.all(newest.map((id) => documents.get(keys.auditEntry(id))));
    return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text) as AuditEntry);
  }

  /** Leaves the newest `max` of a kind, and none from before an id. */
  async trim(kind: Kind, max: number, oldestId: string): Promise<void> {
    const { documents } = this.store;
    const index = keys.auditIndex(kind);
    let excess = (await documents.indexSize(index)) - max;
    for (;;) {
      const oldest = await documents.indexPage(index, '', PAGE);
      const ids = oldest.filter((id, place) => place < excess || id < oldestId);
      if (ids.length === 0) return;
      await Promise.all(ids.map((id) => documents.delete(keys.auditEntry(id), 'any')));
      await Promise.all(ids.map((id) => documents.indexRemove(index, id)));
      excess -= ids.length;
    }
  }
}
