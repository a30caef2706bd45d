import { ApiProperty, ApiPropertyOptional, ApiSchema, PartialType } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { PortalPageQuery } from '../edge/portal-query.dto';
import { Search } from '../edge/search';
import { Nested } from '../edge/nested';
import { ServiceTargetDto } from '../services/service.dto';

@ApiSchema({ name: 'Registration', description: 'With `target_url`, or with several `targets`.' })
export class RegistrationDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 200, example: 'My API service' })
  @Allow()
  name!: string;

  @ApiPropertyOptional({ type: String, format: 'uri', example: 'https://api.example.com' })
  @Allow()
  target_url?: string;

  @Nested(() => ServiceTargetDto, { list: true, optional: true })
  targets?: ServiceTargetDto[];
}

@ApiSchema({ name: 'PortalServicePatch' })
export class PortalServicePatchDto extends PartialType(RegistrationDto) {}

@ApiSchema({ name: 'Registered' })
export class RegisteredDto {
  @ApiProperty({ type: 'integer', example: 1 })
  service_id!: number;

  @ApiProperty({ type: String, example: '/proxy/1' })
  gateway_url!: string;

  @ApiProperty({ type: String, description: 'Opens this service only, and is never shown again.' })
  api_key!: string;

  @ApiProperty({ type: String, description: 'Id of the key.' })
  api_key_id!: string;
}

@ApiSchema({ name: 'PortalService' })
export class PortalServiceDto {
  @ApiProperty({ oneOf: [{ type: 'integer' }, { type: 'string' }], example: 1 })
  id!: number | string;

  @ApiProperty({ type: String })
  name!: string;

  @ApiProperty({ type: String, format: 'uri', description: 'The first of the targets.' })
  target_url!: string;

  @ApiProperty({ type: [ServiceTargetDto] })
  targets!: ServiceTargetDto[];

  @ApiProperty({ type: String, example: '/proxy/1' })
  gateway_url!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  created_at!: string;
}

@ApiSchema({ name: 'PortalServices' })
export class PortalServicesDto {
  @ApiProperty({ type: [PortalServiceDto] })
  services!: PortalServiceDto[];

  @ApiProperty({ type: 'integer', nullable: true, description: 'Of all; null for a search.' })
  total!: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  next_cursor!: string | null;
}

export class PortalServicesQuery extends PortalPageQuery {
  @Search('the id or a word of the name')
  search?: string;
}
