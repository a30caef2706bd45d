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
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { cursorTo } from '../edge/page.dto';
import { HonoursIfMatch, tag } from '../edge/preconditions';
import {
  ApiKeyDto,
  ApiKeyPatchDto,
  ApiKeysDto,
  ApiKeysQuery,
  CreatedApiKeyDto,
  NewApiKeyDto,
  RotationDto,
} from './api-key.dto';
import { apiKeyView, createdView, storedView } from './api-key-view';
import { listedKeys } from './listed-keys';
import { Versioned, type VersionedExchange } from './versioned';
import { RevokedDto, WaitQuery, followed, type FollowedDto } from './wait.dto';

@ApiTags('API keys')
@Controller('admin/tenants/:tenantId/api-keys')
export class ApiKeysController {
  constructor(
    private readonly apiKeys: ApiKeyRepository,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Post()
  @Mutation('api_key.create')
  @ApiOperation({ summary: 'Creates an API key, shown in this response only' })
  @ApiCreatedResponse({ type: CreatedApiKeyDto })
  @BodyRefusals('tenant_not_found', 'service_not_found')
  async create(
    @Param('tenantId') tenantId: string,
    @Body() body: NewApiKeyDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<CreatedApiKeyDto> {
    const created = await this.apiKeys.create(tenantId, { ...body });
    const { id } = created.record;
    response.setHeader('Location', `/admin/tenants/${encodeURIComponent(tenantId)}/api-keys/${id}`);
    return createdView(created);
  }

  @Get()
  @ApiOperation({ summary: 'Lists the API keys made here, oldest first' })
  @ApiOkResponse({ type: ApiKeysDto })
  @Refusals('validation_failed', 'tenant_not_found')
  async list(@Param('tenantId') tenantId: string, @Query() query: ApiKeysQuery): Promise<ApiKeysDto> {
    const { apiKeys, next, total } = await listedKeys(this.apiKeys, tenantId, query);
    return { apiKeys: apiKeys.map((key) => apiKeyView(key, key.active)), nextCursor: cursorTo(next), total };
  }

  @Get(':keyId')
  @ApiOperation({ summary: 'Shows what is known of an API key' })
  @ApiOkResponse({ type: ApiKeyDto })
  @Refusals('tenant_not_found', 'api_key_not_found')
  async show(
    @Param('tenantId') tenantId: string,
    @Param('keyId') keyId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ApiKeyDto> {
    const stored = await this.apiKeys.get(tenantId, keyId);
    tag(response, stored.version);
    return storedView(stored);
  }

  @Patch(':keyId')
  @Mutation('api_key.update')
  @ApiOperation({ summary: 'Changes parts of an API key, or disables it' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @HonoursIfMatch()
  @ApiOkResponse({ type: ApiKeyDto })
  @BodyRefusals(
    'tenant_not_found',
    'api_key_not_found',
    'conflict',
    'declared_in_file',
    'precondition_failed',
  )
  async change(
    @Param('tenantId') tenantId: string,
    @Param('keyId') keyId: string,
    @Body() patch: ApiKeyPatchDto,
    @Query() wait: WaitQuery,
    @Versioned() exchange: VersionedExchange,
  ): Promise<ApiKeyDto & Partial<FollowedDto>> {
    const stored = await this.apiKeys.update(tenantId, keyId, { ...patch }, exchange.accepted);
    exchange.tag(stored.version);
    return { ...storedView(stored), ...(await followed(this.options.store.changes, wait, stored.document)) };
  }

  @Post(':keyId/rotate')
  @Mutation('api_key.rotate')
  @ApiOperation({
    summary: 'Replaces an API key by a new one, shown in this response only',
    description: 'The new key has the same terms; the old one goes on working for the time of grace.',
  })
  @ApiCreatedResponse({ type: CreatedApiKeyDto })
  @BodyRefusals('tenant_not_found', 'api_key_not_found', 'conflict', 'declared_in_file')
  async rotate(
    @Param('tenantId') tenantId: string,
    @Param('keyId') keyId: string,
    @Body() { graceSeconds }: RotationDto,
    @Query() wait: WaitQuery,
  ): Promise<CreatedApiKeyDto & Partial<FollowedDto>> {
    const created = await this.apiKeys.rotate(tenantId, keyId, { graceSeconds });
    return {
      ...createdView(created),
      ...(await followed(this.options.store.changes, wait, created.changed)),
    };
  }

  @Delete(':keyId')
  @Mutation('api_key.revoke')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revokes an API key',
    description:
      '`keyId` may also be the hex SHA-256 of a key that another program has mapped to this tenant.',
  })
  @ApiNoContentResponse({ description: 'It is gone, and replicas follow within milliseconds.' })
  @ApiOkResponse({ type: RevokedDto, description: 'With `wait=true`: it is gone, and who has followed.' })
  @Refusals('validation_failed', 'tenant_not_found', 'api_key_not_found', 'declared_in_file')
  async revoke(
    @Param('tenantId') tenantId: string,
    @Param('keyId') keyId: string,
    @Query() wait: WaitQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RevokedDto | undefined> {
    const changed = await this.apiKeys.revoke(tenantId, keyId);
    const who = await followed(this.options.store.changes, wait, changed);
    if (!who) return undefined;
    response.status(200);
    return { revoked: true, ...who };
  }
}
