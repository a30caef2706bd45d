import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIP, IsObject, IsOptional, IsString, Matches } from 'class-validator';
import type { GuardName } from '#libs/guards';

export const GUARDS = [
  'admission',
  'api_key',
  'route',
  'maintenance',
  'jwt',
  'body_size',
  'signature',
  'concurrency',
  'rate_limit',
] as const satisfies readonly GuardName[];

@ApiSchema({ name: 'MyQuestion' })
export class MyQuestionDto {
  @ApiProperty({ type: String, example: 'GET' })
  @Matches(/^[A-Za-z-]{1,40}$/, { message: 'must be a method' })
  method!: string;

  @ApiProperty({
    type: String,
    example: '/api/v1/users?page=2',
    description: 'The request target, as a client sends it.',
  })
  @IsString()
  path!: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
    example: { 'X-API-Key': 'gh_live_…', Authorization: 'Bearer …' },
    description: 'A list is a header sent several times. Without `Host` one is made up.',
  })
  @IsOptional()
  @IsObject()
  headers?: Record<string, string | string[]>;

  @ApiPropertyOptional({
    type: String,
    example: '203.0.113.7',
    description: 'The other end of the connection; absent: 127.0.0.1.',
  })
  @IsOptional()
  @IsIP()
  clientAddress?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Id of an API key of the tenant: judged as if that had been sent, whose value nobody knows.',
  })
  @IsOptional()
  @Matches(/^[A-Za-z0-9-]{1,64}$/, { message: 'must be the id of an API key' })
  apiKeyId?: string;
}

@ApiSchema({ name: 'Question' })
export class QuestionDto extends MyQuestionDto {
  @ApiPropertyOptional({ type: String, description: 'Whose key `apiKeyId` is.' })
  @IsOptional()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { message: 'must be the id of a tenant' })
  tenantId?: string;
}

@ApiSchema({ name: 'Judgement' })
export class JudgementDto {
  @ApiProperty({
    type: String,
    enum: [...GUARDS, 'upstream'],
    description:
      '`upstream` only where all circuit breakers are open, or `only-if-cached` asks for what is not stored.',
  })
  guard!: (typeof GUARDS)[number] | 'upstream';

  @ApiProperty({ type: String, enum: ['pass', 'refuse', 'not_reached'] })
  verdict!: 'pass' | 'refuse' | 'not_reached';

  @ApiPropertyOptional({
    type: String,
    example: 'route_not_allowed',
    description: 'The code of the refusal.',
  })
  code?: string;

  @ApiPropertyOptional({ type: String })
  reason?: string;

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: true,
    example: { remaining: 41, capacity: 100, windowSeconds: 60 },
    description:
      'What the guard knew: normalised path, bucket level, token subject, problems of the document, …',
  })
  details?: Record<string, unknown>;
}

@ApiSchema({ name: 'CacheKeyExplanation' })
class CacheKeyExplanationDto {
  @ApiProperty({ type: String, example: 'gateway.example.com' })
  host!: string;

  @ApiProperty({
    type: String,
    example: '/api/v1/users?page=2',
    description: 'Path, and what counts of the query.',
  })
  target!: string;

  @ApiProperty({ type: [String], description: 'Request headers that count, by the policy.' })
  headers!: readonly string[];

  @ApiProperty({
    type: String,
    enum: ['own', 'anybody'],
    description: '`own`: what is stored is for the same principal only.',
  })
  identity!: 'own' | 'anybody';
}

@ApiSchema({ name: 'StoredResponseExplanation' })
class StoredResponseExplanationDto {
  @ApiProperty({ type: String, enum: ['memory', 'redis'] })
  tier!: 'memory' | 'redis';

  @ApiProperty({ type: 'integer' })
  status!: number;

  @ApiProperty({ type: 'integer' })
  ageSeconds!: number;

  @ApiProperty({ type: 'integer', description: 'How long it is fresh; negative: since when it is not.' })
  ttlSeconds!: number;

  @ApiProperty({ type: Boolean, description: 'A purge has made it stale.' })
  purged!: boolean;

  @ApiProperty({ type: [String], description: 'Request headers that tell it from others, by its own word.' })
  vary!: string[];
}

@ApiSchema({
  name: 'CacheExplanation',
  description: 'Whether it could be answered from the response cache at this moment.',
})
export class CacheExplanationDto {
  @ApiProperty({
    type: String,
    example: 'route /v1',
    description: 'Where the policy is written that counts.',
  })
  rule!: string;

  @ApiProperty({
    type: String,
    enum: ['hit', 'stale', 'revalidate', 'miss', 'bypass', 'refuse', 'unknown'],
    description:
      '`stale` is answered and asked for anew; `revalidate` is confirmed first; `bypass` has nothing to do with the store; ' +
      '`unknown` where only the memory of other processes could tell.',
  })
  answer!: 'hit' | 'stale' | 'revalidate' | 'miss' | 'bypass' | 'refuse' | 'unknown';

  @ApiPropertyOptional({
    type: String,
    enum: [
      'method',
      'request',
      'shaped',
      'header',
      'body',
      'disabled',
      'off',
      'purges-unknown',
      'only-if-cached',
    ],
    description: 'Why it is a `bypass` or `refuse`.',
  })
  reason?: string;

  @ApiPropertyOptional({ type: CacheKeyExplanationDto })
  key?: CacheKeyExplanationDto;

  @ApiPropertyOptional({
    type: [String],
    example: ['memory', 'redis'],
    description: 'Where it was looked for.',
  })
  tiers?: string[];

  @ApiPropertyOptional({ type: StoredResponseExplanationDto })
  stored?: StoredResponseExplanationDto;
}

@ApiSchema({ name: 'RetriesExplanation' })
class RetriesExplanationDto {
  @ApiProperty({ type: 'integer' })
  attempts!: number;

  @ApiProperty({ type: Boolean, description: 'Whether also after some of it has been sent.' })
  repeatable!: boolean;
}

@ApiSchema({ name: 'MirrorExplanation' })
class MirrorExplanationDto {
  @ApiProperty({ type: String, example: 'service 7', description: 'URL or service that gets the copies.' })
  to!: string;

  @ApiProperty({ type: Number, description: 'Share of the requests that are copied.' })
  percent!: number;

  @ApiProperty({ type: Boolean, description: 'Whether requests of this method and size are.' })
  copied!: boolean;
}

@ApiSchema({ name: 'TargetExplanation', description: 'Where it would be sent now, and what is done there.' })
export class TargetExplanationDto {
  @ApiProperty({ type: String })
  url!: string;

  @ApiPropertyOptional({
    type: String,
    enum: ['closed', 'open', 'half_open', 'forced_open', 'forced_closed'],
    description: 'Of its circuit breaker; absent: it has none.',
  })
  breaker?: string;

  @ApiPropertyOptional({
    type: String,
    enum: ['failed_checks', 'failed_requests', 'circuit_open'],
    description: 'What is known against it, and it is chosen all the same.',
  })
  trouble?: string;

  @ApiPropertyOptional({ type: RetriesExplanationDto })
  retries?: RetriesExplanationDto;

  @ApiPropertyOptional({ type: MirrorExplanationDto })
  mirror?: MirrorExplanationDto;
}

@ApiSchema({ name: 'Explanation' })
export class ExplanationDto {
  @ApiProperty({ type: String, enum: ['forward', 'refuse'] })
  outcome!: 'forward' | 'refuse';

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'Status of the refusal; null if the upstream would answer.',
  })
  status!: number | null;

  @ApiProperty({ type: String, nullable: true })
  tenantId!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '/v1/users',
    description: 'Path of the route that governs.',
  })
  route!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '3',
    description: 'Service that the path names, or that its published route leads to.',
  })
  serviceId!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'https://internal-api.acme.com/v1/users?page=2' })
  upstreamUrl!: string | null;

  @ApiProperty({ type: [JudgementDto], description: 'In the order in which a request is judged.' })
  judgements!: JudgementDto[];

  @ApiPropertyOptional({
    type: CacheExplanationDto,
    description: 'Absent: refused, or no cache policy applies.',
  })
  cache?: CacheExplanationDto;

  @ApiPropertyOptional({ type: TargetExplanationDto, description: 'Absent: refused.' })
  target?: TargetExplanationDto;
}
