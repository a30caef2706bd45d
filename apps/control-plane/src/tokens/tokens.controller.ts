import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiCreatedResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { GatewayError } from '#libs/errors';
import { keys } from '#libs/store';
import { TokenRepository, stateOf, type ServiceTokenRecord } from '#libs/tokens';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import { WaitQuery, followed, type FollowedDto } from '../keys/wait.dto';
import {
  IssuedTokenDto,
  NewTokenDto,
  RevokeTokenDto,
  TokenCleanupDto,
  TokenDto,
  TokensDto,
  TokensQuery,
} from './token.dto';

@ApiTags('tokens')
@Controller('admin/tokens')
export class TokensController {
  constructor(
    private readonly tokens: TokenRepository,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Post()
  @Mutation('token.issue')
  @ApiOperation({ summary: 'Issues a service token, shown in this response only' })
  @ApiCreatedResponse({ type: IssuedTokenDto })
  @BodyRefusals('tenant_not_found', 'signing_not_configured')
  async issue(
    @Body() body: NewTokenDto,
    @Req() request: ControlRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<IssuedTokenDto> {
    request.tenantId = body.project;
    const { token, record } = await this.tokens.issue({ ...body, actor: actorOf(request) });
    const { jti, project, service, expiresAt } = record;
    request.audited = { target: jti, details: { jti, project, service, expiresAt } };
    response.setHeader('Location', `/admin/tokens/${jti}`);
    return { token, jti, project, service, expiresAt };
  }

  @Get()
  @ApiOperation({
    summary: 'Lists tokens, project by project and by when they expire; those in force by default',
  })
  @ApiOkResponse({ type: TokensDto })
  @Refusals('validation_failed')
  async list(@Query() query: TokensQuery): Promise<TokensDto> {
    const { project, service, state, limit } = query;
    const { tokens, next } = await this.tokens.list({ project, service, state }, positionOf(query), limit);
    return { tokens: tokens.map(tokenView), nextCursor: cursorTo(next) };
  }

  @Get(':jti')
  @ApiOperation({ summary: 'Shows what is known of a token' })
  @ApiOkResponse({ type: TokenDto })
  @Refusals('token_not_found')
  async show(@Param('jti') jti: string): Promise<TokenDto> {
    return tokenView(await this.tokens.get(jti));
  }

  @Post(':jti/revoke')
  @Mutation('token.revoke')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Takes a token back',
    description:
      'Replicas follow within milliseconds; with `wait=true` the answer says who has. Who was first, when and why stays. A token that was signed elsewhere with our secret is taken back if the body names its project.',
  })
  @ApiOkResponse({ type: TokenDto })
  @BodyRefusals('token_not_found')
  async revoke(
    @Param('jti') jti: string,
    @Body() body: RevokeTokenDto,
    @Query() wait: WaitQuery,
    @Req() request: ControlRequest,
  ): Promise<TokenDto & Partial<FollowedDto>> {
    const { reason, actor = actorOf(request), ...foreign } = body;
    request.audited = { details: { jti, reason } };
    const expiresAt = momentToCome(foreign.expiresAt);
    const record = await this.tokens.revoke(jti, { ...foreign, reason, actor, expiresAt });
    const { project, service } = record;
    request.tenantId = project;
    request.audited = { details: { jti, project, service, reason, by: actor } };
    return {
      ...tokenView(record),
      ...(await followed(this.options.store.changes, wait, keys.serviceToken(jti))),
    };
  }

  @Post('cleanup')
  @Mutation('token.cleanup')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Removes records of tokens that have expired, at most about a thousand',
    description: 'Runs every hour by itself. Records are kept for an hour longer than their tokens.',
  })
  @ApiOkResponse({ type: TokenCleanupDto })
  @Refusals()
  async cleanup(@Req() request: ControlRequest): Promise<TokenCleanupDto> {
    const removed = await this.tokens.cleanup();
    const { tokens, revocations } = removed;
    request.audited = { details: { tokens: String(tokens), revocations: String(revocations) } };
    return removed;
  }
}

/** AdminGuard has let them in, and said who they are. */
function actorOf({ actor }: ControlRequest): string {
  return actor ?? 'owner';
}

/**
 * A revocation that is to be forgotten at once is a mistake, of seconds for milliseconds perhaps.
 * @throws GatewayError validation_failed
 */
function momentToCome(moment: string | undefined): string | undefined {
  if (moment === undefined) return undefined;
  const time = Date.parse(moment);
  if (time > Date.now()) return new Date(time).toISOString();
  const fields = [{ field: 'expiresAt', message: 'must be in the future' }];
  throw new GatewayError('validation_failed', undefined, { fields });
}

function tokenView(record: ServiceTokenRecord): TokenDto {
  const { jti, project, service, description, createdAt, expiresAt, createdBy, revoked } = record;
  return {
    jti,
    project,
    service,
    description,
    createdAt,
    expiresAt,
    createdBy,
    state: stateOf(record, Date.now()),
    revoked: revoked && { at: revoked.at, actor: revoked.actor, reason: revoked.reason },
  };
}
