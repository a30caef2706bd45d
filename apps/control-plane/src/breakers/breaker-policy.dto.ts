import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow } from 'class-validator';

/** Only what fields there are; what they may hold is the business of `checkBreaker`. */
@ApiSchema({
  name: 'BreakerPolicy',
  description:
    'When requests to a target are stopped for a while, because they fail or take too long. An empty object is the defaults.',
})
export class BreakerPolicyDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 5,
    description: 'Failures in a row that open it.',
  })
  @Allow()
  failures?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 50,
    description: 'Share of failed requests in the window that opens it.',
  })
  @Allow()
  errorPercent?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 3_600_000,
    description: 'A response whose head takes longer is slow. Absent: none is.',
  })
  @Allow()
  slowMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 80,
    description: 'Share of slow requests in the window that opens it.',
  })
  @Allow()
  slowPercent?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100_000,
    default: 20,
    description: 'Requests in the window below which no share is judged. Each replica counts its own.',
  })
  @Allow()
  minRequests?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 3600, default: 10 })
  @Allow()
  windowSeconds?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 10,
    maximum: 3_600_000,
    default: 10_000,
    description: 'How long it opens at first; twice as long each time that it opens again soon.',
  })
  @Allow()
  openMs?: number;

  @ApiPropertyOptional({ type: 'integer', minimum: 10, maximum: 86_400_000, default: 300_000 })
  @Allow()
  maxOpenMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 100,
    default: 3,
    description: 'Requests that all replicas together let through, and that must go well, before it closes.',
  })
  @Allow()
  probes?: number;

  @ApiPropertyOptional({
    type: [Number],
    default: [502, 503, 504],
    description: 'Statuses from 500 to 599 that count as failures, for `passive` too.',
  })
  @Allow()
  failureStatuses?: number[];
}
