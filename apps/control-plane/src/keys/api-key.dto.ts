import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { IsString, Length } from 'class-validator';

export class NewApiKeyDto {
  @ApiProperty({
    type: String,
    minLength: 1,
    maxLength: 100,
    example: 'billing service',
    description: 'What it is for.',
  })
  @IsString()
  @Length(1, 100)
  name!: string;
}

@ApiSchema({ name: 'ApiKey' })
export class ApiKeyDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: String })
  name!: string;

  @ApiProperty({ type: String, example: 'gh_live_3f9a', description: 'The beginning of the key.' })
  prefix!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;
}

@ApiSchema({ name: 'ListedApiKey' })
export class ListedApiKeyDto extends ApiKeyDto {
  @ApiProperty({
    type: Boolean,
    description: 'Whether it is accepted: false if another program has deleted its mapping.',
  })
  active!: boolean;
}

@ApiSchema({ name: 'CreatedApiKey' })
export class CreatedApiKeyDto extends ApiKeyDto {
  @ApiProperty({ type: String, description: 'The key itself. It is not stored and never shown again.' })
  key!: string;
}

@ApiSchema({ name: 'ApiKeys' })
export class ApiKeysDto {
  @ApiProperty({ type: [ListedApiKeyDto] })
  apiKeys!: ListedApiKeyDto[];

  @ApiProperty({ type: String, nullable: true, description: 'null on the last page.' })
  nextCursor!: string | null;
}
