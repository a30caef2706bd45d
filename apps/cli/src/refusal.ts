import type { FieldProblem, Problem } from '#libs/errors';
import type { Document } from './admin-api';
import { Failure } from './failure';
import { printable } from './output/printable';

/** A refusal of the gateway. */
export class Refusal extends Failure {
  constructor(
    message: string,
    readonly status: number,
    readonly code: string | undefined,
  ) {
    super(message);
    this.name = 'Refusal';
  }
}

/** A problem document (RFC 9457) as one line: status, code, what is wrong with which field, request id. */
export function refusalOf(status: number, body: Document): Refusal {
  const { code, title, detail, errors, requestId } = body as unknown as Partial<Problem>;
  const fields = Array.isArray(errors) ? (errors as readonly FieldProblem[]).map(told) : [];
  const said = [detail ?? (fields.length > 0 ? undefined : title), ...fields].filter(Boolean).join('; ');
  const line = `${status} ${code ?? 'without a code'}: ${said || 'no reason given'}`;
  const id = requestId === undefined ? '' : ` (request ${requestId})`;
  return new Refusal(printable(line + id), status, code);
}

function told({ field, message }: FieldProblem): string {
  return `${field === '' ? 'the document' : field} ${message}`;
}
