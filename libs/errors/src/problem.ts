import { ERRORS, type ErrorCode } from './catalogue';
import { GatewayError, type FieldProblem } from './gateway-error';

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

/** The body of every refusal (RFC 9457 §3.1), extended by a stable `code` and the request id. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail?: string;
  requestId?: string;
  traceId?: string;
  errors?: readonly FieldProblem[];
}

/** Renders an error for the caller. Anything that is not a GatewayError becomes a bare `internal_error`. */
export function problemOf(error: unknown, requestId?: string, traceId?: string): Problem {
  const known = error instanceof GatewayError ? error : undefined;
  const code = known?.code ?? 'internal_error';
  return {
    // A URN, because a URL would promise a page that an air-gapped installation cannot open.
    type: `urn:gatehouse:error:${code}`,
    title: ERRORS[code].title,
    status: ERRORS[code].status,
    code,
    detail: known?.publicDetail,
    requestId,
    traceId,
    errors: known?.fields,
  };
}
