import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import { ApiConsumes, ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { TenantRepository, type StoredTenant, type TenantDocument } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import { searched } from '../edge/search';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { mergePatch } from './merge-patch';
import { BrokenTenantDto, TenantDto, TenantInputDto, TenantPatchDto } from './tenant.dto';
import { ShowsTenant, ShowsTenants, TenantsQuery, tenantView } from './tenant-view';

type Versions = readonly string[] | undefined;
type View = TenantDto | BrokenTenantDto;

@ApiTags('tenants')
@Controller('admin/tenants')
export class TenantsController {
  constructor(private readonly tenants: TenantRepository) {}

  @Post()
  @Mutation('tenant.create')
  @ApiOperation({ summary: 'Creates a tenant' })
  @ShowsTenant(201)
  @BodyRefusals('already_exists')
  async create(
    @Body() body: TenantInputDto,
    @Req() request: ControlRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    const stored = await this.tenants.create({ ...body });
    request.tenantId = stored.id;
    response.setHeader('Location', `/admin/tenants/${encodeURIComponent(stored.id)}`);
    return shown(response, stored);
  }

  @Get()
  @ApiOperation({ summary: 'Lists tenants' })
  @ShowsTenants()
  @Refusals('validation_failed')
  async list(
    @Query() query: TenantsQuery,
  ): Promise<{ tenants: View[]; nextCursor: string | null; total: number | null }> {
    const { search, limit } = query;
    const { items, next } = await searched(
      async (after, most) => {
        const page = await this.tenants.list(after, most);
        return { items: page.tenants, next: page.next };
      },
      { search, after: positionOf(query), limit },
      { idOf: ({ id }) => id, textsOf: ({ id, tenant }) => [id, tenant?.name ?? ''] },
    );
    const total = search === undefined ? await this.tenants.count() : null;
    return { tenants: items.map(tenantView), nextCursor: cursorTo(next), total };
  }

  @Get(':tenantId')
  @ApiOperation({
    summary: 'Shows a tenant',
    description: 'With `If-None-Match` the answer is 304 while nothing has changed.',
  })
  @ShowsTenant(200)
  @Refusals('tenant_not_found')
  async show(@Param('tenantId') id: string, @Res({ passthrough: true }) response: Response): Promise<View> {
    return shown(response, await this.tenants.get(id));
  }

  @Put(':tenantId')
  @Mutation('tenant.update')
  @ApiOperation({
    summary: 'Replaces a tenant',
    description: 'What is not sent is removed, a suspension too.',
  })
  @HonoursIfMatch()
  @ShowsTenant(200)
  @BodyRefusals('tenant_not_found', 'declared_in_file', 'precondition_failed')
  async replace(
    @Param('tenantId') id: string,
    @Body() body: TenantInputDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    return shown(response, await this.tenants.replace(id, { ...body }, versions));
  }

  @Patch(':tenantId')
  @Mutation('tenant.update')
  @ApiOperation({ summary: 'Changes parts of a tenant' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @HonoursIfMatch()
  @ShowsTenant(200)
  @BodyRefusals('tenant_not_found', 'declared_in_file', 'precondition_failed')
  async change(
    @Param('tenantId') id: string,
    @Body() patch: TenantPatchDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    const merged = (current: TenantDocument): TenantDocument => mergePatch(current, patch) as TenantDocument;
    return shown(response, await this.tenants.update(id, merged, versions));
  }

  @Delete(':tenantId')
  @Mutation('tenant.delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Deletes a tenant with its API keys and counters, and revokes its tokens' })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'It is gone.' })
  @Refusals('tenant_not_found', 'declared_in_file', 'precondition_failed')
  remove(@Param('tenantId') id: string, @IfMatch() versions: Versions): Promise<void> {
    return this.tenants.remove(id, versions);
  }

  @Post(':tenantId/suspend')
  @Mutation('tenant.suspend')
  @HttpCode(200)
  @ApiOperation({ summary: 'Refuses all requests of a tenant from now on' })
  @HonoursIfMatch()
  @ShowsTenant(200)
  @Refusals('validation_failed', 'tenant_not_found', 'declared_in_file', 'precondition_failed')
  async suspend(
    @Param('tenantId') id: string,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    return shown(
      response,
      await this.tenants.update(id, (current) => ({ ...current, suspended: true }), versions),
    );
  }

  @Post(':tenantId/resume')
  @Mutation('tenant.resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Ends a suspension' })
  @HonoursIfMatch()
  @ShowsTenant(200)
  @Refusals('validation_failed', 'tenant_not_found', 'declared_in_file', 'precondition_failed')
  async resume(
    @Param('tenantId') id: string,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<View> {
    return shown(
      response,
      await this.tenants.update(id, (current) => ({ ...current, suspended: false }), versions),
    );
  }
}

function shown(response: Response, stored: StoredTenant): View {
  tag(response, stored.version);
  return tenantView(stored);
}
