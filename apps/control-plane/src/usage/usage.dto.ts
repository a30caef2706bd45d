import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { PortalQuery } from '../edge/portal-query.dto';

const FROM = {
  type: String,
  example: '2030-01-01',
  description:
    'A date, that is its midnight (UTC), or a moment (ISO 8601); widened to whole hours. Absent: thirty days before `to`.',
};
const TO = {
  type: String,
  example: '2030-02-01',
  description: 'A date or a moment, not included. Absent: now. At most 400 days after `from`.',
};
const groups = (names: string) => ({
  type: String,
  example: 'day,status',
  description: `What rows are told apart by: some of ${names}, with commas between them. Absent: day.`,
});

export class UsageQuery extends PortalQuery {
  @ApiPropertyOptional(FROM)
  @IsOptional()
  @IsString()
  from?: string;

  @ApiPropertyOptional(TO)
  @IsOptional()
  @IsString()
  to?: string;

  @ApiPropertyOptional(groups('hour, day, key, route, status and, over all services, service'))
  @IsOptional()
  @IsString()
  group_by?: string;
}

export class TenantUsageQuery {
  @ApiPropertyOptional(FROM)
  @IsOptional()
  @IsString()
  from?: string;

  @ApiPropertyOptional(TO)
  @IsOptional()
  @IsString()
  to?: string;

  @ApiPropertyOptional(groups('hour, day, service, key, route, status'))
  @IsOptional()
  @IsString()
  groupBy?: string;
}

class AmountsDto {
  @ApiPropertyOptional({ type: String, example: '2030-01-01T13:00:00Z' })
  hour?: string;

  @ApiPropertyOptional({ type: String, example: '2030-01-01', description: 'UTC.' })
  day?: string;

  @ApiPropertyOptional({ type: String, example: '/v1/users', description: 'Empty for services.' })
  route?: string;

  @ApiPropertyOptional({ type: String, example: '2xx' })
  status?: string;

  @ApiProperty({ type: 'integer', description: 'Of any outcome.' })
  requests!: number;
}

@ApiSchema({ name: 'UsageRow', description: 'Of what rows are not told apart by, nothing is said.' })
export class UsageRowDto extends AmountsDto {
  @ApiPropertyOptional({ type: 'integer', nullable: true, description: 'null: the tenant’s own routes.' })
  service_id?: number | null;

  @ApiPropertyOptional({ type: String })
  api_key_id?: string;

  @ApiProperty({ type: 'integer' })
  bytes_in!: number;

  @ApiProperty({ type: 'integer' })
  bytes_out!: number;

  @ApiProperty({ type: 'integer', description: 'Requests that are billed.' })
  billed!: number;
}

@ApiSchema({ name: 'TenantUsageRow', description: 'Of what rows are not told apart by, nothing is said.' })
export class TenantUsageRowDto extends AmountsDto {
  @ApiPropertyOptional({ type: String, nullable: true, description: 'null: the tenant’s own routes.' })
  serviceId?: string | null;

  @ApiPropertyOptional({ type: String })
  keyId?: string;

  @ApiProperty({ type: 'integer' })
  bytesIn!: number;

  @ApiProperty({ type: 'integer' })
  bytesOut!: number;

  @ApiProperty({ type: 'integer', description: 'Requests that are billed.' })
  billed!: number;
}

@ApiSchema({ name: 'Usage' })
export class TenantUsageDto {
  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { requests: 1234 },
    description: '`requests`: forwarded to an upstream since the tenant was made, of any outcome.',
  })
  counters!: Record<string, number>;

  @ApiPropertyOptional({
    type: String,
    description: 'Only where a range was asked for, as are the following.',
  })
  from?: string;

  @ApiPropertyOptional({ type: String, description: 'Not included.' })
  to?: string;

  @ApiPropertyOptional({ type: 'integer', description: 'Requests of the range that succeeded (2xx, 3xx).' })
  totalRequests?: number;

  @ApiPropertyOptional({ type: [TenantUsageRowDto] })
  rows?: TenantUsageRowDto[];
}

@ApiSchema({ name: 'KeyUsage' })
export class KeyUsageDto {
  @ApiProperty({ type: String })
  api_key_id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null for a key that is not known any more.' })
  name!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The beginning of the key.' })
  prefix!: string | null;

  @ApiProperty({ type: 'integer' })
  requests!: number;
}

class RangedUsageDto {
  @ApiPropertyOptional({
    type: String,
    description: 'Only where a range was asked for, as are the following.',
  })
  from?: string;

  @ApiPropertyOptional({ type: String, description: 'Not included.' })
  to?: string;

  @ApiPropertyOptional({ type: [UsageRowDto], description: 'A consumer’s key sees its own requests only.' })
  rows?: UsageRowDto[];
}

@ApiSchema({ name: 'ServiceUsage' })
export class ServiceUsageDto extends RangedUsageDto {
  @ApiProperty({ type: 'integer' })
  service_id!: number;

  @ApiProperty({
    type: 'integer',
    description: 'Requests that succeeded (2xx, 3xx): of all time, or of the range that was asked for.',
  })
  total_requests!: number;

  @ApiPropertyOptional({
    type: [KeyUsageDto],
    description: 'Successful requests of all time. A consumer’s key sees itself only.',
  })
  by_api_key?: KeyUsageDto[];
}

@ApiSchema({ name: 'UsageOfService' })
export class UsageOfServiceDto {
  @ApiProperty({ type: 'integer' })
  service_id!: number;

  @ApiProperty({ type: 'integer' })
  requests!: number;
}

@ApiSchema({ name: 'UsageOfAllServices' })
export class UsageOfAllServicesDto extends RangedUsageDto {
  @ApiProperty({ type: String })
  tenant_id!: string;

  @ApiProperty({
    type: 'integer',
    description:
      'Requests that succeeded (2xx, 3xx): of all services and of all time, or, where a range was asked for, of that and of the tenant’s own routes as well.',
  })
  total_requests!: number;

  @ApiPropertyOptional({ type: [UsageOfServiceDto], description: 'Successful requests of all time.' })
  by_service?: UsageOfServiceDto[];
}
