/**
 * errors: the one catalogue of everything Gatehouse itself answers when it does not forward,
 * the error that carries an entry of it, and its rendering as `application/problem+json` (RFC 9457).
 * Not here: upstream 4xx/5xx responses. They are not errors and pass untouched.
 */
export { ERRORS, type ErrorCode, type ErrorDefinition } from './catalogue';
export { GatewayError, type FieldProblem } from './gateway-error';
export { type Problem, PROBLEM_CONTENT_TYPE, problemOf } from './problem';
export { ProblemFilter, type InternalErrorListener } from './problem.filter';
