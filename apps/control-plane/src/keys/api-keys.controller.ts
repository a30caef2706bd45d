import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import { ApiKeyRepository } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { ApiKeysDto, CreatedApiKeyDto, NewApiKeyDto } from './api-key.dto';

@ApiTags('API keys')
@Controller('admin/tenants/:tenantId/api-keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeyRepository) {}

  @Post()
  @Mutation('api_key.create')
  @ApiOperation({ summary: 'Creates an API key, shown in this response only' })
  @ApiCreatedResponse({ type: CreatedApiKeyDto })
  @BodyRefusals('tenant_not_found')
  async create(
    @Param('tenantId') tenantId: string,
    @Body() { name }: NewApiKeyDto,
  ): Promise<CreatedApiKeyDto> {
    const { record, apiKey } = await this.apiKeys.create(tenantId, name);
    return { ...record, key: apiKey };
  }

  @Get()
  @ApiOperation({ summary: 'Lists the API keys made here, oldest first' })
  @ApiOkResponse({ type: ApiKeysDto })
  @Refusals('validation_failed', 'tenant_not_found')
  async list(@Param('tenantId') tenantId: string, @Query() page: PageQuery): Promise<ApiKeysDto> {
    const { apiKeys, next } = await this.apiKeys.list(tenantId, positionOf(page), page.limit);
    return { apiKeys, nextCursor: cursorTo(next) };
  }

  @Delete(':keyId')
  @Mutation('api_key.revoke')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Revokes an API key',
    description:
      '`keyId` may also be the hex SHA-256 of a key that another program has mapped to this tenant.',
  })
  @ApiNoContentResponse({ description: 'It is no longer accepted.' })
  @Refusals('tenant_not_found', 'api_key_not_found')
  revoke(@Param('tenantId') tenantId: string, @Param('keyId') keyId: string): Promise<void> {
    return this.apiKeys.revoke(tenantId, keyId);
  }
}
