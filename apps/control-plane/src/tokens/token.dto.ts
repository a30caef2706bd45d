import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import {
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';
import { TOKEN_STATES, type TokenState } from '#libs/tokens';
import { PageQuery } from '../edge/page.dto';

const PROJECT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const SERVICE = /^[A-Za-z0-9._-]{1,64}$/;
const NO_PROJECT = { message: 'must be the id of a tenant' };
const NO_SERVICE = { message: 'must be 1 to 64 letters, digits, dots, hyphens and underscores' };
const DEFAULT_DAYS = 90;
const MAX_DAYS = 365;

/** May be absent, not null: a token without an end must not come of a field that somebody forgot to fill. */
const IfGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

@ApiSchema({ name: 'NewToken' })
export class NewTokenDto {
  @ApiProperty({ type: String, example: 'acme', description: 'Id of the tenant.' })
  @Matches(PROJECT, NO_PROJECT)
  project!: string;

  @ApiProperty({
    type: String,
    example: 'modal',
    description:
      'For whom in that project. `portal` is reserved: such a token opens the portal of the project (`/me`, `/services`, `/api-keys`, `/usage`, `/billing`) like a key of it, and no route.',
  })
  @Matches(SERVICE, NO_SERVICE)
  service!: string;

  @ApiPropertyOptional({ type: String, maxLength: 200 })
  @IfGiven()
  @IsString()
  @MaxLength(200)
  description?: string;

  @ApiPropertyOptional({ type: 'integer', minimum: 1, maximum: MAX_DAYS, default: DEFAULT_DAYS })
  @IfGiven()
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  expiresInDays: number = DEFAULT_DAYS;
}

@ApiSchema({ name: 'IssuedToken' })
export class IssuedTokenDto {
  @ApiProperty({ type: String, description: 'The token itself. It is not stored and never shown again.' })
  token!: string;

  @ApiProperty({ type: String, format: 'uuid' })
  jti!: string;

  @ApiProperty({ type: String })
  project!: string;

  @ApiProperty({ type: String })
  service!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  expiresAt!: string;
}

@ApiSchema({ name: 'TokenRevocationRequest' })
export class RevokeTokenDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 500, example: 'Token compromised' })
  @IsString()
  @Length(1, 500)
  reason!: string;

  @ApiPropertyOptional({ type: String, maxLength: 100, description: 'Absent: whoever sends this.' })
  @IfGiven()
  @IsString()
  @Length(1, 100)
  actor?: string;

  @ApiPropertyOptional({
    type: String,
    description: 'Of a token that was not issued here: whose it is. Of another one it must be the right one.',
  })
  @IfGiven()
  @Matches(PROJECT, NO_PROJECT)
  project?: string;

  @ApiPropertyOptional({ type: String, description: 'Of a token that was not issued here.' })
  @IfGiven()
  @Matches(SERVICE, NO_SERVICE)
  service?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description:
      'When a token expires that was not issued here: the revocation is kept until then. Absent: for ever.',
  })
  @IfGiven()
  @IsISO8601({ strict: true, strictSeparator: true }, { message: 'must be a moment (ISO 8601)' })
  expiresAt?: string;
}

export class TokensQuery extends PageQuery {
  @ApiPropertyOptional({ type: String })
  @IsOptional()
  @Matches(PROJECT, NO_PROJECT)
  project?: string;

  @ApiPropertyOptional({ type: String })
  @IsOptional()
  @Matches(SERVICE, NO_SERVICE)
  service?: string;

  @ApiPropertyOptional({
    type: String,
    enum: [...TOKEN_STATES, 'all'],
    default: 'active',
    description: 'Revoked tokens stay revoked when they expire.',
  })
  @IsOptional()
  @IsIn([...TOKEN_STATES, 'all'], { message: `must be one of ${TOKEN_STATES.join(', ')}, all` })
  state: TokenState | 'all' = 'active';
}

@ApiSchema({ name: 'TokenRevocation' })
export class TokenRevocationDto {
  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;

  @ApiProperty({ type: String })
  actor!: string;

  @ApiProperty({ type: String })
  reason!: string;
}

@ApiSchema({ name: 'Token' })
export class TokenDto {
  @ApiProperty({ type: String })
  jti!: string;

  @ApiProperty({ type: String })
  project!: string;

  @ApiProperty({ type: String })
  service!: string;

  @ApiPropertyOptional({ type: String })
  description?: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  expiresAt!: string;

  @ApiProperty({ type: String })
  createdBy!: string;

  @ApiProperty({ type: String, enum: TOKEN_STATES })
  state!: TokenState;

  @ApiPropertyOptional({ type: TokenRevocationDto, description: 'Who took it back, when and why.' })
  revoked?: TokenRevocationDto;
}

@ApiSchema({ name: 'Tokens' })
export class TokensDto {
  @ApiProperty({ type: [TokenDto] })
  tokens!: TokenDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null on the last page. A page may be short and have one.',
  })
  nextCursor!: string | null;
}

@ApiSchema({ name: 'TokenCleanup' })
export class TokenCleanupDto {
  @ApiProperty({ type: 'integer', description: 'Removed records of tokens that had simply expired.' })
  tokens!: number;

  @ApiProperty({ type: 'integer', description: 'Removed revocations of tokens that have expired.' })
  revocations!: number;

  @ApiProperty({ type: Boolean, description: 'Whether there is more to be removed.' })
  more!: boolean;
}
