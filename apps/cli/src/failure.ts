/** What the exit code of a command says. */
export const EXIT = {
  ok: 0,
  /** The gateway refused, or what was checked is wrong. */
  refused: 1,
  /** The command was used wrongly, or `config diff` found a difference. */
  usage: 2,
  drift: 2,
  /** No gateway answered. */
  unreachable: 3,
} as const;

/** Ends a command: one line on stderr and an exit code. */
export class Failure extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT.refused,
  ) {
    super(message);
    this.name = 'Failure';
  }
}

/** The command was used wrongly. */
export function misuse(message: string): Failure {
  return new Failure(message, EXIT.usage);
}
