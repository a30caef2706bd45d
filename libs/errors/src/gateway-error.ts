import { ERRORS, type ErrorCode, type ErrorDefinition } from './catalogue';

/** One refused field of a document: a dotted path and the reason, both safe to show. */
export interface FieldProblem {
  field: string;
  message: string;
}

interface Particulars {
  /** The error underneath: logged, never shown. */
  cause?: unknown;
  /** Response headers that belong to the refusal (`Retry-After`, `WWW-Authenticate`, …). */
  headers?: Readonly<Record<string, string>>;
  /** The fields that were refused, for `validation_failed`. */
  fields?: readonly FieldProblem[];
}

/**
 * The only error that a rule throws to refuse a request. Three facts stay apart: the catalogued `code`,
 * `publicDetail` for the caller, and `cause` for the log.
 */
export class GatewayError extends Error {
  readonly headers?: Readonly<Record<string, string>>;
  readonly fields?: readonly FieldProblem[];

  constructor(
    readonly code: ErrorCode,
    readonly publicDetail?: string,
    particulars: Particulars = {},
  ) {
    super(publicDetail ?? ERRORS[code].title, { cause: particulars.cause });
    this.name = 'GatewayError';
    this.headers = particulars.headers;
    this.fields = particulars.fields;
    // A refusal is an outcome, not a crash: at attack rates the stack would cost more than the decision.
    if (this.definition.status < 500) this.stack = undefined;
  }

  get definition(): ErrorDefinition {
    return ERRORS[this.code];
  }

  get status(): number {
    return ERRORS[this.code].status;
  }
}
