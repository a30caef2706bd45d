import { ApiProperty, ApiSchema } from '@nestjs/swagger';
import { Matches, MaxLength } from 'class-validator';
import { ADMIN_ROLES, type AdminRole } from '#libs/admin-tokens';

@ApiSchema({ name: 'SignIn' })
export class SignInDto {
  @ApiProperty({
    type: String,
    maxLength: 8192,
    description: 'An admin token, an API key or a portal token.',
  })
  @MaxLength(8192)
  @Matches(/^[\x21-\x7e]+$/, { message: 'must be a token: printable ASCII without spaces' })
  token!: string;
}

const ROLES = ['owner', 'admin', 'tenant', 'reader', 'consumer'] as const;
const CREDENTIALS = ['admin_token', 'api_key', 'portal_token'] as const;

@ApiSchema({ name: 'Session' })
export class SessionDto {
  @ApiProperty({
    type: String,
    enum: ROLES,
    description: '`owner` and `admin` open what is below /admin; the others the portal, as in `GET /me`.',
  })
  role!: (typeof ROLES)[number];

  @ApiProperty({
    type: String,
    enum: ADMIN_ROLES,
    nullable: true,
    description: 'Of an admin token; null for all others.',
  })
  adminRole!: AdminRole | null;

  @ApiProperty({ type: String, nullable: true, description: 'How the admin token is called, if it is one.' })
  name!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'null for those who see all tenants.' })
  tenantId!: string | null;

  @ApiProperty({ type: String, nullable: true })
  tenantName!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The one service that a consumer’s key opens.' })
  serviceId!: string | null;

  @ApiProperty({ type: String, enum: CREDENTIALS })
  credential!: (typeof CREDENTIALS)[number];

  @ApiProperty({ type: [String], description: 'What it may do, by the operationId of this document.' })
  operations!: string[];

  @ApiProperty({ type: String, format: 'date-time', description: 'When it ends at the latest.' })
  expiresAt!: string;

  @ApiProperty({ type: 'integer', description: 'After so long without a request it ends before.' })
  idleSeconds!: number;

  @ApiProperty({ type: String, description: 'To be sent as `X-CSRF-Token` with every change.' })
  csrfToken!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Where clients reach the data plane; null: where this page comes from.',
  })
  gatewayUrl!: string | null;

  @ApiProperty({ type: String, description: 'Of Gatehouse.' })
  version!: string;
}

export type Identity = Pick<
  SessionDto,
  'role' | 'adminRole' | 'name' | 'tenantId' | 'tenantName' | 'serviceId' | 'credential' | 'operations'
>;
