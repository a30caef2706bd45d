import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { IsIn, IsObject, IsOptional, IsString, Matches, MaxLength } from 'class-validator';

export const TEST_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

@ApiSchema({ name: 'ServiceTestCall' })
export class ServiceTestCallDto {
  @ApiPropertyOptional({ type: String, enum: TEST_METHODS, default: 'GET' })
  @IsOptional()
  @IsIn(TEST_METHODS)
  method: (typeof TEST_METHODS)[number] = 'GET';

  @ApiPropertyOptional({
    type: String,
    default: '/',
    description: 'With its query, below the URL of the target.',
  })
  @IsOptional()
  @MaxLength(4096)
  @Matches(/^\/[\x21-\x7e]*$/, { message: 'must begin with a slash, without spaces' })
  path: string = '/';

  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @IsOptional()
  @IsObject()
  headers?: Record<string, string>;

  @ApiPropertyOptional({ type: String, maxLength: 32_768 })
  @IsOptional()
  @IsString()
  @MaxLength(32_768)
  body?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'uri',
    description: 'URL of one of the targets; absent: the first.',
  })
  @IsOptional()
  @IsString()
  target?: string;
}

@ApiSchema({ name: 'ServiceTest' })
export class ServiceTestDto {
  @ApiProperty({ type: String, format: 'uri' })
  target!: string;

  @ApiProperty({ type: String, format: 'uri', description: 'What was asked for.' })
  url!: string;

  @ApiProperty({ type: 'integer', nullable: true, description: 'null without an answer.' })
  status!: number | null;

  @ApiProperty({ type: Number })
  durationMs!: number;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' } })
  headers!: Record<string, string>;

  @ApiProperty({ type: String, nullable: true, description: 'As UTF-8, 64 KiB at most.' })
  body!: string | null;

  @ApiProperty({ type: Boolean, description: 'There was more.' })
  truncated!: boolean;

  @ApiProperty({ type: String, nullable: true, description: 'Why there was no answer.' })
  problem!: string | null;
}
