import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsDefined } from 'class-validator';

@ApiSchema({ name: 'BilledPlan' })
export class BilledPlanDto {
  @ApiProperty({ type: String, example: 'starter' })
  id!: string;

  @ApiProperty({ type: String })
  name!: string;

  @ApiProperty({ type: String, enum: ['flat', 'per_request', 'tiered', 'included'] })
  model!: string;

  @ApiProperty({ type: String, example: 'starter@1', description: 'Names the terms as they were assigned.' })
  version!: string;
}

@ApiSchema({ name: 'BillingSummary', description: 'The open billing cycle as it would be billed now.' })
export class BillingSummaryDto {
  @ApiProperty({ type: String })
  tenant_id!: string;

  @ApiProperty({ type: String, example: 'USD', description: 'ISO 4217.' })
  currency!: string;

  @ApiProperty({ type: 'integer', minimum: 1 })
  cycle!: number;

  @ApiProperty({ type: String, format: 'date-time', description: '1970: since the tenant was made.' })
  opened_at!: string;

  @ApiProperty({ type: 'integer' })
  total_requests!: number;

  @ApiProperty({ type: Number, description: 'With fees.' })
  total_cost!: number;

  @ApiProperty({ type: String, example: '0.003', description: 'The same as an exact decimal number.' })
  total_cost_exact!: string;

  @ApiProperty({ type: Number, description: 'What plans cost beside requests.' })
  fees!: number;

  @ApiProperty({ type: Number, description: 'Of requests with keys that have no price of their own.' })
  price_per_request!: number;

  @ApiProperty({
    type: Number,
    nullable: true,
    description: 'Requests that would cost more in one cycle, by the prices of their keys, are refused.',
  })
  spend_cap!: number | null;

  @ApiProperty({ type: BilledPlanDto, nullable: true })
  plan!: BilledPlanDto | null;

  @ApiProperty({ type: 'integer' })
  services!: number;

  @ApiProperty({ type: 'integer' })
  api_keys!: number;
}

@ApiSchema({ name: 'BilledApiKey' })
export class BilledApiKeyDto {
  @ApiProperty({ type: String })
  key_id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null for a key that is gone.' })
  name!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The beginning of the key.' })
  prefix!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, description: 'null for a key of the whole tenant.' })
  service_id!: number | null;

  @ApiProperty({ type: Boolean })
  active!: boolean;

  @ApiProperty({ type: Number, description: 'Of the next request. A plan may charge differently.' })
  price_per_request!: number;

  @ApiProperty({ type: 'integer', description: 'In the open cycle.' })
  total_requests!: number;

  @ApiProperty({ type: Number, description: 'In the open cycle, as its plan charges it.' })
  total_cost!: number;

  @ApiProperty({ type: String, example: '0.003', description: 'The same as an exact decimal number.' })
  total_cost_exact!: string;

  @ApiProperty({ type: 'integer' })
  lifetime_requests!: number;

  @ApiProperty({ type: Number, description: 'Each request at the price its key had; plans left aside.' })
  lifetime_cost!: number;
}

@ApiSchema({ name: 'BilledApiKeys' })
export class BilledApiKeysDto {
  @ApiProperty({ type: [BilledApiKeyDto] })
  api_keys!: BilledApiKeyDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  next_cursor!: string | null;
}

/** An amount of money in a request: exact as text, and as a number where a double is exact enough. */
export const AMOUNT = {
  oneOf: [
    { type: 'number' as const, minimum: 0, maximum: 1_000_000 },
    { type: 'string' as const, pattern: '^(0|[1-9]\\d*)(\\.\\d{1,9})?$' },
  ],
};

@ApiSchema({ name: 'Pricing' })
export class PricingDto {
  @ApiProperty({ ...AMOUNT, example: 0.001 })
  @IsDefined()
  price_per_request!: unknown;
}
