import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Res } from '@nestjs/common';
import {
  ApiConsumes,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { ServiceRepository, type StoredService } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { cursorTo } from '../edge/page.dto';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { mergePatch } from '../tenants/merge-patch';
import { listedServices } from './listed-services';
import { NewServiceDto, ServiceDto, ServicePatchDto, ServicesDto, ServicesQuery } from './service.dto';

type Versions = readonly string[] | undefined;

@ApiTags('services')
@Controller('admin/tenants/:tenantId/services')
export class ServicesController {
  constructor(private readonly services: ServiceRepository) {}

  @Post()
  @Mutation('service.create')
  @ApiOperation({ summary: 'Registers a service, which is published at /proxy/{id}' })
  @ApiCreatedResponse({ type: ServiceDto })
  @BodyRefusals('tenant_not_found', 'tenant_misconfigured')
  async create(
    @Param('tenantId') tenantId: string,
    @Body() body: NewServiceDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ServiceDto> {
    const stored = await this.services.create(tenantId, { ...body });
    const { id } = stored.service;
    response.setHeader('Location', `/admin/tenants/${encodeURIComponent(tenantId)}/services/${id}`);
    return shown(response, stored);
  }

  @Get()
  @ApiOperation({ summary: 'Lists the services of a tenant, oldest first' })
  @ApiOkResponse({ type: ServicesDto })
  @Refusals('validation_failed', 'tenant_not_found')
  async list(@Param('tenantId') tenantId: string, @Query() query: ServicesQuery): Promise<ServicesDto> {
    const { services, next, total } = await listedServices(this.services, tenantId, query);
    return { services: services.map(serviceView), nextCursor: cursorTo(next), total };
  }

  @Get(':serviceId')
  @ApiOperation({ summary: 'Shows a service' })
  @ApiOkResponse({ type: ServiceDto })
  @Refusals('tenant_not_found', 'service_not_found', 'tenant_misconfigured')
  async show(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ServiceDto> {
    return shown(response, await this.services.get(tenantId, serviceId));
  }

  @Patch(':serviceId')
  @Mutation('service.update')
  @ApiOperation({ summary: 'Changes parts of a service' })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @HonoursIfMatch()
  @ApiOkResponse({ type: ServiceDto })
  @BodyRefusals(
    'tenant_not_found',
    'service_not_found',
    'tenant_misconfigured',
    'declared_in_file',
    'precondition_failed',
  )
  async change(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
    @Body() patch: ServicePatchDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ServiceDto> {
    const stored = await this.services.update(
      tenantId,
      serviceId,
      (current) => mergePatch(current, patch),
      versions,
    );
    return shown(response, stored);
  }

  @Delete(':serviceId')
  @Mutation('service.delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Removes a service and the API keys that open nothing else' })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'It is gone.' })
  @Refusals('tenant_not_found', 'service_not_found', 'declared_in_file', 'precondition_failed')
  remove(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
    @IfMatch() versions: Versions,
  ): Promise<void> {
    return this.services.remove(tenantId, serviceId, versions);
  }
}

function shown(response: Response, stored: StoredService): ServiceDto {
  tag(response, stored.version);
  return serviceView(stored);
}

/** The fields that are ours: other programs may keep theirs in the same document. */
function serviceView({ service }: StoredService): ServiceDto {
  const { requestHeaders, responseHeaders, compression, mirror } = service;
  const { id, tenantId, createdAt, name, targets, balance, healthCheck, passive, timeouts, rateLimit, auth } =
    service;
  const { breaker, slowStartSeconds } = service;
  const { signing, inboundSignature } = service;
  return {
    id,
    tenantId,
    createdAt,
    name,
    targets,
    balance,
    requestHeaders,
    responseHeaders,
    compression,
    mirror,
    healthCheck,
    passive,
    breaker,
    slowStartSeconds,
    timeouts,
    rateLimit,
    auth,
    retries: service.retries,
    signing,
    inboundSignature,
    maxBodyBytes: service.maxBodyBytes,
    maxConcurrency: service.maxConcurrency,
    maintenance: service.maintenance,
    cache: service.cache,
  };
}
