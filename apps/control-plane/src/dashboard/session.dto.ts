import { ApiProperty, ApiPropertyOptional, ApiSchema } from '@nestjs/swagger';
import { Matches, MaxLength } from 'class-validator';

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

  @ApiProperty({ type: String, nullable: true, description: 'null for administrators.' })
  tenantId!: string | null;

  @ApiProperty({ type: String, nullable: true })
  tenantName!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The one service that a consumer’s key opens.' })
  serviceId!: string | null;

  @ApiProperty({ type: String, enum: CREDENTIALS })
  credential!: (typeof CREDENTIALS)[number];

  @ApiPropertyOptional({ type: [String], description: 'What an admin token opens; absent: everything.' })
  scopes?: string[];

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
  'role' | 'tenantId' | 'tenantName' | 'serviceId' | 'credential' | 'scopes'
>;
