import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { TenantRepository } from '#libs/tenants';
import { Refusals } from '../docs/refusals';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { tag } from '../edge/preconditions';
import { BrokenTenantDto, TenantDto } from './tenant.dto';
import { ShowsTenant, ShowsTenants, tenantView } from './tenant-view';

/** The short read-only path to tenant configurations; changes are made under `/admin/tenants`. */
@ApiTags('tenants')
@Controller('tenant')
export class TenantConfigurationsController {
  constructor(private readonly tenants: TenantRepository) {}

  @Get()
  @ApiOperation({ summary: 'Lists tenant configurations' })
  @ShowsTenants()
  @Refusals('validation_failed')
  async list(
    @Query() page: PageQuery,
  ): Promise<{ tenants: Array<TenantDto | BrokenTenantDto>; nextCursor: string | null }> {
    const { tenants, next } = await this.tenants.list(positionOf(page), page.limit);
    return { tenants: tenants.map(tenantView), nextCursor: cursorTo(next) };
  }

  @Get(':tenantId')
  @ApiOperation({ summary: 'Shows a tenant configuration' })
  @ShowsTenant(200)
  @Refusals('tenant_not_found')
  async show(
    @Param('tenantId') id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TenantDto | BrokenTenantDto> {
    const stored = await this.tenants.get(id);
    tag(response, stored.version);
    return tenantView(stored);
  }
}
