import { versionOf, type Documents, type Expected } from '../store';
import type { SqliteFile } from './sqlite-file';

/** Documents and indexes in SQLite. The driver is synchronous, so a check and the write after it are atomic in a transaction. */
export class EmbeddedDocuments implements Documents {
  constructor(private readonly file: SqliteFile) {}

  get(key: string): Promise<string | undefined> {
    return Promise.resolve(this.read(key));
  }

  put(key: string, value: string, expected: Expected): Promise<boolean> {
    return this.conditionally(key, expected, () => {
      this.run(
        'INSERT INTO documents VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
        key,
        value,
      );
    });
  }

  async delete(key: string, expected: Expected): Promise<boolean> {
    if (this.read(key) === undefined) return false;
    return this.conditionally(key, expected, () => this.run('DELETE FROM documents WHERE key = ?', key));
  }

  async *scan(prefix: string): AsyncIterable<string> {
    const rows = this.all<{ key: string }>(
      'SELECT key FROM documents WHERE key >= ? AND key < ?',
      prefix,
      // Above every string with the prefix: the last code point there is, which no text holds (Unicode §23.7).
      `${prefix}\u{10ffff}`,
    );
    for (const row of rows) yield await Promise.resolve(row.key);
  }

  indexAdd(index: string, member: string): Promise<void> {
    return Promise.resolve(this.run('INSERT OR IGNORE INTO indexes VALUES (?, ?)', index, member));
  }

  indexRemove(index: string, member: string): Promise<void> {
    return Promise.resolve(this.run('DELETE FROM indexes WHERE name = ? AND member = ?', index, member));
  }

  indexPage(index: string, after: string, limit: number): Promise<string[]> {
    const sql = 'SELECT member FROM indexes WHERE name = ? AND member > ? ORDER BY member LIMIT ?';
    return Promise.resolve(this.all<{ member: string }>(sql, index, after, limit).map((row) => row.member));
  }

  indexDrop(index: string): Promise<void> {
    return Promise.resolve(this.run('DELETE FROM indexes WHERE name = ?', index));
  }

  private conditionally(key: string, expected: Expected, write: () => void): Promise<boolean> {
    const attempt = this.file.database.transaction(() => {
      const current = this.read(key);
      if (expected === 'absent' && current !== undefined) return false;
      if (typeof expected === 'object' && (current === undefined || versionOf(current) !== expected.version))
        return false;
      write();
      return true;
    });
    // IMMEDIATE takes the write lock before the check, so that another process cannot write in between.
    const done = attempt.immediate();
    if (done) this.file.announce(key);
    return Promise.resolve(done);
  }

  private read(key: string): string | undefined {
    return this.all<{ value: string }>('SELECT value FROM documents WHERE key = ?', key)[0]?.value;
  }

  private run(sql: string, ...values: unknown[]): void {
    this.file.database.prepare(sql).run(...values);
  }

  private all<Row>(sql: string, ...values: unknown[]): Row[] {
    return this.file.database.prepare(sql).all(...values) as Row[];
  }
}
