import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';

export const BACKUP_TYPE = 'application/x-ndjson';

export class RestoreQuery {
  @ApiPropertyOptional({
    type: Boolean,
    default: false,
    description: 'Also over what the store holds: whatever is not in the backup is removed.',
  })
  @IsOptional()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  replace?: 'true' | 'false';
}

@ApiSchema({ name: 'Restored' })
export class RestoredDto {
  @ApiProperty({ type: 'integer' })
  documents!: number;

  @ApiProperty({ type: 'integer' })
  indexes!: number;

  @ApiProperty({ type: 'integer' })
  ledgers!: number;

  @ApiProperty({ type: String, description: 'Of all lines but the last.' })
  sha256!: string;
}
