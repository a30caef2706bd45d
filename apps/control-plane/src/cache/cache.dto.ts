import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { FollowedDto } from '../keys/wait.dto';

const TEXTS = { type: 'array' as const, items: { type: 'string' as const }, minItems: 1, maxItems: 100 };

/** Only what fields there are; what they may hold is the business of `checkPurge`. */
@ApiSchema({ name: 'Purge' })
export class PurgeDto {
  @ApiPropertyOptional({
    ...TEXTS,
    example: ['/api/v1/users?page=2'],
    description: 'Paths with their queries.',
  })
  @Allow()
  urls?: string[];

  @ApiPropertyOptional({ ...TEXTS, example: ['/api/v1/'], description: 'What paths begin with.' })
  @Allow()
  prefixes?: string[];

  @ApiPropertyOptional({ ...TEXTS, description: 'Of `Cache-Tag` and `Surrogate-Key`, and of policies.' })
  @Allow()
  tags?: string[];

  @ApiPropertyOptional({
    ...TEXTS,
    example: ['/v1/users', '/proxy/3', 'web'],
    description: 'Paths of routes below /api, addresses of services, names of published routes.',
  })
  @Allow()
  routes?: string[];

  @ApiPropertyOptional({ type: Boolean, description: 'All that is stored for the tenant.' })
  @Allow()
  everything?: boolean;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description:
      'Marks as stale: it is confirmed before it is used again, and may stand in for a failing upstream.',
  })
  @Allow()
  soft?: boolean;
}

@ApiSchema({ name: 'Purged' })
export class PurgedDto implements Partial<FollowedDto> {
  @ApiProperty({ type: Boolean, enum: [true] })
  purged!: true;

  @ApiPropertyOptional({ type: [String], description: 'With `wait=true`: replicas that have followed.' })
  confirmed?: readonly string[];

  @ApiPropertyOptional({ type: [String], description: 'With `wait=true`: live ones that have not said so.' })
  missing?: readonly string[];
}

@ApiSchema({ name: 'CacheMemory' })
export class CacheMemoryDto {
  @ApiProperty({ type: 'integer' })
  entries!: number;

  @ApiProperty({ type: 'integer' })
  bytes!: number;

  @ApiProperty({ type: 'integer', description: 'For all tenants together.' })
  maxBytes!: number;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { hit: 41, miss: 3 },
    description: 'Requests by what became of them, since the start of the process.',
  })
  requests!: Record<string, number>;
}

@ApiSchema({ name: 'CacheShared' })
export class CacheSharedDto {
  @ApiProperty({ type: 'integer' })
  entries!: number;

  @ApiProperty({ type: 'integer' })
  bytes!: number;

  @ApiProperty({ type: 'integer' })
  maxBytes!: number;
}

@ApiSchema({ name: 'CacheStatistics' })
export class CacheStatisticsDto {
  @ApiProperty({
    type: CacheMemoryDto,
    nullable: true,
    description: 'Of the process that answers; null where it has no data plane.',
  })
  memory!: CacheMemoryDto | null;

  @ApiProperty({ type: CacheSharedDto, nullable: true, description: 'In Redis; null without one.' })
  shared!: CacheSharedDto | null;
}
