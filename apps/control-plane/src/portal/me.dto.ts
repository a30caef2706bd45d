import { ApiProperty, ApiPropertyOptional, ApiSchema, PartialType } from '@nestjs/swagger';
import { PortalKeyDto } from './portal-key.dto';

@ApiSchema({ name: 'Me' })
export class MeDto {
  @ApiProperty({ type: String })
  tenant_id!: string;

  @ApiProperty({ type: String, nullable: true, description: 'null for a tenant that cannot be served.' })
  name!: string | null;

  @ApiProperty({ type: 'integer', description: 'A consumer has one.' })
  services!: number;

  @ApiProperty({ type: 'integer', description: 'A consumer has one.' })
  api_keys!: number;

  @ApiProperty({
    type: String,
    enum: ['owner', 'tenant', 'reader', 'consumer'],
    description:
      'The owner of the gateway; a key or a portal token of the tenant; one with restrictions of its own, which may read but change nothing; a key of one service.',
  })
  role!: 'owner' | 'tenant' | 'reader' | 'consumer';
}

@ApiSchema({
  name: 'MyApiKey',
  description: 'Of a key that another program has made nothing but its id is known.',
})
export class MyApiKeyDto extends PartialType(PortalKeyDto) {
  @ApiPropertyOptional({
    type: String,
    description: 'The key itself: only for the first who asks without one where registration is open.',
  })
  api_key?: string;
}
