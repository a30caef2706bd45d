import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { addPurge, checkPurge } from '#libs/cache';
import { invalid, requireTenant } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { WaitQuery, followed } from '../keys/wait.dto';
import { CacheStatisticsDto, PurgeDto, PurgedDto } from './cache.dto';

@ApiTags('cache')
@Controller('admin/tenants/:tenantId/cache')
export class CacheController {
  constructor(@Inject(OPTIONS) private readonly options: ControlPlaneOptions) {}

  @Get()
  @ApiOperation({ summary: 'Shows how much is stored of the responses to a tenant' })
  @ApiOkResponse({ type: CacheStatisticsDto })
  @Refusals('tenant_not_found')
  async show(@Param('tenantId') tenantId: string): Promise<CacheStatisticsDto> {
    const { store, responses, config } = this.options;
    await requireTenant(store, tenantId);
    const shelf = responses?.memory.known(tenantId);
    const shared = await store.responses?.size(tenantId);
    return {
      memory: responses
        ? {
            entries: shelf?.entries ?? 0,
            bytes: shelf?.bytes ?? 0,
            maxBytes: responses.memory.maxBytes,
            requests: { ...shelf?.outcomes },
          }
        : null,
      shared: shared ? { ...shared, maxBytes: config.cacheRedisBytes } : null,
    };
  }

  @Post('purge')
  @Mutation('cache.purge')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Forgets stored responses, or marks them as stale',
    description:
      'Also what is on its way from an upstream at this moment. Replicas follow within milliseconds.',
  })
  @ApiOkResponse({ type: PurgedDto })
  @BodyRefusals('tenant_not_found', 'conflict')
  async purge(
    @Param('tenantId') tenantId: string,
    @Body() body: PurgeDto,
    @Query() wait: WaitQuery,
    @Req() request: ControlRequest,
  ): Promise<PurgedDto> {
    const { store } = this.options;
    await requireTenant(store, tenantId);
    const { purge, problems } = checkPurge({ ...body });
    if (problems) throw invalid(problems);
    const details = Object.entries({ ...body }).map(([name, value]) => [
      name,
      String(value).slice(0, MAX_DETAIL),
    ]);
    request.audited = { details: Object.fromEntries(details) as Record<string, string> };
    const document = await addPurge(store, tenantId, purge);
    return { purged: true, ...(await followed(store.changes, wait, document)) };
  }
}

/** Of the audit log: what was purged, as far as it tells. */
const MAX_DETAIL = 200;
