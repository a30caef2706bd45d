import { Body, Controller, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ServiceRepository } from '#libs/tenants';
import { BodyRefusals, PortalBodyRefusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { PortalQuery } from '../edge/portal-query.dto';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { Management } from '../portal/management';
import { ServiceTester } from './service-tester';
import { ServiceTestCallDto, ServiceTestDto } from './service-test.dto';

const STRAIGHT =
  'Goes from the control plane straight to the target, by the address rules of upstreams, within 10 s, and follows no redirect. It passes no guard and is not counted.';

@ApiTags('services')
@Controller()
export class ServiceTestController {
  constructor(
    private readonly services: ServiceRepository,
    private readonly tester: ServiceTester,
    private readonly management: Management,
  ) {}

  @Post('admin/tenants/:tenantId/services/:serviceId/test')
  @HttpCode(200)
  @Mutation('service.test')
  @ApiOperation({ summary: 'Asks a target of a service once', description: STRAIGHT })
  @ApiOkResponse({ type: ServiceTestDto })
  @BodyRefusals('tenant_not_found', 'service_not_found', 'tenant_misconfigured', 'rate_limited')
  async test(
    @Param('tenantId') tenantId: string,
    @Param('serviceId') serviceId: string,
    @Body() call: ServiceTestCallDto,
  ): Promise<ServiceTestDto> {
    const { service } = await this.services.get(tenantId, serviceId);
    return this.tester.ask(service.targets, call);
  }

  @Post('services/:service_id/test')
  @HttpCode(200)
  @Portal()
  @Mutation('service.test')
  @ApiOperation({
    summary: 'Asks a target of a service of the tenant once',
    description: `${STRAIGHT} Needs a key that has no restrictions of its own, or the owner.`,
  })
  @ApiOkResponse({ type: ServiceTestDto })
  @PortalBodyRefusals('service_not_found', 'rate_limited')
  async testMine(
    @ActsFor() principal: Principal,
    @Param('service_id') serviceId: string,
    @Body() call: ServiceTestCallDto,
    @Query() _query: PortalQuery,
  ): Promise<ServiceTestDto> {
    await this.management.require(principal);
    const { service } = await this.services.get(principal.tenantId, serviceId);
    return this.tester.ask(service.targets, call);
  }
}
