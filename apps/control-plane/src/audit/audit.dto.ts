import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsISO8601, IsOptional, IsString } from 'class-validator';
import type { AuditedChange } from '#libs/audit';
import { PageQuery } from '../edge/page.dto';
import { ObjectChangeDto } from '../revisions/revision.dto';

export class AuditQuery extends PageQuery {
  @ApiPropertyOptional({ type: String, example: 'owner' })
  @IsOptional()
  @IsString()
  actor?: string;

  @ApiPropertyOptional({ type: String, example: 'token.revoke' })
  @IsOptional()
  @IsString()
  action?: string;

  @ApiPropertyOptional({ type: String, description: 'Id of a tenant.' })
  @IsOptional()
  @IsString()
  tenant?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'A date or a moment (ISO 8601).' })
  @IsOptional()
  @IsISO8601({ strict: true, strictSeparator: true }, { message: 'must be a date or a moment (ISO 8601)' })
  from?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Not included.' })
  @IsOptional()
  @IsISO8601({ strict: true, strictSeparator: true }, { message: 'must be a date or a moment (ISO 8601)' })
  to?: string;
}

@ApiSchema({ name: 'AuditEntry' })
export class AuditEntryDto {
  @ApiProperty({ type: String, description: 'Sorts by time.' })
  id!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;

  @ApiProperty({
    type: String,
    description:
      '`owner`, `admin:` and the id of an admin token, `key:` and the id of an API key, `token:` and the id of a portal token, `anonymous` where no credential was asked for, or `unknown`: refused.',
  })
  actor!: string;

  @ApiPropertyOptional({ type: String, description: 'How the admin token is called.' })
  actorName?: string;

  @ApiProperty({ type: String, example: 'token.revoke' })
  action!: string;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiPropertyOptional({ type: String, description: 'Id of what was changed.' })
  target?: string;

  @ApiProperty({ type: String })
  requestId!: string;

  @ApiProperty({ type: String })
  ip!: string;

  @ApiProperty({
    type: 'integer',
    description: 'HTTP status of the answer; 499: nobody waited for one, and the change may have been made.',
  })
  status!: number;

  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  details?: Readonly<Record<string, string>>;

  @ApiPropertyOptional({ type: String, description: 'What the admin token is for.' })
  actorRole?: string;

  @ApiPropertyOptional({
    type: 'integer',
    description: 'The revision of the configuration that it has made.',
  })
  revision?: number;

  @ApiPropertyOptional({ type: [ObjectChangeDto], description: 'At most 20; all are in the revision.' })
  changes?: readonly AuditedChange[];

  @ApiPropertyOptional({
    type: String,
    description: 'Absent, as what follows, in entries from before there were chains.',
  })
  chain?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, description: 'Number in its chain, without gaps.' })
  seq?: number;

  @ApiPropertyOptional({ type: String, description: 'Digest of the entry before.' })
  previousHash?: string;

  @ApiPropertyOptional({ type: String, description: 'SHA-256 of the canonical JSON of all other members.' })
  hash?: string;
}

@ApiSchema({ name: 'AuditEntries' })
export class AuditEntriesDto {
  @ApiProperty({ type: [AuditEntryDto] })
  entries!: AuditEntryDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null on the last page. A page may be short and have one.',
  })
  nextCursor!: string | null;
}

@ApiSchema({ name: 'BrokenEntry' })
export class BrokenEntryDto {
  @ApiProperty({ type: 'integer' })
  seq!: number;

  @ApiProperty({ type: String, example: 'has been changed' })
  reason!: string;
}

@ApiSchema({ name: 'ChainVerdict' })
export class ChainVerdictDto {
  @ApiProperty({ type: String, example: 'owners' })
  chain!: string;

  @ApiProperty({ type: 'integer', description: 'Number of the first entry that is kept.' })
  from!: number;

  @ApiProperty({ type: 'integer', description: 'Number of the last good entry.' })
  to!: number;

  @ApiProperty({ type: 'integer' })
  entries!: number;

  @ApiPropertyOptional({ type: String, description: 'Digest of the last good entry: note it elsewhere.' })
  head?: string;

  @ApiProperty({ type: Boolean })
  ok!: boolean;

  @ApiPropertyOptional({ type: BrokenEntryDto })
  broken?: BrokenEntryDto;
}

@ApiSchema({ name: 'AuditVerdict' })
export class AuditVerdictDto {
  @ApiProperty({ type: Boolean })
  ok!: boolean;

  @ApiProperty({ type: [ChainVerdictDto] })
  chains!: ChainVerdictDto[];
}
