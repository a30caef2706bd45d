import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { AdminTokens, stateOfAdminToken, type AdminTokenRecord } from '#libs/admin-tokens';
import { GatewayError } from '#libs/errors';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import { WaitQuery, followed, type FollowedDto } from '../keys/wait.dto';
import {
  AdminTokenDto,
  AdminTokenRevocationDto,
  AdminTokenRotationDto,
  AdminTokensDto,
  AdminTokensQuery,
  CreatedAdminTokenDto,
  NewAdminTokenDto,
} from './admin-token.dto';

@ApiTags('admin tokens')
@Controller('admin/admin-tokens')
export class AdminTokensController {
  constructor(
    private readonly tokens: AdminTokens,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Post()
  @Mutation('admin_token.create')
  @ApiOperation({ summary: 'Makes an admin token, shown in this response only' })
  @ApiCreatedResponse({ type: CreatedAdminTokenDto })
  @BodyRefusals('tenant_not_found', 'conflict')
  async create(
    @Body() body: NewAdminTokenDto,
    @Req() request: ControlRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedAdminTokenDto> {
    const { name, role, tenantId, expiresAt } = checked(body);
    request.tenantId = tenantId;
    const { record, token } = await this.tokens.create({ name, role, tenantId, expiresAt }, actorOf(request));
    request.audited = { target: record.id, details: detailsOf(record) };
    response.setHeader('Location', `/admin/admin-tokens/${record.id}`);
    return { ...adminTokenView(record), token };
  }

  @Get()
  @ApiOperation({ summary: 'Lists admin tokens, oldest first; never the tokens themselves' })
  @ApiOkResponse({ type: AdminTokensDto })
  @Refusals('validation_failed')
  async list(@Query() query: AdminTokensQuery): Promise<AdminTokensDto> {
    const { tokens, next } = await this.tokens.list(query.state, positionOf(query), query.limit);
    return { adminTokens: tokens.map(adminTokenView), nextCursor: cursorTo(next) };
  }

  @Get(':tokenId')
  @ApiOperation({ summary: 'Shows what is known of an admin token' })
  @ApiOkResponse({ type: AdminTokenDto })
  @Refusals('admin_token_not_found')
  async show(@Param('tokenId') id: string): Promise<AdminTokenDto> {
    return adminTokenView(await this.tokens.get(id));
  }

  @Post(':tokenId/rotate')
  @Mutation('admin_token.rotate')
  @ApiOperation({
    summary: 'Replaces an admin token by a new one, shown in this response only',
    description: 'The new one has the same role and end; the old one goes on working for the time of grace.',
  })
  @ApiCreatedResponse({ type: CreatedAdminTokenDto })
  @BodyRefusals('admin_token_not_found', 'tenant_not_found', 'conflict')
  async rotate(
    @Param('tokenId') id: string,
    @Body() { graceSeconds }: AdminTokenRotationDto,
    @Req() request: ControlRequest,
  ): Promise<CreatedAdminTokenDto> {
    const { record, token } = await this.tokens.rotate(id, graceSeconds, actorOf(request));
    request.audited = {
      details: { ...detailsOf(record), replacedBy: record.id, graceSeconds: String(graceSeconds) },
    };
    return { ...adminTokenView(record), token };
  }

  @Post(':tokenId/revoke')
  @Mutation('admin_token.revoke')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Takes an admin token back, for good',
    description:
      'It is refused from the next call on, by every replica; with `wait=true` the answer says which are alive and have heard of it.',
  })
  @ApiOkResponse({ type: AdminTokenDto })
  @BodyRefusals('admin_token_not_found')
  async revoke(
    @Param('tokenId') id: string,
    @Body() { reason }: AdminTokenRevocationDto,
    @Query() wait: WaitQuery,
    @Req() request: ControlRequest,
  ): Promise<AdminTokenDto & Partial<FollowedDto>> {
    const { record, key } = await this.tokens.revoke(id, actorOf(request), reason);
    request.audited = { details: { ...detailsOf(record), ...(reason === undefined ? {} : { reason }) } };
    return { ...adminTokenView(record), ...(await followed(this.options.store.changes, wait, key)) };
  }
}

function actorOf({ actor }: ControlRequest): string {
  return actor ?? 'owner';
}

function detailsOf({ name, role }: AdminTokenRecord): Record<string, string> {
  return { name, role };
}

/** @throws GatewayError validation_failed */
function checked(body: NewAdminTokenDto): NewAdminTokenDto {
  const fields: Array<{ field: string; message: string }> = [];
  if (body.role === 'tenant' && body.tenantId === undefined)
    fields.push({ field: 'tenantId', message: 'is needed with the role tenant' });
  if (body.role !== 'tenant' && body.tenantId !== undefined)
    fields.push({ field: 'tenantId', message: 'goes with the role tenant only' });
  const time = body.expiresAt === undefined ? Infinity : Date.parse(body.expiresAt);
  if (!(time > Date.now())) fields.push({ field: 'expiresAt', message: 'must be in the future' });
  if (fields.length > 0) throw new GatewayError('validation_failed', undefined, { fields });
  return { ...body, expiresAt: body.expiresAt && new Date(time).toISOString() };
}

function adminTokenView(record: AdminTokenRecord & { lastUsedAt?: string }): AdminTokenDto {
  const { id, name, role, tenantId, prefix, createdAt, createdBy, expiresAt, lastUsedAt } = record;
  const { validUntil, replacedBy, replaces, revoked } = record;
  // prettier-ignore
  return {
    id, name, role, tenantId, prefix, createdAt, createdBy, expiresAt,
    state: stateOfAdminToken(record, Date.now()), lastUsedAt, validUntil, replacedBy, replaces,
    revoked: revoked && { at: revoked.at, by: revoked.by, reason: revoked.reason },
  };
}
