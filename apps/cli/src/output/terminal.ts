import { createInterface } from 'node:readline/promises';

const STYLES = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;
export type Style = keyof typeof STYLES;

/** Where a command writes, and whom it may ask. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** For what is no text, on stdout; resolves when there is room for more. Rejects when nobody reads any more. */
  bytes(bytes: Uint8Array): Promise<void>;
  /** Whether somebody sits there who can be asked. */
  readonly interactive: boolean;
  /** Whether the output is looked at in colours. */
  readonly coloured: boolean;
  /** Asks a question; true for yes. */
  confirm(question: string): Promise<boolean>;
}

/**
 * The terminal of this process. A reader that goes away early (`| head`) is no failure: what is left unsaid is dropped,
 * and the command goes on, because it may be in the middle of a change.
 */
export function processTerminal(colourless: boolean): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    out: writer(stdout),
    err: writer(stderr),
    bytes: (bytes) =>
      new Promise((resolve, reject) => {
        // Half a file is worth nothing: here a reader that has gone is a failure.
        stdout.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    interactive: Boolean(stdin.isTTY && stderr.isTTY),
    coloured: Boolean(stdout.isTTY) && !colourless,
    async confirm(question) {
      // On stderr, for stdout may go to a file.
      const prompt = createInterface({ input: stdin, output: stderr });
      try {
        return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
      } finally {
        prompt.close();
      }
    },
  };
}

function writer(stream: NodeJS.WriteStream): (text: string) => void {
  let gone = false;
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    gone = true;
  });
  return (text) => {
    if (!gone) stream.write(text);
  };
}

/** Text in a colour, where colours are seen. */
export function painted(text: string, style: Style, { coloured }: Pick<Terminal, 'coloured'>): string {
  return coloured ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
}
