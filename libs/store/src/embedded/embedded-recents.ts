import type { RecentBoard, RecentEntry, Recents } from '../notes';
import type { NotesFile } from './notes-file';

/** Recent entries in SQLite, for all processes on the data folder. */
export class EmbeddedRecents implements Recents {
  constructor(private readonly file: NotesFile) {}

  async add(
    { key, max }: RecentBoard,
    entries: readonly RecentEntry[],
    maxOf: (group: string) => number,
  ): Promise<void> {
    if (entries.length === 0) return;
    await this.file.transaction((database) => {
      const insert = database.prepare('INSERT OR REPLACE INTO recents VALUES (?, ?, ?, ?)');
      for (const { id, group, text } of entries) insert.run(key, id, group, text);
      const trimGroup = database.prepare(
        'DELETE FROM recents WHERE board = ? AND id IN (SELECT id FROM recents WHERE board = ? AND owner = ? ORDER BY id DESC LIMIT -1 OFFSET ?)',
      );
      for (const group of new Set(entries.map((entry) => entry.group)))
        trimGroup.run(key, key, group, maxOf(group));
      const trim =
        'DELETE FROM recents WHERE board = ? AND id IN (SELECT id FROM recents WHERE board = ? ORDER BY id DESC LIMIT -1 OFFSET ?)';
      database.prepare(trim).run(key, key, max);
    });
  }

  page(
    { key }: RecentBoard,
    group: string | undefined,
    before: string,
    limit: number,
  ): Promise<Array<Pick<RecentEntry, 'id' | 'text'>>> {
    const own = group === undefined ? '' : 'AND owner = ?';
    // Above every id: they are printable ASCII.
    const bound = before === '' ? '\u007f' : before;
    const sql = `SELECT id, text FROM recents WHERE board = ? ${own} AND id < ? ORDER BY id DESC LIMIT ?`;
    return this.file.attempt((database) => {
      const terms = group === undefined ? [key, bound, limit] : [key, group, bound, limit];
      return database.prepare(sql).all(...terms) as Array<Pick<RecentEntry, 'id' | 'text'>>;
    });
  }

  get({ key }: RecentBoard, id: string): Promise<string | undefined> {
    const sql = 'SELECT text FROM recents WHERE board = ? AND id = ?';
    return this.file.attempt((database) => {
      const row = database.prepare(sql).get(key, id) as { text: string } | undefined;
      return row?.text;
    });
  }
}
