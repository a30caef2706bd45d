import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType, PartialType } from '@nestjs/swagger';
import { Allow, IsIn, IsOptional, IsString } from 'class-validator';
import { Search } from '../edge/search';
import { PortalPageQuery, PortalQuery } from '../edge/portal-query.dto';

const NUMBER_OR_TEXT = { oneOf: [{ type: 'number' as const }, { type: 'string' as const }] };

/** Only what fields there are; what they may hold is checked together with the owner's (`checkApiKeyFields`). */
class KeyTermsDto {
  @ApiPropertyOptional({ type: 'integer', example: 10, nullable: true })
  @Allow()
  rate_limit_requests?: number | null;

  @ApiPropertyOptional({ type: 'integer', example: 60, nullable: true })
  @Allow()
  rate_limit_window_seconds?: number | null;

  @ApiPropertyOptional({ type: String, format: 'date-time', nullable: true })
  @Allow()
  expires_at?: string | null;

  @ApiPropertyOptional({ type: 'integer', nullable: true, description: 'Requests per calendar month, UTC.' })
  @Allow()
  monthly_quota?: number | null;

  @ApiPropertyOptional({ type: [String], nullable: true })
  @Allow()
  allowed_routes?: string[] | null;

  @ApiPropertyOptional({ type: [String], nullable: true })
  @Allow()
  allowed_methods?: string[] | null;

  @ApiPropertyOptional({ type: [String], nullable: true })
  @Allow()
  allowed_ips?: string[] | null;

  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' }, nullable: true })
  @Allow()
  labels?: Record<string, string> | null;
}

@ApiSchema({
  name: 'NewPortalApiKey',
  description: 'A key of one service has a limit of 10 requests in 60 seconds unless another is given.',
})
export class NewPortalKeyDto extends KeyTermsDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 100, example: 'a customer' })
  @Allow()
  name!: string;

  @ApiPropertyOptional({
    ...NUMBER_OR_TEXT,
    example: 1,
    description: 'The one service that it opens; absent: all of the tenant.',
  })
  @Allow()
  service_id?: unknown;

  @ApiPropertyOptional({ ...NUMBER_OR_TEXT, example: 0.001, description: 'Absent: the price of the tenant.' })
  @Allow()
  price_per_request?: unknown;

  @ApiPropertyOptional({ type: Boolean, default: true })
  @Allow()
  enabled?: boolean;

  @ApiPropertyOptional({ type: String, enum: ['live', 'test'] })
  @Allow()
  mode?: 'live' | 'test';
}

@ApiSchema({ name: 'PortalApiKeyPatch', description: 'null removes a field.' })
export class PortalKeyPatchDto extends PartialType(OmitType(NewPortalKeyDto, ['service_id', 'mode'])) {}

@ApiSchema({ name: 'PortalRotation' })
export class PortalRotationDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 7_948_800,
    default: 0,
    description: 'How long the old key works beside the new one.',
  })
  @Allow()
  grace_seconds?: number;
}

export class PortalKeysQuery extends PortalPageQuery {
  @ApiPropertyOptional({ type: String, description: 'Only keys that open this service and nothing else.' })
  @IsOptional()
  @IsString()
  service_id?: string;

  @Search('the id, the beginning, a label or a word of the name')
  search?: string;
}

export class PortalWaitQuery extends PortalQuery {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Answers when all replicas have followed.',
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  wait?: 'true' | 'false';
}

@ApiSchema({ name: 'PortalApiKey' })
export class PortalKeyDto extends KeyTermsDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: String })
  name!: string;

  @ApiProperty({ type: String, description: 'The beginning of the key.' })
  prefix!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'null: it opens all services of the tenant.' })
  service_id!: number | null;

  @ApiProperty({ type: Number, description: 'Its own, or that of the tenant.' })
  price_per_request!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at!: string;

  @ApiProperty({ type: Boolean })
  enabled!: boolean;

  @ApiProperty({ type: Boolean, description: 'Whether it is accepted now.' })
  active!: boolean;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'Set by a rotation.' })
  valid_until!: string | null;

  @ApiProperty({ type: String, nullable: true })
  replaced_by!: string | null;

  @ApiProperty({ type: String, nullable: true })
  replaces!: string | null;
}

@ApiSchema({ name: 'CreatedPortalApiKey' })
export class CreatedPortalKeyDto extends PortalKeyDto {
  @ApiProperty({ type: String, description: 'The key itself. It is not stored and never shown again.' })
  api_key!: string;
}

@ApiSchema({ name: 'PortalApiKeys' })
export class PortalKeysDto {
  @ApiProperty({ type: [PortalKeyDto] })
  api_keys!: PortalKeyDto[];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Of all; null for a search.' })
  total!: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  next_cursor!: string | null;
}
