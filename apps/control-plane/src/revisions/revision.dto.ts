import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Length, Max, Min } from 'class-validator';
import { CONFIG_KINDS, type ConfigKind } from '#libs/revisions';
import { Nested } from '../edge/nested';
import { PageQuery } from '../edge/page.dto';

const MAX_NUMBER = 999_999_999_999_999;

export class RevisionsQuery extends PageQuery {
  @ApiPropertyOptional({
    type: String,
    description: 'Id of a tenant: only what has changed something of it.',
  })
  @IsOptional()
  @IsString()
  tenant?: string;
}

export class DiffQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    description: 'Number of the revision to compare with; absent: the one before. 0: before the first.',
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(MAX_NUMBER)
  against?: number;
}

@ApiSchema({ name: 'RolledBackObject' })
export class RollbackObjectDto {
  @ApiProperty({ type: String, enum: CONFIG_KINDS })
  @IsIn(CONFIG_KINDS, { message: `must be one of ${CONFIG_KINDS.join(', ')}` })
  kind!: ConfigKind;

  @ApiProperty({ type: String, description: 'Of a publication and of billing terms, the id of the tenant.' })
  @IsString()
  @Length(1, 128)
  id!: string;
}

@ApiSchema({ name: 'RollbackRequest' })
export class RollbackDto {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Says what would be done, and does nothing.',
  })
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;

  @Nested(() => RollbackObjectDto, { optional: true, description: 'Only this object; absent: everything.' })
  object?: RollbackObjectDto;

  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Also over what other programs, such as redis-cli, have changed since.',
  })
  @IsOptional()
  @IsBoolean()
  force?: boolean;
}

@ApiSchema({ name: 'RevisedObject' })
export class RevisedObjectDto {
  @ApiProperty({ type: String, enum: CONFIG_KINDS })
  kind!: ConfigKind;

  @ApiProperty({ type: String })
  id!: string;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiProperty({ type: String, enum: ['created', 'updated', 'deleted'] })
  change!: 'created' | 'updated' | 'deleted';
}

@ApiSchema({ name: 'PatchStep' })
export class PatchStepDto {
  @ApiProperty({ type: String, description: 'JSON pointer (RFC 6901).' })
  path!: string;

  @ApiPropertyOptional({ description: 'Any JSON value; absent where there was none.' })
  before?: unknown;

  @ApiPropertyOptional({ description: 'Any JSON value; absent where there is none.' })
  after?: unknown;
}

@ApiSchema({ name: 'ObjectChange' })
export class ObjectChangeDto extends RevisedObjectDto {
  @ApiProperty({
    type: [PatchStepDto],
    description: 'Of an updated object; at most 100. Secrets are not shown.',
  })
  patch!: readonly PatchStepDto[];
}

@ApiSchema({ name: 'ObjectChangeInFull' })
export class ObjectChangeInFullDto extends ObjectChangeDto {
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  before!: object | null;

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  after!: object | null;
}

@ApiSchema({ name: 'Revision' })
export class RevisionDto {
  @ApiProperty({ type: 'integer', minimum: 1 })
  number!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;

  @ApiProperty({ type: String, description: 'As in the audit log.' })
  actor!: string;

  @ApiPropertyOptional({ type: String })
  actorName?: string;

  @ApiProperty({ type: String, example: 'tenant.update' })
  action!: string;

  @ApiProperty({ type: String })
  requestId!: string;

  @ApiProperty({ type: [String] })
  tenantIds!: string[];

  @ApiProperty({ type: [RevisedObjectDto] })
  objects!: RevisedObjectDto[];
}

@ApiSchema({ name: 'RevisionInFull' })
export class RevisionInFullDto extends RevisionDto {
  @ApiProperty({ type: [ObjectChangeInFullDto] })
  changes!: ObjectChangeInFullDto[];
}

@ApiSchema({ name: 'Revisions' })
export class RevisionsDto {
  @ApiProperty({ type: [RevisionDto] })
  revisions!: RevisionDto[];

  @ApiProperty({ type: 'integer', description: 'Number of the newest; 0: there is none yet.' })
  head!: number;

  @ApiProperty({ type: String, nullable: true })
  nextCursor!: string | null;
}

@ApiSchema({ name: 'RevisionDiff' })
export class DiffDto {
  @ApiProperty({ type: 'integer' })
  from!: number;

  @ApiProperty({ type: 'integer' })
  to!: number;

  @ApiProperty({ type: [ObjectChangeInFullDto] })
  changes!: ObjectChangeInFullDto[];
}

@ApiSchema({ name: 'SkippedObject' })
export class SkippedDto {
  @ApiProperty({ type: String, enum: CONFIG_KINDS })
  kind!: ConfigKind;

  @ApiProperty({ type: String })
  id!: string;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiProperty({ type: String })
  reason!: string;
}

@ApiSchema({ name: 'RolledBack' })
export class RolledBackDto {
  @ApiProperty({ type: Boolean })
  dryRun!: boolean;

  @ApiProperty({ type: 'integer' })
  to!: number;

  @ApiPropertyOptional({ type: 'integer', description: 'The revision that this has made.' })
  revision?: number;

  @ApiProperty({ type: [ObjectChangeDto] })
  changes!: ObjectChangeDto[];

  @ApiProperty({ type: [SkippedDto], description: 'What stays as it is, and why.' })
  skipped!: SkippedDto[];
}
