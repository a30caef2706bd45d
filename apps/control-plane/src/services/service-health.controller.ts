import { Controller, Get, Inject, Param } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ServedTarget, ServiceRepository } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { Refusals } from '../docs/refusals';
import { ServiceHealthDto, type TargetHealthDto } from './service.dto';

@ApiTags('services')
@Controller('admin/tenants/:tenantId/services/:serviceId/health')
export class ServiceHealthController {
  constructor(
    private readonly services: ServiceRepository,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Shows the health of the targets of a service',
    description:
      'As the process that answers sees it. A control plane that runs by itself sends no requests and watches nothing.',
  })
  @ApiOkResponse({ type: ServiceHealthDto })
  @Refusals('tenant_not_found', 'service_not_found', 'tenant_misconfigured')
  async show(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
  ): Promise<ServiceHealthDto> {
    const { service } = await this.services.get(tenantId, serviceId);
    const watched = this.options.targets?.find(service.id);
    const now = Date.now();
    return {
      watched: watched !== undefined,
      targets: service.targets.map(({ url }) =>
        targetView(watched?.targets.get(url) ?? new ServedTarget(url), now),
      ),
    };
  }
}

function targetView(target: ServedTarget, now: number): TargetHealthDto {
  const { url, pending, failures, ejectedUntil, checkedAt, lastProblem } = target;
  const trouble = target.trouble(now);
  return {
    url,
    healthy: trouble === undefined,
    trouble: trouble ?? null,
    pending,
    failures,
    ejectedUntil: ejectedUntil > now ? new Date(ejectedUntil).toISOString() : null,
    checkedAt: checkedAt > 0 ? new Date(checkedAt).toISOString() : null,
    problem: lastProblem ?? null,
  };
}
