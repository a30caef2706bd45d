import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Refusals } from '../docs/refusals';
import { TenantUsageDto, TenantUsageQuery } from './usage.dto';
import { UsageReader } from './usage-reader';

@ApiTags('usage')
@Controller('admin/tenants/:tenantId/usage')
export class TenantUsageController {
  constructor(private readonly usage: UsageReader) {}

  @Get()
  @ApiOperation({
    summary: 'Shows how much a tenant has used',
    description:
      'Counted by all replicas; a request is in it about a second after its response. With `from`, `to` or `groupBy`: also of a range of time, in rows.',
  })
  @ApiOkResponse({ type: TenantUsageDto })
  @Refusals('validation_failed', 'tenant_not_found')
  show(@Param('tenantId') tenantId: string, @Query() query: TenantUsageQuery): Promise<TenantUsageDto> {
    return this.usage.forOwner(tenantId, query);
  }
}
