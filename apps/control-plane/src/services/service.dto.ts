import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType, PartialType } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { Nested } from '../edge/nested';
import { AuthPolicyDto } from '../tenants/auth.dto';
import { RateLimitDto, TimeoutsDto } from '../tenants/tenant.dto';

@ApiSchema({ name: 'ServiceTarget' })
export class ServiceTargetDto {
  @ApiProperty({ type: String, format: 'uri', example: 'https://api.example.com/v1' })
  @Allow()
  url!: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 1,
    description: 'Share of the requests in proportion to the other weights.',
  })
  @Allow()
  weight?: number;
}

/** Only what fields there are; what they may hold is the business of `checkServiceFields`. */
@ApiSchema({ name: 'NewService' })
export class NewServiceDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 200, example: 'My API service' })
  @Allow()
  name!: string;

  @Nested(() => ServiceTargetDto, { list: true, description: 'One to 64 places.' })
  targets!: ServiceTargetDto[];

  @Nested(() => TimeoutsDto, { optional: true })
  timeouts?: TimeoutsDto;

  @Nested(() => RateLimitDto, { optional: true, description: 'Of the service as a whole. Absent: none.' })
  rateLimit?: RateLimitDto;

  @Nested(() => AuthPolicyDto, {
    optional: true,
    description: 'Whether requests need a JWT. Absent: as the routes of the tenant, as it is now.',
  })
  auth?: AuthPolicyDto;
}

class AuthPolicyPatchDto extends PartialType(AuthPolicyDto) {}

@ApiSchema({
  name: 'ServicePatch',
  description: 'A JSON merge patch (RFC 7396): null removes a field, a list replaces the whole list.',
})
export class ServicePatchDto extends PartialType(
  OmitType(NewServiceDto, ['targets', 'timeouts', 'rateLimit', 'auth']),
) {
  @Nested(() => ServiceTargetDto, { list: true, optional: true })
  targets?: ServiceTargetDto[];

  @Nested(() => TimeoutsDto, { optional: true, nullable: true })
  timeouts?: TimeoutsDto | null;

  @Nested(() => RateLimitDto, { optional: true, nullable: true })
  rateLimit?: RateLimitDto | null;

  @Nested(() => AuthPolicyPatchDto, { optional: true, nullable: true })
  auth?: AuthPolicyPatchDto | null;
}

@ApiSchema({ name: 'Service' })
export class ServiceDto extends NewServiceDto {
  @ApiProperty({ type: String, example: '3', description: 'Published at `/proxy/3`.' })
  id!: string;

  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;
}

@ApiSchema({ name: 'Services' })
export class ServicesDto {
  @ApiProperty({ type: [ServiceDto] })
  services!: ServiceDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}
