import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType, PartialType } from '@nestjs/swagger';
import { Allow, IsOptional, IsString } from 'class-validator';
import { Nested } from '../edge/nested';
import { Search } from '../edge/search';
import { PageQuery } from '../edge/page.dto';
import { RateLimitDto } from '../tenants/tenant.dto';

/** Only what fields there are; what they may hold is the business of `checkApiKeyFields`, which tells every problem. */
@ApiSchema({ name: 'NewApiKey' })
export class NewApiKeyDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 100, example: 'billing service' })
  @Allow()
  name!: string;

  @ApiPropertyOptional({
    type: String,
    example: '3',
    description: 'The one service that it opens; absent: all of them, and the routes of the tenant.',
  })
  @Allow()
  serviceId?: string;

  @ApiPropertyOptional({
    type: String,
    enum: ['live', 'test'],
    description: 'Part of the key; absent: live.',
  })
  @Allow()
  mode?: 'live' | 'test';

  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' }, example: { team: 'a' } })
  @Allow()
  labels?: Record<string, string>;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'From then on it is refused.' })
  @Allow()
  expiresAt?: string;

  @ApiPropertyOptional({ type: Boolean, default: true })
  @Allow()
  enabled?: boolean;

  @Nested(() => RateLimitDto, {
    optional: true,
    description:
      'Beside that of the tenant. Absent: 10 requests in 60 seconds for keys of one service, none else.',
  })
  rateLimit?: RateLimitDto;

  @ApiPropertyOptional({
    type: String,
    example: '0.001',
    description: 'Decimal text of at most 9 decimals; absent: the price of the tenant.',
  })
  @Allow()
  pricePerRequest?: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['/v1/users'],
    description: 'Paths with everything below them: below /api, or below /proxy/{id}. Absent: any.',
  })
  @Allow()
  allowedRoutes?: string[];

  @ApiPropertyOptional({ type: [String], example: ['GET'], description: 'GET includes HEAD. Absent: any.' })
  @Allow()
  allowedMethods?: string[];

  @ApiPropertyOptional({
    type: [String],
    example: ['203.0.113.7', '2001:db8::/32'],
    description: 'Addresses, CIDR blocks and wildcards such as 10.0.*. Absent: any.',
  })
  @Allow()
  allowedIps?: string[];

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Requests per calendar month, UTC.' })
  @Allow()
  monthlyQuota?: number;
}

@ApiSchema({
  name: 'ApiKeyPatch',
  description: 'null removes a field, a nested value is replaced as a whole.',
})
export class ApiKeyPatchDto extends PartialType(OmitType(NewApiKeyDto, ['rateLimit'])) {
  @Nested(() => RateLimitDto, { optional: true, nullable: true })
  rateLimit?: RateLimitDto | null;
}

@ApiSchema({ name: 'Rotation' })
export class RotationDto {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: 7_948_800,
    example: 3600,
    description: 'How long the old key works beside the new one; 0 ends it at once.',
  })
  @Allow()
  graceSeconds!: number;
}

export class ApiKeysQuery extends PageQuery {
  @ApiPropertyOptional({ type: String, description: 'Only keys that open this service and nothing else.' })
  @IsOptional()
  @IsString()
  serviceId?: string;

  @Search('the id, the beginning, a label or a word of the name')
  search?: string;
}

@ApiSchema({ name: 'ApiKey' })
export class ApiKeyDto extends OmitType(NewApiKeyDto, ['enabled', 'mode']) {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({ type: String, example: 'gh_live_3f9a', description: 'The beginning of the key.' })
  prefix!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: Boolean })
  enabled!: boolean;

  @ApiProperty({
    type: Boolean,
    description:
      'Whether it is accepted now: enabled, not expired, not replaced, and not withdrawn by another program.',
  })
  active!: boolean;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Set by a rotation: until then it works beside the key that replaces it.',
  })
  validUntil?: string;

  @ApiPropertyOptional({ type: String, description: 'Id of the key that replaces it.' })
  replacedBy?: string;

  @ApiPropertyOptional({ type: String, description: 'Id of the key that it replaces.' })
  replaces?: string;
}

@ApiSchema({ name: 'CreatedApiKey' })
export class CreatedApiKeyDto extends ApiKeyDto {
  @ApiProperty({ type: String, description: 'The key itself. It is not stored and never shown again.' })
  key!: string;
}

@ApiSchema({ name: 'ApiKeys' })
export class ApiKeysDto {
  @ApiProperty({ type: [ApiKeyDto] })
  apiKeys!: ApiKeyDto[];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Of all; null for a search.' })
  total!: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}
