import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ERRORS, PROBLEM_CONTENT_TYPE, type ErrorCode } from '#libs/errors';
import { ProblemDto } from './problem.dto';

/** What every protected operation may answer. */
const PROTECTED: readonly ErrorCode[] = [
  'admin_unauthorized',
  'admin_role_not_allowed',
  'admin_not_configured',
  // Tokens of those who are not the owner are in the store.
  'store_unavailable',
  'internal_error',
];
const STORED = PROTECTED;
const WITH_BODY: readonly ErrorCode[] = [
  'bad_request',
  'validation_failed',
  'body_too_large',
  'unsupported_media_type',
];

/** Documents the refusals of a protected operation that reads or writes the store, beyond those they all have. */
export const Refusals = (...codes: ErrorCode[]): MethodDecorator => documented([...STORED, ...codes]);

/** The same for operations that take a JSON body. */
export const BodyRefusals = (...codes: ErrorCode[]): MethodDecorator =>
  documented([...STORED, ...WITH_BODY, ...codes]);

/** The same for protected operations that do without the store. */
export const ProtectedRefusals = (): MethodDecorator => documented(PROTECTED);

/** What an API key or a portal token is refused with that acts for its tenant. */
const PORTAL: readonly ErrorCode[] = [
  'missing_api_key',
  'invalid_api_key',
  'key_expired',
  'key_disabled',
  'invalid_jwt',
  'key_not_allowed',
  'address_not_allowed',
  'tenant_suspended',
  'tenant_not_found',
  'tenant_misconfigured',
  'validation_failed',
];

/** As `Refusals`, for operations that are marked `@Portal()`. */
export const PortalRefusals = (...codes: ErrorCode[]): MethodDecorator => Refusals(...PORTAL, ...codes);

/** As `BodyRefusals`, for operations that are marked `@Portal()`. */
export const PortalBodyRefusals = (...codes: ErrorCode[]): MethodDecorator =>
  BodyRefusals(...PORTAL, ...codes);

/** OpenAPI has one response per status; the codes that share one are listed in its description. */
export function documented(codes: readonly ErrorCode[]): MethodDecorator {
  const statuses = new Map<number, ErrorCode[]>();
  for (const code of new Set(codes)) {
    const { status } = ERRORS[code];
    statuses.set(status, [...(statuses.get(status) ?? []), code]);
  }
  const responses = [...statuses].map(([status, shared]) =>
    ApiResponse({
      status,
      description: shared.map((code) => `\`${code}\`: ${ERRORS[code].title}`).join('. '),
      content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: getSchemaPath(ProblemDto) } } },
    }),
  );
  return applyDecorators(ApiExtraModels(ProblemDto), ...responses);
}
