import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { PortalQuery } from '../edge/portal-query.dto';

export class StatementQuery extends PortalQuery {
  @ApiPropertyOptional({ enum: ['json', 'csv'], description: 'Overrules `Accept`.' })
  @IsOptional()
  @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';
}

export class TenantStatementQuery {
  @ApiPropertyOptional({ enum: ['json', 'csv'], description: 'Overrules `Accept`.' })
  @IsOptional()
  @IsIn(['json', 'csv'])
  format?: 'json' | 'csv';
}

@ApiSchema({ name: 'StatementLine' })
export class StatementLineDto {
  @ApiProperty({ type: String })
  keyId!: string;

  @ApiProperty({
    type: String,
    description: 'Its name when the cycle was closed; the id of a key that was gone.',
  })
  keyName!: string;

  @ApiPropertyOptional({ type: String })
  serviceId?: string;

  @ApiProperty({ type: 'integer' })
  requests!: number;

  @ApiPropertyOptional({
    type: String,
    example: '0.001',
    description: 'Only where every request cost the same.',
  })
  unitPrice?: string;

  @ApiProperty({ type: String, example: '1.234' })
  cost!: string;
}

@ApiSchema({ name: 'StatementFee' })
export class StatementFeeDto {
  @ApiProperty({ type: String })
  planId!: string;

  @ApiProperty({ type: String, example: '10' })
  amount!: string;
}

@ApiSchema({ name: 'StatementHead' })
export class StatementHeadDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({ type: 'integer', minimum: 1 })
  cycle!: number;

  @ApiProperty({ type: String, example: 'USD' })
  currency!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  openedAt!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  closedAt!: string;

  @ApiProperty({ type: String, example: '11.234' })
  total!: string;

  @ApiProperty({
    type: String,
    description: 'SHA-256, in hex, of everything else as canonical JSON (RFC 8785).',
  })
  digest!: string;
}

@ApiSchema({ name: 'Statement', description: 'A closed billing cycle. It never changes.' })
export class StatementDto extends StatementHeadDto {
  @ApiProperty({
    type: 'array',
    items: { type: 'object' },
    description: 'The plans of the cycle as they were assigned, in the order in which they came into force.',
  })
  plans!: readonly object[];

  @ApiProperty({
    type: [StatementLineDto],
    description: 'One for each key that was billed, ordered by their ids.',
  })
  lines!: readonly StatementLineDto[];

  @ApiProperty({ type: [StatementFeeDto] })
  fees!: readonly StatementFeeDto[];
}

@ApiSchema({ name: 'Statements' })
export class StatementsDto {
  @ApiProperty({ type: [StatementHeadDto], description: 'Oldest first.' })
  statements!: StatementHeadDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  next_cursor!: string | null;
}

@ApiSchema({ name: 'TenantStatements' })
export class TenantStatementsDto {
  @ApiProperty({ type: [StatementHeadDto], description: 'Oldest first.' })
  statements!: StatementHeadDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}
