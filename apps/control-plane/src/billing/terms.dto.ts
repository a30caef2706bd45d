import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow, IsOptional, IsString } from 'class-validator';
import { AMOUNT } from './billing.dto';

@ApiSchema({ name: 'Terms' })
export class TermsDto {
  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({ type: String, example: 'USD' })
  currency!: string;

  @ApiProperty({
    type: String,
    example: '0.001',
    description: 'Of requests whose key has no price of its own.',
  })
  pricePerRequest!: string;

  @ApiProperty({ type: String, nullable: true, description: 'Of one cycle, by the prices of keys.' })
  spendCap!: string | null;

  @ApiProperty({ type: String, nullable: true })
  planId!: string | null;

  @ApiProperty({ type: String, example: 'starter@1', nullable: true })
  planVersion!: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'Every plan that was in force in the open cycle, by version, as it was assigned.',
  })
  plans!: Record<string, object>;

  @ApiProperty({ type: 'integer', minimum: 1, description: 'Number of the open cycle.' })
  cycle!: number;

  @ApiProperty({ type: String, format: 'date-time', description: '1970: since the tenant was made.' })
  openedAt!: string;
}

@ApiSchema({
  name: 'TermsPatch',
  description:
    'What is absent stays. A plan brings its currency along; the currency cannot change while the open cycle has requests.',
})
export class TermsPatchDto {
  @ApiPropertyOptional({ type: String, example: 'EUR', description: 'ISO 4217.' })
  @Allow()
  currency?: unknown;

  @ApiPropertyOptional(AMOUNT)
  @Allow()
  pricePerRequest?: unknown;

  @ApiPropertyOptional({ ...AMOUNT, nullable: true, description: 'null: none.' })
  @Allow()
  spendCap?: unknown;

  @ApiPropertyOptional({
    type: String,
    nullable: true,
    description: 'The plan as it is now; null: none. Assign it again after it was changed.',
  })
  @IsOptional()
  @IsString()
  planId?: string | null;
}
