import { ApiProperty, ApiPropertyOptional, ApiSchema, PartialType } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { SECRET_ALGORITHMS, TOKEN_ALGORITHMS, type ShownProvider, type SecretSource } from '#libs/tenants';
import { Nested } from '../edge/nested';

export const ENVIRONMENT = {
  type: 'object' as const,
  required: ['env'],
  properties: { env: { type: 'string', pattern: '^GATEWAY_SECRET_[A-Z0-9_]+$' } },
  description: 'A variable of the gateway’s environment.',
};
export const SHOWN_DIGEST = {
  type: 'object' as const,
  required: ['digest'],
  properties: { digest: { type: 'string' } },
  description: 'As answers show a text; sent back it means the stored one.',
};
export const SHOWN_KEPT = {
  type: 'object' as const,
  required: ['kept'],
  properties: { kept: { type: 'boolean', enum: [true] } },
  description: 'As answers show a text; sent back with the same endpoint and client it means the stored one.',
};

type Shown = NonNullable<ShownProvider['secrets']>[number];

@ApiSchema({ name: 'Introspection', description: 'Where opaque tokens are asked about (RFC 7662).' })
export class IntrospectionDto {
  @ApiProperty({ type: String, format: 'uri', example: 'https://auth.acme.com/introspect' })
  @Allow()
  endpoint!: string;

  @ApiProperty({ type: String, example: 'gatehouse' })
  @Allow()
  clientId!: string;

  @ApiProperty({ oneOf: [{ type: 'string' }, ENVIRONMENT, SHOWN_KEPT] })
  @Allow()
  clientSecret!: SecretSource | Shown;
}

/** What the fields may hold is the business of `checkTenant`. */
@ApiSchema({
  name: 'IdentityProvider',
  description:
    'Whose tokens count. Keys come from one of `jwksUri`, `secrets` and `introspection`; with none of them, from the configuration document of the issuer (OpenID Connect Discovery).',
})
export class IdentityProviderDto {
  @ApiProperty({ type: String, example: 'https://auth.acme.com', description: 'As in the claim `iss`.' })
  @Allow()
  issuer!: string;

  @ApiPropertyOptional({
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    example: 'api.acme.com',
    description: 'One of these must be in `aud`. May be absent with `introspection` only.',
  })
  @Allow()
  audience?: string | string[];

  @ApiPropertyOptional({
    type: String,
    format: 'uri',
    example: 'https://auth.acme.com/.well-known/jwks.json',
  })
  @Allow()
  jwksUri?: string;

  @ApiPropertyOptional({
    type: 'array',
    items: { oneOf: [{ type: 'string' }, ENVIRONMENT, SHOWN_DIGEST] },
    description: 'Shared secrets for HS256, HS384 and HS512, of 32 bytes or more.',
  })
  @Allow()
  secrets?: Array<SecretSource | Shown>;

  @Nested(() => IntrospectionDto, { optional: true })
  introspection?: IntrospectionDto;

  @ApiPropertyOptional({
    type: [String],
    enum: [...TOKEN_ALGORITHMS, ...Object.keys(SECRET_ALGORITHMS)],
    description: 'Absent: all asymmetric ones, or with `secrets` all of HMAC.',
  })
  @Allow()
  algorithms?: string[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 300,
    default: 5,
    description: 'How far ahead the issuer’s clock may be. An expiry gets no benefit of the doubt.',
  })
  @Allow()
  clockToleranceSeconds?: number;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    description: 'Accepted values by claim, for every token of this issuer.',
  })
  @Allow()
  requiredClaims?: Record<string, string[]>;
}

export class IdentityProviderPatchDto extends PartialType(IdentityProviderDto) {}
