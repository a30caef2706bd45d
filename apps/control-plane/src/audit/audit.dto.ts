import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsISO8601, IsOptional, IsString } from 'class-validator';
import { PageQuery } from '../edge/page.dto';

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
      '`owner`, `key:` and the id of an API key, `anonymous` where no credential was asked for, or `unknown`: refused.',
  })
  actor!: string;

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
