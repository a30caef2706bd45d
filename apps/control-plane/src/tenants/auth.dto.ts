import { ApiProperty, ApiPropertyOptional, ApiSchema, PartialType } from '@nestjs/swagger';
import { Allow, IsBoolean } from 'class-validator';

@ApiSchema({ name: 'Auth' })
export class AuthDto {
  @ApiProperty({ type: Boolean, description: 'Whether a bearer token is required.' })
  @IsBoolean()
  jwt!: boolean;
}

/** What the fields may hold is the business of `checkAuth`. */
@ApiSchema({
  name: 'AuthPolicy',
  description: 'What a token must say to be used here. Absent fields ask for nothing.',
})
export class AuthPolicyDto extends AuthDto {
  @ApiPropertyOptional({
    type: [String],
    example: ['https://auth.acme.com', 'gateway'],
    description:
      'Issuers accepted, out of those that the tenant trusts. `gateway`: service tokens; `shared-secret`: JWT_SECRET_KEY.',
  })
  @Allow()
  issuers?: string[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'array', items: { type: 'string' } },
    example: { project: ['acme'] },
    description:
      'Accepted values by claim; each claim must have one of its own. Without `project`, service tokens must be of this tenant.',
  })
  @Allow()
  claims?: Record<string, string[]>;

  @ApiPropertyOptional({
    type: [String],
    example: ['orders:read'],
    description: 'All of these must be in `scope` or `scp`.',
  })
  @Allow()
  scopes?: string[];

  @ApiPropertyOptional({
    type: [String],
    example: ['admin'],
    description: 'One of these must be in `roles` or `realm_access.roles`.',
  })
  @Allow()
  roles?: string[];

  @ApiPropertyOptional({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { 'X-User': 'sub' },
    description:
      'Claims by the header in which the upstream gets them. A client’s own such headers are removed.',
  })
  @Allow()
  claimHeaders?: Record<string, string>;
}

export class AuthPatchDto extends PartialType(AuthDto) {}
