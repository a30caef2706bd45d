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
    description: '`upstream` only where all circuit breakers are open.',
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
}
