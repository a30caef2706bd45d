import { painted, type Style, type Terminal } from './terminal';

/** What a command says: its result on stdout, for people or as JSON; everything else on stderr. */
export class Output {
  constructor(
    readonly terminal: Terminal,
    readonly json: boolean,
  ) {}

  /** The result, once per command. `human` is not asked for where JSON is wanted; empty text prints nothing. */
  result(value: unknown, human: () => string): void {
    const text = this.json ? JSON.stringify(value, null, 2) : human();
    if (text !== '') this.terminal.out(`${text}\n`);
  }

  /** A list; an empty one is told to people on stderr, so that a pipe gets nothing. */
  list(rows: readonly unknown[], what: string, human: () => string): void {
    this.result(rows, () => (rows.length === 0 ? '' : human()));
    if (rows.length === 0 && !this.json) this.note(`no ${what}`);
  }

  /** One line of the result while it comes about; JSON waits for the whole. */
  progress(line: string): void {
    if (!this.json) this.terminal.out(`${line}\n`);
  }

  note(message: string): void {
    this.terminal.err(`gatehouse: ${message}\n`);
  }

  paint(text: string, style: Style): string {
    return painted(text, style, this.terminal);
  }
}
