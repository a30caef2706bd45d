import type { NoteBoard, Notes } from '../notes';
import type { NotesFile } from './notes-file';

/** Notes in SQLite, for all processes on the data folder. */
export class EmbeddedNotes implements Notes {
  /** @param now milliseconds since the epoch. */
  constructor(
    private readonly file: NotesFile,
    private readonly now: () => number,
  ) {}

  put({ key, max }: NoteBoard, name: string, text: string, ms: number): Promise<void> {
    const now = this.now();
    return this.file.transaction((database) => {
      database.prepare('DELETE FROM notes WHERE board = ? AND until <= ?').run(key, now);
      const insert = 'INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?)';
      database.prepare(insert).run(key, name, text, now + Math.ceil(ms));
      const count = 'SELECT count(*) AS many FROM notes WHERE board = ?';
      const { many } = database.prepare(count).get(key) as { many: number };
      const trim =
        'DELETE FROM notes WHERE board = ? AND name IN (SELECT name FROM notes WHERE board = ? ORDER BY until LIMIT ?)';
      if (many > max) database.prepare(trim).run(key, key, many - max);
    });
  }

  get({ key }: NoteBoard, name: string): Promise<string | undefined> {
    const sql = 'SELECT text FROM notes WHERE board = ? AND name = ? AND until > ?';
    return this.file.attempt((database) => {
      const row = database.prepare(sql).get(key, name, this.now()) as { text: string } | undefined;
      return row?.text;
    });
  }

  renew({ key }: NoteBoard, name: string, ms: number): Promise<boolean> {
    const now = this.now();
    const sql = 'UPDATE notes SET until = ? WHERE board = ? AND name = ? AND until > ?';
    return this.file.attempt(
      (database) => database.prepare(sql).run(now + Math.ceil(ms), key, name, now).changes > 0,
    );
  }

  async delete({ key }: NoteBoard, name: string): Promise<void> {
    const sql = 'DELETE FROM notes WHERE board = ? AND name = ?';
    await this.file.attempt((database) => database.prepare(sql).run(key, name));
  }

  all({ key }: NoteBoard): Promise<Map<string, string>> {
    // Every process asks each second whether somebody looks at it.
    if (!this.file.isThere) return Promise.resolve(new Map<string, string>());
    const sql = 'SELECT name, text FROM notes WHERE board = ? AND until > ?';
    return this.file.attempt((database) => {
      const rows = database.prepare(sql).all(key, this.now()) as Array<{ name: string; text: string }>;
      return new Map(rows.map(({ name, text }) => [name, text]));
    });
  }
}
