import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { ApiKeyRepository } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { PortalBodyRefusals, PortalRefusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { cursorTo } from '../edge/page.dto';
import { PortalQuery } from '../edge/portal-query.dto';
import { HonoursIfMatch, tag } from '../edge/preconditions';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { listedKeys } from '../keys/listed-keys';
import { Versioned, type VersionedExchange } from '../keys/versioned';
import { RevokedDto, followed } from '../keys/wait.dto';
import { inDocumentedNames } from './documented-names';
import { Management } from './management';
import {
  CreatedPortalKeyDto,
  NewPortalKeyDto,
  PortalKeyDto,
  PortalKeyPatchDto,
  PortalKeysDto,
  PortalKeysQuery,
  PortalRotationDto,
  PortalWaitQuery,
} from './portal-key.dto';
import { PortalKeys } from './portal-keys';

const UNRESTRICTED = 'Needs a key that has no restrictions of its own, or the owner.';

/** A tenant's own keys. Every change is for unrestricted keys only; see Management. */
@ApiTags('portal')
@Controller('api-keys')
@Portal()
export class PortalKeysController {
  constructor(
    private readonly apiKeys: ApiKeyRepository,
    private readonly portalKeys: PortalKeys,
    private readonly management: Management,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Post()
  @Mutation('api_key.create')
  @ApiOperation({ summary: 'Creates an API key, shown in this response only', description: UNRESTRICTED })
  @ApiCreatedResponse({ type: CreatedPortalKeyDto })
  @PortalBodyRefusals('service_not_found')
  async create(
    @ActsFor() principal: Principal,
    @Body() body: NewPortalKeyDto,
    @Query() _query: PortalQuery,
  ): Promise<CreatedPortalKeyDto> {
    await this.management.require(principal);
    const created = await this.portalKeys.create(principal.tenantId, body);
    return this.portalKeys.viewCreated(principal.tenantId, created);
  }

  @Get()
  @ApiOperation({ summary: 'Lists the API keys of the tenant, oldest first' })
  @ApiOkResponse({ type: PortalKeysDto })
  @PortalRefusals()
  async list(@ActsFor() { tenantId }: Principal, @Query() query: PortalKeysQuery): Promise<PortalKeysDto> {
    const asked = { ...query, serviceId: query.service_id };
    const { apiKeys, next, total } = await listedKeys(this.apiKeys, tenantId, asked);
    return {
      api_keys: await this.portalKeys.viewAll(tenantId, apiKeys),
      next_cursor: cursorTo(next),
      total,
    };
  }

  @Get(':key_id')
  @ApiOperation({ summary: 'Shows what is known of an API key' })
  @ApiOkResponse({ type: PortalKeyDto })
  @PortalRefusals('api_key_not_found')
  async show(
    @ActsFor() { tenantId }: Principal,
    @Param('key_id') keyId: string,
    @Query() _query: PortalQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PortalKeyDto> {
    const stored = await this.apiKeys.get(tenantId, keyId);
    tag(response, stored.version);
    return this.portalKeys.view(tenantId, stored);
  }

  @Patch(':key_id')
  @Mutation('api_key.update')
  @ApiOperation({ summary: 'Changes parts of an API key, or disables it', description: UNRESTRICTED })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @HonoursIfMatch()
  @ApiOkResponse({ type: PortalKeyDto })
  @PortalBodyRefusals('api_key_not_found', 'conflict', 'declared_in_file', 'precondition_failed')
  async change(
    @ActsFor() principal: Principal,
    @Param('key_id') keyId: string,
    @Body() patch: PortalKeyPatchDto,
    @Query() wait: PortalWaitQuery,
    @Versioned() exchange: VersionedExchange,
  ): Promise<PortalKeyDto> {
    await this.management.require(principal);
    const { tenantId } = principal;
    const stored = await this.portalKeys.change(tenantId, keyId, patch, exchange.accepted);
    const view = await this.portalKeys.view(tenantId, stored);
    exchange.tag(stored.version);
    return { ...view, ...(await followed(this.options.store.changes, wait, stored.document)) };
  }

  @Post(':key_id/rotate')
  @Mutation('api_key.rotate')
  @ApiOperation({
    summary: 'Replaces an API key by a new one, shown in this response only',
    description: UNRESTRICTED,
  })
  @ApiCreatedResponse({ type: CreatedPortalKeyDto })
  @PortalBodyRefusals('api_key_not_found', 'conflict', 'declared_in_file')
  async rotate(
    @ActsFor() principal: Principal,
    @Param('key_id') keyId: string,
    @Body() { grace_seconds: graceSeconds = 0 }: PortalRotationDto,
    @Query() wait: PortalWaitQuery,
  ): Promise<CreatedPortalKeyDto> {
    await this.management.require(principal);
    const { tenantId } = principal;
    const created = await inDocumentedNames(() => this.apiKeys.rotate(tenantId, keyId, { graceSeconds }));
    const view = await this.portalKeys.viewCreated(tenantId, created);
    return { ...view, ...(await followed(this.options.store.changes, wait, created.changed)) };
  }

  @Delete(':key_id')
  @Mutation('api_key.revoke')
  @HttpCode(204)
  @ApiOperation({ summary: 'Revokes an API key', description: UNRESTRICTED })
  @ApiNoContentResponse({ description: 'It is gone, and replicas follow within milliseconds.' })
  @ApiOkResponse({ type: RevokedDto, description: 'With `wait=true`: it is gone, and who has followed.' })
  @PortalRefusals('api_key_not_found', 'declared_in_file')
  async revoke(
    @ActsFor() principal: Principal,
    @Param('key_id') keyId: string,
    @Query() wait: PortalWaitQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RevokedDto | undefined> {
    await this.management.require(principal);
    const changed = await this.apiKeys.revoke(principal.tenantId, keyId);
    const who = await followed(this.options.store.changes, wait, changed);
    if (!who) return undefined;
    response.status(200);
    return { revoked: true, ...who };
  }
}
