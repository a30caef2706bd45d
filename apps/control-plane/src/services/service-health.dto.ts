import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { BreakerDto } from '../breakers/breaker.dto';

@ApiSchema({ name: 'TargetHealth' })
export class TargetHealthDto {
  @ApiProperty({ type: String, format: 'uri' })
  url!: string;

  @ApiProperty({
    type: Boolean,
    description: 'Whether requests are sent there, as long as others are healthy too.',
  })
  healthy!: boolean;

  @ApiProperty({ type: String, nullable: true, enum: ['failed_checks', 'failed_requests', 'circuit_open'] })
  trouble!: string | null;

  @ApiProperty({ type: 'integer', description: 'Requests under way.' })
  pending!: number;

  @ApiProperty({ type: 'integer', description: 'Failed requests in a row.' })
  failures!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  ejectedUntil!: string | null;

  @ApiProperty({ type: 'integer', description: 'How often it was ejected without a long peace in between.' })
  ejections!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'null: not yet.' })
  checkedAt!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'What was wrong with the last check.' })
  problem!: string | null;

  @ApiProperty({ type: () => BreakerDto, nullable: true, description: 'null: there is none.' })
  breaker!: BreakerDto | null;
}

@ApiSchema({ name: 'ServiceHealth' })
export class ServiceHealthDto {
  @ApiProperty({
    type: Boolean,
    description:
      'Whether this process watches the targets: it serves, something leads there, and there is more than one or a check.',
  })
  watched!: boolean;

  @ApiProperty({ type: [TargetHealthDto] })
  targets!: TargetHealthDto[];
}
