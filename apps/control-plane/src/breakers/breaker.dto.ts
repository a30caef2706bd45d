import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString } from 'class-validator';

const STATES = ['closed', 'open', 'half_open', 'forced_open', 'forced_closed'] as const;
export const BREAKER_ACTIONS = ['open', 'close', 'reset'] as const;

@ApiSchema({ name: 'Breaker', description: 'A circuit breaker as all replicas share it.' })
export class BreakerDto {
  @ApiProperty({ type: String, enum: STATES })
  state!: (typeof STATES)[number];

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Since when; half-open: since it opened. null if it has not opened for long.',
  })
  since!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '5 failures in a row' })
  reason!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'When probes may begin.' })
  openUntil!: string | null;

  @ApiProperty({ type: 'integer', description: 'How often it has opened without a long peace in between.' })
  openings!: number;

  @ApiProperty({ type: 'integer', description: 'Probes that went well since it is half-open.' })
  succeeded!: number;

  @ApiProperty({ type: 'integer', description: 'Probes under way.' })
  probing!: number;

  @ApiProperty({ type: 'integer', description: 'Requests in the window, of the process that answers.' })
  requests!: number;

  @ApiProperty({ type: 'integer' })
  failed!: number;

  @ApiProperty({ type: 'integer' })
  slow!: number;
}

@ApiSchema({ name: 'BreakerOrder' })
export class BreakerOrderDto {
  @ApiProperty({
    type: String,
    enum: BREAKER_ACTIONS,
    description:
      '`open` and `close` hold it so, for 30 days at most; `reset` forgets everything, and it goes on by itself.',
  })
  @IsIn(BREAKER_ACTIONS)
  action!: (typeof BREAKER_ACTIONS)[number];

  @ApiPropertyOptional({
    type: String,
    format: 'uri',
    description: 'URL of the target. Absent: all of them.',
  })
  @IsOptional()
  @IsString()
  target?: string;
}
