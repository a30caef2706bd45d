import { freshBreaker, stepBreaker, viewOf, type BreakerRecord } from '../breaker-record';
import type { Breakers, BreakerStep, BreakerView } from '../store';
import type { SqliteFile } from './sqlite-file';

/** Breakers in SQLite: what an operator has said outlives the process, and holds for all processes on the file. */
export class EmbeddedBreakers implements Breakers {
  /** @param now milliseconds since the epoch. */
  constructor(
    private readonly file: SqliteFile,
    private readonly now: () => number,
  ) {}

  async step(key: string, step: BreakerStep): Promise<BreakerView> {
    if (step.do === 'read')
      return this.file.attempt(() => {
        const now = this.now();
        const record = this.find(key) ?? freshBreaker();
        return record.forgetAt > 0 && now >= record.forgetAt
          ? viewOf(freshBreaker(), now)
          : viewOf(record, now);
      });
    let changed = false;
    const view = await this.file.transaction(() => {
      const record = this.find(key) ?? freshBreaker();
      const before = JSON.stringify(record);
      const { generation } = record;
      const taken = stepBreaker(record, step, this.now());
      changed = record.generation !== generation;
      // Another process that reads the file is told of every write: none without need.
      if (JSON.stringify(record) !== before) this.keep(key, record);
      return taken;
    });
    if (changed) this.file.announce(key);
    return view;
  }

  private find(key: string): BreakerRecord | undefined {
    const sql = 'SELECT record FROM breakers WHERE key = ?';
    const row = this.file.database.prepare(sql).get(key) as { record: string } | undefined;
    return row && (JSON.parse(row.record) as BreakerRecord);
  }

  private keep(key: string, record: BreakerRecord): void {
    const { database } = this.file;
    database.prepare('DELETE FROM breakers WHERE forget_at > 0 AND forget_at <= ?').run(this.now());
    const sql = 'INSERT OR REPLACE INTO breakers VALUES (?, ?, ?)';
    database.prepare(sql).run(key, JSON.stringify(record), record.forgetAt);
  }
}
