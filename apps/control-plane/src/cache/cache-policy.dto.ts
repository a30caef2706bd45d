import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow } from 'class-validator';

const SECONDS = { type: 'integer' as const, minimum: 0, maximum: 31_536_000 };
const NAMES = { type: 'array' as const, items: { type: 'string' as const } };

/** Only what fields there are; what they may hold is the business of `checkCache`. */
@ApiSchema({ name: 'CachePolicy', description: 'What is stored of responses (RFC 9111).' })
export class CachePolicyDto {
  @ApiPropertyOptional({ type: Boolean, default: true, description: 'false ends what is said further up.' })
  @Allow()
  enabled?: boolean;

  @ApiPropertyOptional({
    ...SECONDS,
    minimum: 1,
    example: 60,
    description: 'How long a response is fresh, whatever it says. `no-store` and `private` are kept to.',
  })
  @Allow()
  ttlSeconds?: number;

  @ApiPropertyOptional({ type: [String], enum: ['GET', 'HEAD'], description: 'Absent: both.' })
  @Allow()
  methods?: Array<'GET' | 'HEAD'>;

  @ApiPropertyOptional({ type: [String], description: 'Request headers that tell responses apart.' })
  @Allow()
  varyOn?: string[];

  @ApiPropertyOptional({
    oneOf: [
      { type: 'object', required: ['include'], properties: { include: NAMES }, additionalProperties: false },
      { type: 'object', required: ['ignore'], properties: { ignore: NAMES }, additionalProperties: false },
    ],
    description: 'Which parameters of the query tell responses apart. Absent: all.',
  })
  @Allow()
  keyQuery?: { include: string[] } | { ignore: string[] };

  @ApiPropertyOptional({
    type: Boolean,
    description:
      'Absent: a response is for its principal alone where there is a token, credential or cookie.',
  })
  @Allow()
  perIdentity?: boolean;

  @ApiPropertyOptional({ type: [Number], example: [200, 404], description: 'What may be stored.' })
  @Allow()
  statuses?: number[];

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: 16_777_216, default: 1_048_576 })
  @Allow()
  maxBodyBytes?: number;

  @ApiPropertyOptional({ ...SECONDS, description: 'Absent: as the response says (RFC 5861).' })
  @Allow()
  staleWhileRevalidateSeconds?: number;

  @ApiPropertyOptional({ ...SECONDS, description: 'Absent: as the response says (RFC 5861).' })
  @Allow()
  staleIfErrorSeconds?: number;

  @ApiPropertyOptional({ type: [String], description: 'Of all that is stored, beside the responses’ own.' })
  @Allow()
  tags?: string[];
}
