import { GatewayError } from '#libs/errors';

/**
 * The refusal of a token, with the challenge of RFC 6750 §3.1.
 * @param reason a constant text without quotes or backslashes: it stands in a quoted-string, and nothing of the
 * token may be echoed.
 */
export function invalidToken(reason: string, cause?: unknown): GatewayError {
  const challenge = `Bearer error="invalid_token", error_description="${reason}"`;
  return new GatewayError('invalid_jwt', reason, { cause, headers: { 'WWW-Authenticate': challenge } });
}
