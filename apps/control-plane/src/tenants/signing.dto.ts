import { applyDecorators } from '@nestjs/common';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { ENVIRONMENT, SHOWN_DIGEST, SHOWN_KEPT } from './identity-provider.dto';

const KEY_ID = { type: 'string' as const, pattern: '^[A-Za-z0-9._-]{1,64}$' };
const HEADERS = { type: 'array' as const, items: { type: 'string' as const }, maxItems: 20 };
const MAX_BODY_BYTES = {
  type: 'integer' as const,
  minimum: 0,
  maximum: 67_108_864,
  default: 1_048_576,
  description: 'Largest body that is kept in memory for it.',
};

const SIGNING = {
  type: 'object' as const,
  required: ['key'],
  additionalProperties: false,
  properties: {
    key: { ...KEY_ID, description: 'Id of the key of the tenant that signs.' },
    maxBodyBytes: MAX_BODY_BYTES,
    oversize: {
      type: 'string' as const,
      enum: ['refuse', 'unsigned'],
      default: 'refuse',
      description: 'A larger body: 413, or a signature that does not cover it.',
    },
    headers: { ...HEADERS, description: 'Headers that are signed where they are there.' },
    contentDigest: { type: 'boolean' as const, default: true, description: '`Content-Digest` (RFC 9530).' },
  },
};

const INBOUND = {
  type: 'object' as const,
  required: ['keys'],
  additionalProperties: false,
  properties: {
    keys: { type: 'array' as const, items: KEY_ID, minItems: 1, maxItems: 8 },
    required: { type: 'boolean' as const, default: true },
    toleranceSeconds: { type: 'integer' as const, minimum: 1, maximum: 3600, default: 300 },
    headers: { ...HEADERS, description: 'Headers that the signature must cover.' },
    maxBodyBytes: MAX_BODY_BYTES,
    acceptBodyOnly: {
      type: 'boolean' as const,
      default: false,
      description: 'Accepts `X-Gateway-Signature` alone. Not replay-proof.',
    },
    acceptUnsignedPayload: {
      type: 'boolean' as const,
      default: false,
      description: 'Accepts signatures that do not cover the body.',
    },
  },
};

const OFF = { type: 'boolean' as const, enum: [false] };

/** `signing` of a tenant, service or route. What it may hold is the business of `checkSignatureSettings`. */
export const SigningProperty = ({ nullable = false } = {}): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      oneOf: [SIGNING, OFF],
      nullable,
      description: 'How requests are signed for the upstream; false: not, whatever the tenant says.',
    }),
    Allow(),
  );

/** `inboundSignature` of a tenant, service or route. */
export const InboundSignatureProperty = ({ nullable = false } = {}): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      oneOf: [INBOUND, OFF],
      nullable,
      description:
        'What is asked of the signature of requests that come in; false: nothing, whatever the tenant says.',
    }),
    Allow(),
  );

/** `signatureKeys` of a tenant. */
export const SignatureKeysProperty = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['secret'],
        properties: { secret: { oneOf: [{ type: 'string' }, ENVIRONMENT, SHOWN_DIGEST, SHOWN_KEPT] } },
      },
      example: { '2026-11': { secret: 'a random text of 32 bytes or more' } },
      description:
        'Secrets for signatures by key id, 32 at most. With a merge patch keys are added and, by null, removed one by one.',
    }),
    Allow(),
  );
