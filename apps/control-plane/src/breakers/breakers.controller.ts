import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '#libs/errors';
import { ServiceRepository, TenantRepository } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { ServiceHealthDto } from '../services/service-health.dto';
import { BreakerOrderDto } from './breaker.dto';
import { TargetDesk, type TargetsInQuestion } from './target-desk';

@ApiTags('circuit breakers')
@Controller('admin/tenants/:tenantId')
export class BreakersController {
  constructor(
    private readonly tenants: TenantRepository,
    private readonly services: ServiceRepository,
    private readonly desk: TargetDesk,
  ) {}

  @Get('health')
  @ApiOperation({ summary: 'Shows the health of the upstream of a tenant’s own routes' })
  @ApiOkResponse({ type: ServiceHealthDto })
  @Refusals('tenant_not_found', 'tenant_misconfigured')
  async show(@Param('tenantId') tenantId: string): Promise<ServiceHealthDto> {
    return this.desk.show(await this.ofTenant(tenantId));
  }

  @Post('breaker')
  @HttpCode(200)
  @Mutation('breaker.set')
  @ApiOperation({ summary: 'Opens, closes or resets the circuit breaker of a tenant’s own routes' })
  @ApiOkResponse({ type: ServiceHealthDto })
  @BodyRefusals('tenant_not_found', 'tenant_misconfigured', 'breaker_not_found')
  async order(
    @Param('tenantId') tenantId: string,
    @Body() order: BreakerOrderDto,
    @Req() request: ControlRequest,
  ): Promise<ServiceHealthDto> {
    return this.carryOut(await this.ofTenant(tenantId), order, request);
  }

  @Post('services/:serviceId/breaker')
  @HttpCode(200)
  @Mutation('breaker.set')
  @ApiOperation({ summary: 'Opens, closes or resets the circuit breakers of a service' })
  @ApiOkResponse({ type: ServiceHealthDto })
  @BodyRefusals('tenant_not_found', 'service_not_found', 'tenant_misconfigured', 'breaker_not_found')
  async orderOfService(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
    @Body() order: BreakerOrderDto,
    @Req() request: ControlRequest,
  ): Promise<ServiceHealthDto> {
    const { service } = await this.services.get(tenantId, serviceId);
    const { targets, breaker } = service;
    const owner = { tenantId, serviceId };
    return this.carryOut({ owner, targets, guarded: breaker !== undefined }, order, request);
  }

  private carryOut(
    about: TargetsInQuestion,
    order: BreakerOrderDto,
    request: ControlRequest,
  ): Promise<ServiceHealthDto> {
    const { action, target } = order;
    request.audited = { details: target === undefined ? { order: action } : { order: action, url: target } };
    return this.desk.order(about, order, request.actor ?? 'unknown');
  }

  private async ofTenant(tenantId: string): Promise<TargetsInQuestion> {
    const { tenant } = await this.tenants.get(tenantId);
    if (!tenant) throw new GatewayError('tenant_misconfigured');
    const owner = { tenantId, serviceId: undefined };
    return { owner, targets: [{ url: tenant.upstreamBaseUrl }], guarded: tenant.breaker !== undefined };
  }
}
