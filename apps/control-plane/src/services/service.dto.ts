import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType, PartialType } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { BreakerPolicyDto } from '../breakers/breaker-policy.dto';
import type {
  CompressionPolicy,
  HeaderChangeFields,
  InboundSignature,
  PassiveChecks,
  SigningPolicy,
} from '#libs/tenants';
import { CachePolicyDto } from '../cache/cache-policy.dto';
import { PageQuery } from '../edge/page.dto';
import { Search } from '../edge/search';
import { Nested } from '../edge/nested';
import { MaintenanceDto } from '../maintenance/maintenance.dto';
import { AuthPolicyDto } from '../tenants/auth.dto';
import { RetriesDto } from '../tenants/retries.dto';
import { Compressing, ChangesHeaders, MirrorDto, ShapeDto } from '../tenants/shape.dto';
import { InboundSignatureProperty, SigningProperty } from '../tenants/signing.dto';
import { RateLimitDto, TimeoutsDto } from '../tenants/tenant.dto';

@ApiSchema({ name: 'ServiceTarget' })
export class ServiceTargetDto {
  @ApiProperty({
    type: String,
    format: 'uri',
    example: 'https://api.example.com/v1',
    description: 'http and https: HTTP/1.1; h2c: HTTP/2 without TLS; h2: HTTP/2 over TLS.',
  })
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

@ApiSchema({ name: 'HealthCheck' })
export class HealthCheckDto {
  @ApiProperty({ type: String, example: '/healthz', description: 'Below the URL of the target.' })
  @Allow()
  path!: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 3600, default: 10 })
  @Allow()
  intervalSeconds?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 60_000, default: 2000 })
  @Allow()
  timeoutMs?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 2 })
  @Allow()
  healthyAfter?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 100, default: 3 })
  @Allow()
  unhealthyAfter?: number;

  @ApiPropertyOptional({
    oneOf: [{ type: 'integer' }, { type: 'string' }],
    default: '200-399',
    description: 'A status, or the first and the last of a range.',
  })
  @Allow()
  expectStatus?: number | string;

  @ApiPropertyOptional({ type: String, description: 'Value of `Host`. Absent: that of the target.' })
  @Allow()
  host?: string;
}

const PASSIVE = {
  oneOf: [
    {
      type: 'object' as const,
      properties: {
        failures: { type: 'integer' as const, minimum: 1, maximum: 1000, default: 5 },
        errorPercentAbove: { type: 'integer' as const, minimum: 1, maximum: 100, default: 50 },
        minRequests: { type: 'integer' as const, minimum: 1, maximum: 100_000, default: 20 },
        ejectSeconds: { type: 'integer' as const, minimum: 1, maximum: 3600, default: 30 },
        maxEjectSeconds: { type: 'integer' as const, minimum: 1, maximum: 86_400, default: 300 },
        maxEjectedPercent: { type: 'integer' as const, minimum: 1, maximum: 100, default: 50 },
      },
      additionalProperties: false,
    },
    { type: 'boolean' as const, enum: [false] },
  ],
  description:
    'When a target that does worse than the others gets no requests for a while; false: never. Only with several targets. Absent: the defaults, or false where there is a breaker.',
};

const BALANCE = { type: String, enum: ['round-robin', 'least-pending'], default: 'round-robin' };

const SLOW_START = {
  type: 'integer' as const,
  minimum: 1,
  maximum: 3600,
  description: 'How long a target that comes back or is new gets a growing share. Absent: none.',
};

/** Only what fields there are; what they may hold is the business of `checkServiceFields`. */
@ApiSchema({ name: 'NewService' })
export class NewServiceDto extends ShapeDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 200, example: 'My API service' })
  @Allow()
  name!: string;

  @Nested(() => ServiceTargetDto, { list: true, description: 'One to 64 places.' })
  targets!: ServiceTargetDto[];

  @ApiPropertyOptional(BALANCE)
  @Allow()
  balance?: 'round-robin' | 'least-pending';

  @Nested(() => HealthCheckDto, { optional: true, description: 'Absent: targets are not checked.' })
  healthCheck?: HealthCheckDto;

  @ApiPropertyOptional(PASSIVE)
  @Allow()
  passive?: PassiveChecks | false;

  @Nested(() => BreakerPolicyDto, {
    optional: true,
    description: 'Absent: targets have no circuit breakers.',
  })
  breaker?: BreakerPolicyDto;

  @ApiPropertyOptional(SLOW_START)
  @Allow()
  slowStartSeconds?: number;

  @Nested(() => TimeoutsDto, { optional: true })
  timeouts?: TimeoutsDto;

  @Nested(() => RetriesDto, { optional: true, description: 'Absent: as the tenant says.' })
  retries?: RetriesDto;

  @Nested(() => RateLimitDto, { optional: true, description: 'Of the service as a whole. Absent: none.' })
  rateLimit?: RateLimitDto;

  @Nested(() => AuthPolicyDto, {
    optional: true,
    description: 'Whether requests need a JWT. Absent: as the routes of the tenant, as it is now.',
  })
  auth?: AuthPolicyDto;

  @SigningProperty()
  signing?: SigningPolicy | false;

  @InboundSignatureProperty()
  inboundSignature?: InboundSignature | false;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Largest request body, in the place of the tenant’s.',
  })
  @Allow()
  maxBodyBytes?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
    description: 'Requests under way in each data plane process; further ones are refused.',
  })
  @Allow()
  maxConcurrency?: number;

  @Nested(() => MaintenanceDto, { optional: true, description: 'Absent: there is none.' })
  maintenance?: MaintenanceDto;

  @Nested(() => CachePolicyDto, { optional: true, description: 'Overrides that of the tenant.' })
  cache?: CachePolicyDto;
}

class AuthPolicyPatchDto extends PartialType(AuthPolicyDto) {}

@ApiSchema({ name: 'HealthCheckPatch' })
class HealthCheckPatchDto extends PartialType(HealthCheckDto) {}

@ApiSchema({
  name: 'ServicePatch',
  description: 'A JSON merge patch (RFC 7396): null removes a field, a list replaces the whole list.',
})
export class ServicePatchDto extends PartialType(
  OmitType(NewServiceDto, [
    'targets', 'balance', 'healthCheck', 'passive', 'breaker', 'slowStartSeconds', 'timeouts', 'rateLimit', 'auth',
    'requestHeaders', 'responseHeaders', 'compression', 'mirror', 'signing', 'inboundSignature', 'maintenance',
    'cache', 'retries',
  ]), // prettier-ignore
) {
  @Nested(() => ServiceTargetDto, { list: true, optional: true })
  targets?: ServiceTargetDto[];

  @ApiPropertyOptional({ ...BALANCE, nullable: true })
  @Allow()
  balance?: 'round-robin' | 'least-pending' | null;

  @Nested(() => HealthCheckPatchDto, { optional: true, nullable: true })
  healthCheck?: HealthCheckPatchDto | null;

  @ApiPropertyOptional({ ...PASSIVE, nullable: true })
  @Allow()
  passive?: PassiveChecks | false | null;

  @Nested(() => BreakerPolicyDto, { optional: true, nullable: true })
  breaker?: BreakerPolicyDto | null;

  @ApiPropertyOptional({ ...SLOW_START, nullable: true })
  @Allow()
  slowStartSeconds?: number | null;

  @Nested(() => TimeoutsDto, { optional: true, nullable: true })
  timeouts?: TimeoutsDto | null;

  @Nested(() => RetriesDto, { optional: true, nullable: true })
  retries?: RetriesDto | null;

  @Nested(() => RateLimitDto, { optional: true, nullable: true })
  rateLimit?: RateLimitDto | null;

  @Nested(() => AuthPolicyPatchDto, { optional: true, nullable: true })
  auth?: AuthPolicyPatchDto | null;

  @ChangesHeaders('Headers of the forwarded request', true)
  requestHeaders?: HeaderChangeFields | null;

  @ChangesHeaders('Headers of the response to the client', true)
  responseHeaders?: HeaderChangeFields | null;

  @Compressing(true)
  compression?: CompressionPolicy | boolean | null;

  @Nested(() => MirrorDto, { optional: true, nullable: true })
  mirror?: MirrorDto | null;

  @SigningProperty({ nullable: true })
  signing?: SigningPolicy | false | null;

  @InboundSignatureProperty({ nullable: true })
  inboundSignature?: InboundSignature | false | null;

  @Nested(() => MaintenanceDto, { optional: true, nullable: true })
  maintenance?: MaintenanceDto | null;

  @Nested(() => CachePolicyDto, { optional: true, nullable: true })
  cache?: CachePolicyDto | null;
}

@ApiSchema({ name: 'Service' })
export class ServiceDto extends NewServiceDto {
  @ApiProperty({
    type: String,
    example: '3',
    description: 'Published at `/proxy/3`. A name such as `acme.weather` if it was declared in a file.',
  })
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

  @ApiProperty({ type: 'integer', nullable: true, description: 'Of all; null for a search.' })
  total!: number | null;

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}

export class ServicesQuery extends PageQuery {
  @Search('the id or a word of the name')
  search?: string;
}
