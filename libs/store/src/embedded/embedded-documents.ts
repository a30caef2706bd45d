import { versionOf, type Documents, type Expected } from '../store';
import type { SqliteFile } from './sqlite-file';

/** Documents and indexes in SQLite. The driver is synchronous, so a check and the write after it are atomic in a transaction. */
export class EmbeddedDocuments implements Documents {
  constructor(private readonly file: SqliteFile) {}

  get(key: string): Promise<string | undefined> {
    return this.file.attempt(() => this.read(key));
  }

  put(key: string, value: string, expected: Expected): Promise<boolean> {
    return this.conditionally(key, expected, () => {
      this.run(
        'INSERT INTO documents VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value',
        key,
        value,
      );
      return true;
    });
  }

  delete(key: string, expected: Expected): Promise<boolean> {
    return this.conditionally(key, expected, () => this.run('DELETE FROM documents WHERE key = ?', key) > 0);
  }

  async *scan(prefix: string): AsyncIterable<string> {
    // Above every string with the prefix: the last code point there is, which no text holds (Unicode §23.7).
    const end = `${prefix}\u{10ffff}`;
    const sql = 'SELECT key FROM documents WHERE key >= ? AND key < ?';
    const rows = await this.file.attempt(() => this.all<{ key: string }>(sql, prefix, end));
    for (const row of rows) yield row.key;
  }

  async indexAdd(index: string, member: string): Promise<void> {
    await this.file.attempt(() => this.run('INSERT OR IGNORE INTO indexes VALUES (?, ?)', index, member));
  }

  async indexRemove(index: string, member: string): Promise<void> {
    await this.file.attempt(() =>
      this.run('DELETE FROM indexes WHERE name = ? AND member = ?', index, member),
    );
  }

  async indexPage(index: string, after: string, limit: number): Promise<string[]> {
    const sql = 'SELECT member FROM indexes WHERE name = ? AND member > ? ORDER BY member LIMIT ?';
    const rows = await this.file.attempt(() => this.all<{ member: string }>(sql, index, after, limit));
    return rows.map((row) => row.member);
  }

  async indexPageBack(index: string, before: string, limit: number): Promise<string[]> {
    const below = before === '' ? '' : 'AND member < ?';
    const sql = `SELECT member FROM indexes WHERE name = ? ${below} ORDER BY member DESC LIMIT ?`;
    const values = before === '' ? [index, limit] : [index, before, limit];
    const rows = await this.file.attempt(() => this.all<{ member: string }>(sql, ...values));
    return rows.map((row) => row.member);
  }

  async indexSize(index: string): Promise<number> {
    const sql = 'SELECT COUNT(*) AS size FROM indexes WHERE name = ?';
    const rows = await this.file.attempt(() => this.all<{ size: number }>(sql, index));
    return rows[0]?.size ?? 0;
  }

  async indexDrop(index: string): Promise<void> {
    await this.file.attempt(() => this.run('DELETE FROM indexes WHERE name = ?', index));
  }

  async *indexes(): AsyncIterable<string> {
    const sql = 'SELECT DISTINCT name FROM indexes';
    for (const { name } of await this.file.attempt(() => this.all<{ name: string }>(sql))) yield name;
  }

  /** @param write tells whether it has changed anything. */
  private async conditionally(key: string, expected: Expected, write: () => boolean): Promise<boolean> {
    const attempt = this.file.database.transaction(() => {
      const current = this.read(key);
      if (expected === 'absent' && current !== undefined) return false;
      if (typeof expected === 'object' && (current === undefined || versionOf(current) !== expected.version))
        return false;
      return write();
    });
    // IMMEDIATE takes the write lock before the check, so that another process cannot write in between.
    const done = await this.file.attempt(() => attempt.immediate());
    if (done) this.file.announce(key);
    return done;
  }

  private read(key: string): string | undefined {
    return this.all<{ value: string }>('SELECT value FROM documents WHERE key = ?', key)[0]?.value;
  }

  /** @returns how many rows it has changed. */
  private run(sql: string, ...values: unknown[]): number {
    return this.file.database.prepare(sql).run(...values).changes;
  }

  private all<Row>(sql: string, ...values: unknown[]): Row[] {
    return this.file.database.prepare(sql).all(...values) as Row[];
  }
}
