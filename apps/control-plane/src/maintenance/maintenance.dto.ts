import { ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Allow } from 'class-validator';

/** Only what fields there are; what they may hold is the business of `checkMaintenance`. */
@ApiSchema({
  name: 'Maintenance',
  description: 'Requests are refused with 503 while there is one, even one that says nothing.',
})
export class MaintenanceDto {
  @ApiPropertyOptional({ type: String, maxLength: 500, description: 'Said to clients.' })
  @Allow()
  message?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    example: '2030-01-31T06:00:00Z',
    description: 'Over from then on. Absent: until it is removed.',
  })
  @Allow()
  until?: string;

  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 604_800,
    default: 60,
    description: '`Retry-After` where nothing says when it is over.',
  })
  @Allow()
  retryAfterSeconds?: number;

  @ApiPropertyOptional({
    type: [String],
    example: ['10.0.0.0/8'],
    description: 'Addresses and CIDR blocks of clients that are served all the same.',
  })
  @Allow()
  allowedIps?: string[];

  @ApiPropertyOptional({
    type: String,
    pattern: '^[0-9a-f]{64}$',
    description: 'SHA-256 of what operators send as `X-Maintenance-Bypass` to be served all the same.',
  })
  @Allow()
  bypassSha256?: string;
}
