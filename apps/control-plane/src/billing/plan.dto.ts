import { ApiProperty, ApiPropertyOptional, ApiSchema, OmitType } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { Nested } from '../edge/nested';
import { AMOUNT } from './billing.dto';

// What belongs to which model, and how amounts are written, is judged by `checkPlan`; here is only what there can be.

@ApiSchema({ name: 'PlanTier' })
export class PlanTierDto {
  @ApiProperty({
    type: 'integer',
    nullable: true,
    example: 1000,
    description: 'null in the last one: no end.',
  })
  @Allow()
  upTo!: unknown;

  @ApiProperty({ ...AMOUNT, example: '0.001', description: 'Of each request of this tier.' })
  @Allow()
  price!: unknown;
}

@ApiSchema({ name: 'PlanInput' })
export class PlanInputDto {
  @ApiProperty({ type: String, example: 'starter', pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' })
  @Allow()
  id!: unknown;

  @ApiProperty({ type: String, maxLength: 200, example: 'Starter' })
  @Allow()
  name!: unknown;

  @ApiProperty({ type: String, example: 'EUR', description: 'ISO 4217.' })
  @Allow()
  currency!: unknown;

  @ApiProperty({
    type: String,
    enum: ['flat', 'per_request', 'tiered', 'included'],
    description:
      'flat: `fee` alone. per_request: `price`, or without one what each key costs. tiered: `tiers`, each request at the price of its own. included: `fee`, `includedRequests`, and `overagePrice` for each more.',
  })
  @Allow()
  model!: unknown;

  @ApiPropertyOptional({
    type: Boolean,
    description: 'Whether responses from the cache are billed like forwarded ones. Default: false.',
  })
  @Allow()
  billsCacheHits?: unknown;

  @ApiPropertyOptional({ ...AMOUNT, description: 'Per cycle.' })
  @Allow()
  fee?: unknown;

  @ApiPropertyOptional(AMOUNT)
  @Allow()
  price?: unknown;

  @Nested(() => PlanTierDto, { list: true, optional: true })
  tiers?: PlanTierDto[];

  @ApiPropertyOptional({ type: 'integer', minimum: 0, description: 'Per cycle, of all keys together.' })
  @Allow()
  includedRequests?: unknown;

  @ApiPropertyOptional(AMOUNT)
  @Allow()
  overagePrice?: unknown;
}

@ApiSchema({ name: 'PlanReplacement' })
export class PlanReplacementDto extends OmitType(PlanInputDto, ['id']) {
  @ApiPropertyOptional({ type: String, description: 'Cannot be changed.' })
  @Allow()
  id?: unknown;
}

@ApiSchema({ name: 'Plan', description: 'Amounts are decimal texts.' })
export class PlanDto extends OmitType(PlanInputDto, ['fee', 'price', 'overagePrice']) {
  @ApiPropertyOptional({ type: String, example: '10' })
  fee?: string;

  @ApiPropertyOptional({ type: String, example: '0.001' })
  price?: string;

  @ApiPropertyOptional({ type: String, example: '0.002' })
  overagePrice?: string;
}

@ApiSchema({ name: 'Plans' })
export class PlansDto {
  @ApiProperty({ type: [PlanDto] })
  plans!: PlanDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}
