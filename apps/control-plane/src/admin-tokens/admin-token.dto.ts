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
  Min,
  ValidateIf,
} from 'class-validator';
import { ADMIN_ROLES, type AdminRole, type AdminTokenState } from '#libs/admin-tokens';
import { PageQuery } from '../edge/page.dto';

const STATES = ['active', 'expired', 'revoked'] as const;
const MAX_GRACE_SECONDS = 30 * 86_400;

/** May be absent, not null: a token without an end must not come of a field that somebody forgot to fill. */
const IfGiven = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

@ApiSchema({ name: 'NewAdminToken' })
export class NewAdminTokenDto {
  @ApiProperty({ type: String, minLength: 1, maxLength: 100, example: 'prometheus' })
  @IsString()
  @Length(1, 100)
  name!: string;

  @ApiProperty({ type: String, enum: ADMIN_ROLES, example: 'operator' })
  @IsIn(ADMIN_ROLES, { message: `must be one of ${ADMIN_ROLES.join(', ')}` })
  role!: AdminRole;

  @ApiPropertyOptional({ type: String, description: 'Of the role `tenant`: whose affairs it is for.' })
  @IfGiven()
  @Matches(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, { message: 'must be the id of a tenant' })
  tenantId?: string;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'Absent: it does not expire.' })
  @IfGiven()
  @IsISO8601({ strict: true, strictSeparator: true }, { message: 'must be a moment (ISO 8601)' })
  expiresAt?: string;
}

@ApiSchema({ name: 'AdminTokenRotation' })
export class AdminTokenRotationDto {
  @ApiProperty({
    type: 'integer',
    minimum: 0,
    maximum: MAX_GRACE_SECONDS,
    description: 'How long the old one goes on working.',
  })
  @IsInt()
  @Min(0)
  @Max(MAX_GRACE_SECONDS)
  graceSeconds!: number;
}

@ApiSchema({ name: 'AdminTokenRevocation' })
export class AdminTokenRevocationDto {
  @ApiPropertyOptional({ type: String, minLength: 1, maxLength: 500 })
  @IfGiven()
  @IsString()
  @Length(1, 500)
  reason?: string;
}

export class AdminTokensQuery extends PageQuery {
  @ApiPropertyOptional({ type: String, enum: [...STATES, 'all'], default: 'all' })
  @IsOptional()
  @IsIn([...STATES, 'all'], { message: `must be one of ${STATES.join(', ')}, all` })
  state: AdminTokenState | 'all' = 'all';
}

@ApiSchema({ name: 'AdminTokenRevoked' })
export class RevokedAdminTokenDto {
  @ApiProperty({ type: String, format: 'date-time' })
  at!: string;

  @ApiProperty({ type: String })
  by!: string;

  @ApiPropertyOptional({ type: String })
  reason?: string;
}

@ApiSchema({ name: 'AdminToken' })
export class AdminTokenDto {
  @ApiProperty({ type: String })
  id!: string;

  @ApiProperty({ type: String })
  name!: string;

  @ApiProperty({ type: String, enum: ADMIN_ROLES })
  role!: AdminRole;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiProperty({ type: String, example: 'gh_admin_Ab3d', description: 'How it begins.' })
  prefix!: string;

  @ApiProperty({ type: String, format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ type: String, description: 'Who has made it, as in the audit log.' })
  createdBy!: string;

  @ApiPropertyOptional({ type: String, format: 'date-time' })
  expiresAt?: string;

  @ApiProperty({ type: String, enum: STATES })
  state!: AdminTokenState;

  @ApiPropertyOptional({ type: String, format: 'date-time', description: 'To the minute.' })
  lastUsedAt?: string;

  @ApiPropertyOptional({
    type: String,
    format: 'date-time',
    description: 'Until when it works beside its successor.',
  })
  validUntil?: string;

  @ApiPropertyOptional({ type: String })
  replacedBy?: string;

  @ApiPropertyOptional({ type: String })
  replaces?: string;

  @ApiPropertyOptional({ type: RevokedAdminTokenDto })
  revoked?: RevokedAdminTokenDto;
}

@ApiSchema({ name: 'CreatedAdminToken' })
export class CreatedAdminTokenDto extends AdminTokenDto {
  @ApiProperty({ type: String, description: 'The token itself. It is not stored and never shown again.' })
  token!: string;
}

@ApiSchema({ name: 'AdminTokens' })
export class AdminTokensDto {
  @ApiProperty({ type: [AdminTokenDto] })
  adminTokens!: AdminTokenDto[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'null on the last page. A page may be short and have one.',
  })
  nextCursor!: string | null;
}

@ApiSchema({ name: 'WhoAmI' })
export class WhoAmIDto {
  @ApiProperty({ type: String, description: '`owner`, or `admin:` and the id of an admin token.' })
  actor!: string;

  @ApiPropertyOptional({ type: String })
  name?: string;

  @ApiProperty({ type: String, enum: ADMIN_ROLES })
  role!: AdminRole;

  @ApiPropertyOptional({ type: String })
  tenantId?: string;

  @ApiProperty({ type: [String], description: 'What it may do, by the operationId of this document.' })
  operations!: string[];
}
