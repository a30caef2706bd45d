import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow } from 'class-validator';

/** Only what fields there are; what they may hold is the business of `checkRetries`. */
@ApiSchema({
  name: 'Retries',
  description:
    'When a failed request is sent again, to another target where there is one: when nothing had been sent, the method is idempotent or there is an `Idempotency-Key`; never after the first byte of the response, and within a tenth of the load.',
})
export class RetriesDto {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 10,
    default: 2,
    description: 'Beyond the first; 0: none.',
  })
  @Allow()
  attempts?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 600_000,
    default: 25,
    description: 'Before the first retry; doubled before each further one.',
  })
  @Allow()
  backoffMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 600_000,
    description: 'The longest wait, also for `Retry-After` of the upstream. Absent: ten times `backoffMs`.',
  })
  @Allow()
  maxBackoffMs?: number;

  @ApiPropertyOptional({
    type: Boolean,
    default: true,
    description: 'false waits exactly, instead of a time drawn up to it.',
  })
  @Allow()
  jitter?: boolean;

  @ApiPropertyOptional({
    type: 'array',
    items: { type: 'integer' },
    maxItems: 20,
    default: [502, 503, 504],
    description: 'Answers that are taken for failures: 408, 425, 429 and 500 to 599.',
  })
  @Allow()
  statuses?: number[];

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 86_400_000,
    description: 'From the start of an attempt to the head of its response.',
  })
  @Allow()
  perTryTimeoutMs?: number;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 0,
    maximum: 16_777_216,
    default: 65_536,
    description: 'The largest request body that is kept to be sent again.',
  })
  @Allow()
  bodyBytes?: number;

  @ApiPropertyOptional({
    type: 'integer',
    enum: [503],
    description:
      'What becomes of a request whose retries are used up: 503 `retries_exhausted` with `Retry-After`. Absent: its last failure.',
  })
  @Allow()
  exhaustedStatus?: 503;
}
