import {
  ApiProperty,
  ApiPropertyOptional,
  ApiSchema,
  IntersectionType,
  OmitType,
  PartialType,
} from '@nestjs/swagger';
import { IsArray, IsBoolean, IsInt, IsOptional, IsString } from 'class-validator';
import type {
  CompressionPolicy,
  InboundSignature,
  ShownSecret,
  SignatureKeys,
  SigningPolicy,
} from '#libs/tenants';
import { CachePolicyDto } from '../cache/cache-policy.dto';
import { FieldProblemDto } from '../docs/problem.dto';
import { BreakerPolicyDto } from '../breakers/breaker-policy.dto';
import { Nested } from '../edge/nested';
import { MaintenanceDto } from '../maintenance/maintenance.dto';
import { AuthDto, AuthPatchDto, AuthPolicyDto } from './auth.dto';
import { Compressing, RouteShapeDto } from './shape.dto';
import { AddressRulesDto } from './client-rules.dto';
import { IdentityProviderDto, IdentityProviderPatchDto } from './identity-provider.dto';
import { RetriesDto } from './retries.dto';
import { InboundSignatureProperty, SignatureKeysProperty, SigningProperty } from './signing.dto';

@ApiSchema({ name: 'RateLimit' })
export class RateLimitDto {
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 2_678_400, example: 60 })
  @IsInt()
  windowSeconds!: number;

  @ApiProperty({ type: 'integer', minimum: 1, maximum: 1_000_000_000, example: 1000 })
  @IsInt()
  maxRequests!: number;
}

const MAX_BODY = { type: 'integer', minimum: 1 } as const;
const AT_ONCE = { type: 'integer', minimum: 1, maximum: 1_000_000 } as const;

@ApiSchema({ name: 'Route' })
export class RouteDto extends IntersectionType(RouteShapeDto, AddressRulesDto) {
  @ApiProperty({
    type: String,
    example: '/v1/users',
    description: 'A path below /api, with everything under it.',
  })
  @IsString()
  path!: string;

  @ApiPropertyOptional({
    type: [String],
    example: ['GET', 'POST'],
    description: 'Absent: any method. GET includes HEAD.',
  })
  @IsOptional()
  @IsArray()
  @IsString({ each: true })
  methods?: string[];

  @Nested(() => AuthPolicyDto, { optional: true, description: 'Overrides `auth` of the tenant.' })
  auth?: AuthPolicyDto;

  @Nested(() => RateLimitDto, { optional: true, description: 'A limit of the route, beside the tenant’s.' })
  rateLimit?: RateLimitDto;

  @SigningProperty()
  signing?: SigningPolicy | false;

  @InboundSignatureProperty()
  inboundSignature?: InboundSignature | false;

  @ApiPropertyOptional({ ...MAX_BODY, description: 'Largest request body, in the place of the tenant’s.' })
  @IsOptional()
  @IsInt()
  maxBodyBytes?: number;

  @Nested(() => RateLimitDto, { optional: true, description: 'Of each client address at the route.' })
  rateLimitPerIp?: RateLimitDto;

  @Nested(() => CachePolicyDto, { optional: true, description: 'Overrides `cache` of the tenant.' })
  cache?: CachePolicyDto;
}

@ApiSchema({ name: 'Timeouts', description: 'Overrides of the gateway’s time-outs, in milliseconds.' })
export class TimeoutsDto {
  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 86_400_000 })
  @IsOptional()
  @IsInt()
  connectMs?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 86_400_000 })
  @IsOptional()
  @IsInt()
  firstByteMs?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 86_400_000 })
  @IsOptional()
  @IsInt()
  idleMs?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 86_400_000 })
  @IsOptional()
  @IsInt()
  totalMs?: number;
}

@ApiSchema({ name: 'TenantInput' })
export class TenantInputDto extends AddressRulesDto {
  @ApiPropertyOptional({
    type: String,
    example: 'acme',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
    description: 'Absent: one is generated.',
  })
  @IsOptional()
  @IsString()
  id?: string;

  @ApiProperty({ type: String, maxLength: 200, example: 'ACME Corporation' })
  @IsString()
  name!: string;

  @ApiProperty({
    type: String,
    format: 'uri',
    example: 'https://internal-api.acme.com',
    description: 'http and https: HTTP/1.1; h2c: HTTP/2 without TLS; h2: HTTP/2 over TLS.',
  })
  @IsString()
  upstreamBaseUrl!: string;

  @Nested(() => RouteDto, { list: true })
  allowedRoutes!: RouteDto[];

  @Nested(() => AuthDto, {
    optional: true,
    description: 'For routes that say nothing; absent: required if there is an identity provider.',
  })
  auth?: AuthDto;

  @Nested(() => RateLimitDto, { optional: true, description: 'Absent: 100 requests in 60 seconds.' })
  rateLimit?: RateLimitDto;

  @Nested(() => RateLimitDto, {
    optional: true,
    description: 'Of each client address, beside that for all; IPv6 by /64. Absent: none.',
  })
  rateLimitPerIp?: RateLimitDto;

  @Nested(() => IdentityProviderDto, { optional: true })
  idp?: IdentityProviderDto;

  @Nested(() => IdentityProviderDto, {
    list: true,
    optional: true,
    description: 'Further ones, 16 in all; a token is for the one that its `iss` names.',
  })
  idps?: IdentityProviderDto[];

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Whether service tokens of the gateway count; absent: if there is no identity provider.',
  })
  @IsOptional()
  @IsBoolean()
  serviceTokens?: boolean;

  @Nested(() => TimeoutsDto, { optional: true })
  timeouts?: TimeoutsDto;

  @Nested(() => RetriesDto, {
    optional: true,
    description: 'Absent: what broke is sent once more at the most.',
  })
  retries?: RetriesDto;

  @Nested(() => BreakerPolicyDto, {
    optional: true,
    description: 'Circuit breaker of `upstreamBaseUrl`; services have their own. Absent: none.',
  })
  breaker?: BreakerPolicyDto;

  @Compressing()
  compression?: CompressionPolicy | boolean;

  @SignatureKeysProperty()
  signatureKeys?: SignatureKeys | Record<string, { secret: ShownSecret }>;

  @SigningProperty()
  signing?: SigningPolicy | false;

  @InboundSignatureProperty()
  inboundSignature?: InboundSignature | false;

  @Nested(() => CachePolicyDto, {
    optional: true,
    description: 'For routes and services that say nothing. Absent: nothing is stored.',
  })
  cache?: CachePolicyDto;

  @ApiPropertyOptional({ type: Boolean, description: 'Requests of a suspended tenant are refused with 403.' })
  @IsOptional()
  @IsBoolean()
  suspended?: boolean;

  @ApiPropertyOptional({
    ...MAX_BODY,
    description: 'Largest request body; that of the gateway holds beside it.',
  })
  @IsOptional()
  @IsInt()
  maxBodyBytes?: number;

  @ApiPropertyOptional({
    ...AT_ONCE,
    description: 'Requests under way in each data plane process; further ones wait for a moment.',
  })
  @IsOptional()
  @IsInt()
  maxConcurrency?: number;

  @ApiPropertyOptional({
    ...AT_ONCE,
    minimum: 0,
    description:
      'Event streams and WebSockets open in each process; they do not count as requests under way.',
  })
  @IsOptional()
  @IsInt()
  maxStreams?: number;

  @Nested(() => MaintenanceDto, { optional: true, description: 'Absent: there is none.' })
  maintenance?: MaintenanceDto;
}

class RateLimitPatchDto extends PartialType(RateLimitDto) {}

@ApiSchema({
  name: 'TenantPatch',
  description: 'A JSON merge patch (RFC 7396): null removes a field, a list replaces the whole list.',
})
export class TenantPatchDto extends PartialType(
  OmitType(TenantInputDto, [
    'auth', 'rateLimit', 'rateLimitPerIp', 'idp', 'timeouts', 'retries', 'breaker', 'compression', 'signing',
    'inboundSignature', 'maintenance', 'cache',
  ]), // prettier-ignore
) {
  @Nested(() => AuthPatchDto, { optional: true, nullable: true })
  auth?: AuthPatchDto | null;

  @Nested(() => RateLimitPatchDto, { optional: true, nullable: true })
  rateLimit?: RateLimitPatchDto | null;

  @Nested(() => RateLimitPatchDto, { optional: true, nullable: true })
  rateLimitPerIp?: RateLimitPatchDto | null;

  @Nested(() => IdentityProviderPatchDto, { optional: true, nullable: true })
  idp?: IdentityProviderPatchDto | null;

  @Nested(() => TimeoutsDto, { optional: true, nullable: true })
  timeouts?: TimeoutsDto | null;

  @Nested(() => RetriesDto, { optional: true, nullable: true })
  retries?: RetriesDto | null;

  @Nested(() => BreakerPolicyDto, { optional: true, nullable: true })
  breaker?: BreakerPolicyDto | null;

  @Compressing(true)
  compression?: CompressionPolicy | boolean | null;

  @SigningProperty({ nullable: true })
  signing?: SigningPolicy | false | null;

  @InboundSignatureProperty({ nullable: true })
  inboundSignature?: InboundSignature | false | null;

  @Nested(() => MaintenanceDto, { optional: true, nullable: true })
  maintenance?: MaintenanceDto | null;

  @Nested(() => CachePolicyDto, { optional: true, nullable: true })
  cache?: CachePolicyDto | null;
}

@ApiSchema({ name: 'Tenant' })
export class TenantDto extends OmitType(TenantInputDto, ['id']) {
  @ApiProperty({ type: String, example: 'acme' })
  id!: string;
}

@ApiSchema({
  name: 'BrokenTenant',
  description: 'A stored document that cannot be served. It can be replaced or deleted.',
})
export class BrokenTenantDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: [FieldProblemDto] })
  problems!: FieldProblemDto[];
}
