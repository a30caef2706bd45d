import { Controller, Get, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ServiceRepository } from '#libs/tenants';
import { TargetDesk } from '../breakers/target-desk';
import { Refusals } from '../docs/refusals';
import { ServiceHealthDto } from './service-health.dto';

@ApiTags('services')
@Controller('admin/tenants/:tenantId/services/:serviceId/health')
export class ServiceHealthController {
  constructor(
    private readonly services: ServiceRepository,
    private readonly desk: TargetDesk,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Shows the health of the targets of a service',
    description:
      'As the process that answers sees it, but for circuit breakers, which all processes share. A control plane that runs by itself sends no requests and watches nothing.',
  })
  @ApiOkResponse({ type: ServiceHealthDto })
  @Refusals('tenant_not_found', 'service_not_found', 'tenant_misconfigured')
  async show(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
  ): Promise<ServiceHealthDto> {
    const { targets, breaker } = (await this.services.get(tenantId, serviceId)).service;
    return this.desk.show({ owner: { tenantId, serviceId }, targets, guarded: breaker !== undefined });
  }
}
