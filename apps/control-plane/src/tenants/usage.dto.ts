import { ApiProperty, ApiSchema } from '@nestjs/swagger';

@ApiSchema({ name: 'Usage' })
export class UsageDto {
  @ApiProperty({ type: String })
  tenantId!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'integer' },
    example: { requests: 1234 },
    description: '`requests`: forwarded to the upstream.',
  })
  counters!: Record<string, number>;
}
