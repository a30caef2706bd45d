import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import type { InboundSignature, SigningPolicy } from '#libs/tenants';
import { CachePolicyDto } from '../cache/cache-policy.dto';
import { FieldProblemDto } from '../docs/problem.dto';
import { Nested } from '../edge/nested';
import { AuthPolicyDto } from '../tenants/auth.dto';
import { RetriesDto } from '../tenants/retries.dto';
import { RouteShapeDto } from '../tenants/shape.dto';
import { InboundSignatureProperty, SigningProperty } from '../tenants/signing.dto';
import { ADDRESSES } from '../tenants/client-rules.dto';
import { RateLimitDto } from '../tenants/tenant.dto';

const HEADERS = { type: 'object' as const, additionalProperties: { type: 'string' as const } };

@ApiSchema({ name: 'PublicationBackend' })
export class PublicationBackendDto {
  @ApiProperty({ type: String, example: '3', description: 'Id of a service of the tenant.' })
  @Allow()
  service!: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 1000,
    default: 1,
    description: 'Share of the requests in proportion to the other weights; 0: none.',
  })
  @Allow()
  weight?: number;
}

@ApiSchema({ name: 'PublicationAuth' })
export class PublicationAuthDto extends AuthPolicyDto {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Whether an API key of the tenant is required.',
  })
  @Allow()
  apiKey?: boolean;
}

/** Only what fields there are; what they may hold is the business of `checkPublication`. */
@ApiSchema({ name: 'PublicationRoute' })
export class PublicationRouteDto extends RouteShapeDto {
  @ApiProperty({ type: String, pattern: '^[A-Za-z0-9._-]{1,100}$', description: 'Unique in the tenant.' })
  @Allow()
  name!: string;

  @ApiProperty({
    type: String,
    example: '/captionacc/prefect',
    description: 'Prefix in whole segments: itself and everything below it. The longest one decides.',
  })
  @Allow()
  path!: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['api.example.com', '*.example.com'],
    description:
      'Lower case, without port; `*.` stands for one label. Absent: any host, after those that are named.',
  })
  @Allow()
  hosts?: string[];

  @ApiPropertyOptional({ type: [String], example: ['GET'], description: 'Absent: any. GET includes HEAD.' })
  @Allow()
  methods?: string[];

  @ApiPropertyOptional({ ...HEADERS, description: 'Headers that must be there with exactly this value.' })
  @Allow()
  headers?: Record<string, string>;

  @Nested(() => PublicationBackendDto, { list: true, description: 'One to 20 services.' })
  backends!: PublicationBackendDto[];

  @ApiPropertyOptional({
    oneOf: [{ type: 'boolean' }, { type: 'string' }],
    description: 'Removed from the front of the path before it is forwarded; true: `path`.',
  })
  @Allow()
  stripPrefix?: boolean | string;

  @ApiPropertyOptional({ type: String, description: 'Put before the path that is forwarded.' })
  @Allow()
  addPrefix?: string;

  @Nested(() => PublicationAuthDto, { optional: true, description: 'Absent: open to everybody.' })
  auth?: PublicationAuthDto;

  @Nested(() => RateLimitDto, {
    optional: true,
    description: 'Of the route, beside those of tenant and service.',
  })
  rateLimit?: RateLimitDto;

  @Nested(() => RetriesDto, { optional: true, description: 'Absent: as service or tenant say.' })
  retries?: RetriesDto;

  @SigningProperty()
  signing?: SigningPolicy | false;

  @InboundSignatureProperty()
  inboundSignature?: InboundSignature | false;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    description: 'Largest request body, in the place of those of service and tenant.',
  })
  @Allow()
  maxBodyBytes?: number;

  @Nested(() => RateLimitDto, { optional: true, description: 'Of each client address at the route.' })
  rateLimitPerIp?: RateLimitDto;

  @ApiPropertyOptional({ ...ADDRESSES, description: 'Absent: from anywhere.' })
  @Allow()
  ipAllow?: string[];

  @ApiPropertyOptional({ ...ADDRESSES, description: 'Refused, whatever is allowed.' })
  @Allow()
  ipDeny?: string[];

  @ApiPropertyOptional({
    type: String,
    pattern: '^[A-Za-z0-9._-]{1,100}$',
    description: 'Sent as X-Gateway-Region, together with X-Gateway-Timestamp. Absent: neither is.',
  })
  @Allow()
  gatewayRegion?: string;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Whether the X-API-Key of a client is the upstream’s, and forwarded.',
  })
  @Allow()
  forwardApiKey?: boolean;

  @Nested(() => CachePolicyDto, { optional: true, description: 'Overrides those of service and tenant.' })
  cache?: CachePolicyDto;
}

@ApiSchema({ name: 'PublicationInput' })
export class PublicationInputDto {
  @Nested(() => PublicationRouteDto, { list: true, description: 'Up to 1000.' })
  routes!: PublicationRouteDto[];
}

@ApiSchema({ name: 'Publication' })
export class PublicationDto extends PublicationInputDto {
  @ApiProperty({ type: String })
  tenantId!: string;
}

@ApiSchema({
  name: 'BrokenPublication',
  description: 'A stored document that cannot be served. It can be replaced or deleted.',
})
export class BrokenPublicationDto {
  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({ type: [FieldProblemDto] })
  problems!: FieldProblemDto[];
}
