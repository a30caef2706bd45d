import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsOptional, IsString } from 'class-validator';
import { PortalQuery } from '../edge/portal-query.dto';

export class ReconciliationQuery extends PortalQuery {
  @ApiPropertyOptional({ type: String, example: '2030-01-01', description: 'A date or a moment.' })
  @IsOptional()
  @IsString()
  from?: string;

  @ApiPropertyOptional({
    type: String,
    example: '2030-02-01',
    description: 'A date or a moment, not included.',
  })
  @IsOptional()
  @IsString()
  to?: string;
}

@ApiSchema({ name: 'ReconciledCycle' })
export class ReconciledCycleDto {
  @ApiProperty({ type: 'integer' })
  cycle!: number;

  @ApiProperty({ type: String, format: 'date-time' })
  opened_at!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null: it is open.' })
  closed_at!: string | null;
}

@ApiSchema({ name: 'ReconciledKey' })
export class ReconciledKeyDto {
  @ApiProperty({ type: String })
  key_id!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Requests in statements and, of the open cycle, in its ledger.',
  })
  rated!: number;

  @ApiProperty({ type: 'integer', description: 'Requests in the usage of days.' })
  counted!: number;

  @ApiProperty({ type: 'integer', description: 'Responses that were counted apart when they had been sent.' })
  accessed!: number;

  @ApiProperty({ type: 'integer', description: 'Positive: more was billed than was used.' })
  rated_minus_counted!: number;

  @ApiProperty({ type: 'integer', description: 'Positive: more was billed than was answered.' })
  rated_minus_accessed!: number;
}

@ApiSchema({ name: 'Reconciliation' })
export class ReconciliationDto {
  @ApiProperty({ type: String })
  tenant_id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'First hour that usage was added up of.' })
  from!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The hour after the last one.' })
  to!: string | null;

  @ApiProperty({
    type: [ReconciledCycleDto],
    description: 'The billing cycles that were compared, newest first.',
  })
  cycles!: ReconciledCycleDto[];

  @ApiProperty({ type: Boolean, description: 'Whether no key drifts.' })
  in_balance!: boolean;

  @ApiProperty({ type: [ReconciledKeyDto] })
  keys!: ReconciledKeyDto[];
}
