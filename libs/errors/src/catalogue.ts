/** Whose fault an error is: what an alert should page for. */
type Fault = 'client' | 'gateway' | 'upstream';

/** One entry of the catalogue. `status` is the HTTP status, `title` the constant RFC 9457 title. */
export interface ErrorDefinition {
  readonly status: number;
  readonly title: string;
  readonly fault: Fault;
}

/** Every error Gatehouse answers with. The key is the stable `code` of the problem body. */
export const ERRORS = {
  bad_request: { status: 400, title: 'The request is malformed', fault: 'client' },
  bad_request_target: { status: 400, title: 'The request target is not acceptable', fault: 'client' },
  ambiguous_framing: { status: 400, title: 'The request framing is ambiguous', fault: 'client' },
  upgrade_not_supported: { status: 400, title: 'This protocol upgrade is not offered', fault: 'client' },
  validation_failed: { status: 400, title: 'The document is not valid', fault: 'client' },

  missing_api_key: { status: 401, title: 'An API key is required', fault: 'client' },
  invalid_api_key: { status: 401, title: 'The API key is not valid', fault: 'client' },
  key_expired: { status: 401, title: 'The API key has expired', fault: 'client' },
  key_disabled: { status: 401, title: 'The API key is disabled', fault: 'client' },
  missing_jwt: { status: 401, title: 'A bearer token is required', fault: 'client' },
  invalid_jwt: { status: 401, title: 'The bearer token is not valid', fault: 'client' },
  signature_missing: { status: 401, title: 'A signature is required', fault: 'client' },
  signature_invalid: { status: 401, title: 'The signature is not valid', fault: 'client' },
  signature_expired: { status: 401, title: 'The signature has expired', fault: 'client' },
  signature_replayed: { status: 401, title: 'The signature has been used before', fault: 'client' },
  admin_unauthorized: { status: 401, title: 'An admin token is required', fault: 'client' },

  session_ended: { status: 401, title: 'The session has ended', fault: 'client' },
  sign_in_failed: { status: 401, title: 'Nobody is known by this token', fault: 'client' },

  spend_cap_reached: { status: 402, title: 'The spending cap is reached', fault: 'client' },

  csrf_refused: { status: 403, title: 'The request does not come from the dashboard', fault: 'client' },
  https_required: { status: 403, title: 'HTTPS is required', fault: 'client' },
  route_not_allowed: { status: 403, title: 'The route is not allowed for this tenant', fault: 'client' },
  tenant_suspended: { status: 403, title: 'The tenant is suspended', fault: 'client' },
  key_not_allowed: { status: 403, title: 'The API key may not be used for this', fault: 'client' },
  token_not_allowed: { status: 403, title: 'The bearer token may not be used for this', fault: 'client' },
  admin_role_not_allowed: { status: 403, title: 'The admin token may not be used for this', fault: 'client' },
  address_not_allowed: { status: 403, title: 'The client address is not allowed', fault: 'client' },

  not_found: { status: 404, title: 'Nothing is published here', fault: 'client' },
  tenant_not_found: { status: 404, title: 'There is no such tenant', fault: 'client' },
  route_not_found: { status: 404, title: 'There is no such route', fault: 'client' },
  api_key_not_found: { status: 404, title: 'There is no such API key', fault: 'client' },
  service_not_found: { status: 404, title: 'There is no such service', fault: 'client' },
  breaker_not_found: { status: 404, title: 'There is no circuit breaker', fault: 'client' },
  publication_not_found: { status: 404, title: 'The tenant publishes nothing', fault: 'client' },
  plan_not_found: { status: 404, title: 'There is no such plan', fault: 'client' },
  statement_not_found: { status: 404, title: 'There is no such statement', fault: 'client' },
  token_not_found: { status: 404, title: 'There is no such token', fault: 'client' },
  refusal_not_found: { status: 404, title: 'There is no such refused request', fault: 'client' },
  admin_token_not_found: { status: 404, title: 'There is no such admin token', fault: 'client' },
  webhook_not_found: { status: 404, title: 'There is no such webhook', fault: 'client' },
  delivery_not_found: { status: 404, title: 'There is no such delivery', fault: 'client' },
  revision_not_found: { status: 404, title: 'There is no such revision', fault: 'client' },
  maintenance_not_found: { status: 404, title: 'There is no maintenance', fault: 'client' },
  method_not_allowed: { status: 405, title: 'The method is not offered here', fault: 'client' },

  already_exists: { status: 409, title: 'The identifier is taken', fault: 'client' },
  conflict: { status: 409, title: 'The request conflicts with an earlier one', fault: 'client' },
  store_not_empty: { status: 409, title: 'The store is not empty', fault: 'client' },
  declared_in_file: { status: 409, title: 'The document is declared in a file', fault: 'client' },
  precondition_failed: { status: 412, title: 'The document has changed since it was read', fault: 'client' },
  body_too_large: { status: 413, title: 'The body is too large', fault: 'client' },
  body_not_signable: {
    status: 413,
    title: 'The body is too large to be signed or verified',
    fault: 'client',
  },
  target_too_long: { status: 414, title: 'The request target is too long', fault: 'client' },
  unsupported_media_type: { status: 415, title: 'The media type is not supported', fault: 'client' },
  expectation_failed: { status: 417, title: 'The expectation cannot be met', fault: 'client' },
  rate_limited: { status: 429, title: 'The rate limit is reached', fault: 'client' },
  quota_exceeded: { status: 429, title: 'The quota is used up', fault: 'client' },
  headers_too_large: { status: 431, title: 'The header fields are too large', fault: 'client' },
  request_timeout: { status: 408, title: 'The request did not arrive in time', fault: 'client' },
  client_too_slow: { status: 408, title: 'The client was too slow', fault: 'client' },
  client_gone: { status: 499, title: 'The client closed the connection', fault: 'client' },

  internal_error: { status: 500, title: 'The gateway failed', fault: 'gateway' },
  store_unavailable: { status: 503, title: 'The state store cannot be reached', fault: 'gateway' },
  tenant_misconfigured: { status: 503, title: 'The tenant configuration cannot be used', fault: 'gateway' },
  jwks_unavailable: { status: 503, title: 'The identity provider cannot be reached', fault: 'upstream' },
  admin_not_configured: { status: 503, title: 'The control plane has no admin token', fault: 'gateway' },
  signing_not_configured: {
    status: 503,
    title: 'The gateway has no key to sign tokens with',
    fault: 'gateway',
  },
  body_buffers_full: { status: 503, title: 'Too many bodies are held in memory', fault: 'gateway' },
  overloaded: { status: 503, title: 'Too many requests are under way', fault: 'gateway' },
  maintenance: { status: 503, title: 'There is maintenance going on', fault: 'client' },
  not_ready: { status: 503, title: 'The gateway is not ready', fault: 'gateway' },

  upstream_unreachable: { status: 502, title: 'The upstream cannot be reached', fault: 'upstream' },
  upstream_failed: { status: 502, title: 'The upstream broke the exchange', fault: 'upstream' },
  upstream_not_permitted: { status: 502, title: 'The upstream address is not permitted', fault: 'gateway' },
  retries_exhausted: { status: 503, title: 'Every attempt at the upstream failed', fault: 'upstream' },
  circuit_open: { status: 503, title: 'The upstream is given a rest', fault: 'upstream' },
  not_cached: { status: 504, title: 'There is no stored response', fault: 'client' },
  upstream_timeout: { status: 504, title: 'The upstream did not answer in time', fault: 'upstream' },
} as const satisfies Record<string, ErrorDefinition>;

/** Stable machine-readable name of an error; never renamed once released. */
export type ErrorCode = keyof typeof ERRORS;
