import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Query, Res } from '@nestjs/common';
import { ApiConsumes, ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { ServiceRepository } from '#libs/tenants';
import { PortalBodyRefusals, PortalRefusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { cursorTo } from '../edge/page.dto';
import { PortalQuery } from '../edge/portal-query.dto';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { listedServices } from '../services/listed-services';
import { Versioned, type VersionedExchange } from '../keys/versioned';
import { Management } from './management';
import {
  PortalServiceDto,
  PortalServicePatchDto,
  PortalServicesDto,
  PortalServicesQuery,
} from './portal-service.dto';
import { PortalServices, serviceView } from './portal-services';

type Versions = readonly string[] | undefined;
const UNRESTRICTED = 'Needs a key that has no restrictions of its own, or the owner.';

/** A tenant's own services. Every change is for unrestricted keys only; see Management. */
@ApiTags('portal')
@Controller('services')
@Portal()
export class PortalServicesController {
  constructor(
    private readonly services: ServiceRepository,
    private readonly portalServices: PortalServices,
    private readonly management: Management,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Lists the services of the tenant, oldest first' })
  @ApiOkResponse({ type: PortalServicesDto })
  @PortalRefusals()
  async list(
    @ActsFor() { tenantId }: Principal,
    @Query() query: PortalServicesQuery,
  ): Promise<PortalServicesDto> {
    const { services, next, total } = await listedServices(this.services, tenantId, query);
    return { services: services.map(serviceView), next_cursor: cursorTo(next), total };
  }

  @Get(':service_id')
  @ApiOperation({ summary: 'Shows a service' })
  @ApiOkResponse({ type: PortalServiceDto })
  @PortalRefusals('service_not_found')
  async show(
    @ActsFor() { tenantId }: Principal,
    @Param('service_id') serviceId: string,
    @Query() _query: PortalQuery,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PortalServiceDto> {
    const stored = await this.services.get(tenantId, serviceId);
    tag(response, stored.version);
    return serviceView(stored);
  }

  @Patch(':service_id')
  @Mutation('service.update')
  @ApiOperation({ summary: 'Changes parts of a service', description: UNRESTRICTED })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @HonoursIfMatch()
  @ApiOkResponse({ type: PortalServiceDto })
  @PortalBodyRefusals('service_not_found', 'declared_in_file', 'precondition_failed')
  async change(
    @ActsFor() principal: Principal,
    @Param('service_id') serviceId: string,
    @Body() patch: PortalServicePatchDto,
    @Query() _query: PortalQuery,
    @Versioned() exchange: VersionedExchange,
  ): Promise<PortalServiceDto> {
    await this.management.require(principal);
    const stored = await this.portalServices.change(principal.tenantId, serviceId, patch, exchange.accepted);
    exchange.tag(stored.version);
    return serviceView(stored);
  }

  @Delete(':service_id')
  @Mutation('service.delete')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Removes a service and the API keys that open nothing else',
    description: UNRESTRICTED,
  })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'It is gone.' })
  @PortalRefusals('service_not_found', 'declared_in_file', 'precondition_failed')
  async remove(
    @ActsFor() principal: Principal,
    @Param('service_id') serviceId: string,
    @Query() _query: PortalQuery,
    @IfMatch() versions: Versions,
  ): Promise<void> {
    await this.management.require(principal);
    await this.services.remove(principal.tenantId, serviceId, versions);
  }
}
