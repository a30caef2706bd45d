import type { AuditEntry } from './audit-entry';
import type { Chain } from './chain';

/** Entries that can be gone through, the newest first. */
export interface Backwards {
  /** The next one, not taken yet. */
  peek(): Promise<AuditEntry | undefined>;
  take(): void;
  /** Where it stands: what `peek` shows comes next. Empty at the end. */
  readonly position: string;
}

/** A chain from its end, or from a number downwards. */
export class ChainBackwards implements Backwards {
  private buffer: AuditEntry[] = [];

  /** @param next number of the entry that comes next; 0 at the end. */
  constructor(
    private readonly chain: Chain<object>,
    private next: number,
  ) {}

  get position(): string {
    return this.next > 0 ? String(this.next) : '';
  }

  async peek(): Promise<AuditEntry | undefined> {
    if (this.buffer.length === 0 && this.next > 0) {
      this.buffer = (await this.chain.readBack(this.next)) as AuditEntry[];
      if (this.buffer.length === 0) this.next = 0;
    }
    return this.buffer[0];
  }

  take(): void {
    this.buffer.shift();
    this.next -= 1;
  }
}

/** Entries from before there were chains. */
export class OldBackwards implements Backwards {
  private buffer: AuditEntry[] = [];
  private ended: boolean;

  /** @param before behind which it goes on; `-` at the end, empty for the beginning. */
  constructor(
    private readonly page: (before: string) => Promise<AuditEntry[]>,
    private before: string,
  ) {
    this.ended = before === '-';
  }

  get position(): string {
    return this.ended ? '-' : this.before;
  }

  async peek(): Promise<AuditEntry | undefined> {
    if (this.buffer.length === 0 && !this.ended) {
      this.buffer = await this.page(this.before);
      this.ended = this.buffer.length === 0;
    }
    return this.buffer[0];
  }

  take(): void {
    this.before = this.buffer.shift()?.id ?? this.before;
  }
}
