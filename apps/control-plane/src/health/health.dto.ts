import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Probe' })
export class ProbeDto {
  @ApiProperty({ type: String, enum: ['alive', 'ready'] })
  status!: 'alive' | 'ready';
}

@ApiSchema({ name: 'Health' })
export class HealthDto {
  @ApiProperty({ type: String, enum: ['ok'] })
  status!: 'ok';

  @ApiProperty({ type: String, enum: ['control'] })
  plane!: 'control';
}

@ApiSchema({ name: 'Status' })
export class StatusDto {
  @ApiProperty({ type: Boolean, description: 'Whether this process wants traffic.' })
  ready!: boolean;

  @ApiProperty({ type: String, enum: ['redis', 'embedded'] })
  store!: string;

  @ApiProperty({ type: String, enum: ['starting', 'ready', 'away'] })
  storeState!: string;

  @ApiProperty({
    type: 'integer',
    description: 'Milliseconds since it was last proven that no change has been missed.',
  })
  configurationAgeMs!: number;

  @ApiProperty({
    type: 'integer',
    nullable: true,
    description: 'How long cached configuration is trusted; null: as long as nothing is announced.',
  })
  configurationTrustMs!: number | null;

  @ApiProperty({ type: 'integer', description: 'Live data plane processes.' })
  replicas!: number;

  @ApiProperty({ type: 'integer' })
  uptimeSeconds!: number;
}
