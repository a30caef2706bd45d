import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { keys } from '#libs/store';
import { TenantRepository } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { Refusals } from '../docs/refusals';
import { UsageDto } from './usage.dto';

@ApiTags('tenants')
@Controller('admin/tenants/:tenantId/usage')
export class UsageController {
  constructor(
    private readonly tenants: TenantRepository,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Shows how much a tenant has used',
    description: 'Counted by all replicas, at most a few seconds late.',
  })
  @ApiOkResponse({ type: UsageDto })
  @Refusals('tenant_not_found')
  async show(@Param('tenantId') tenantId: string): Promise<UsageDto> {
    await this.tenants.get(tenantId);
    const { requests = 0, ...others } = await this.options.store.counters.read(keys.usage(tenantId));
    return { tenantId, counters: { requests, ...others } };
  }
}
