import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PortalRefusals } from '../docs/refusals';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { ServiceUsageDto, UsageOfAllServicesDto, UsageQuery } from './usage.dto';
import { UsageReader } from './usage-reader';

const LATE = 'Counted by all replicas; a request is in it about a second after its response.';

/** Usage as tenants and their consumers may see it. */
@ApiTags('usage')
@Controller('usage')
export class UsageController {
  constructor(private readonly usage: UsageReader) {}

  @Get()
  @Portal()
  @ApiOperation({ summary: 'Shows the usage of all services', description: LATE })
  @ApiOkResponse({ type: UsageOfAllServicesDto })
  @PortalRefusals()
  showAll(@ActsFor() { tenantId }: Principal, @Query() query: UsageQuery): Promise<UsageOfAllServicesDto> {
    return this.usage.ofTenant(tenantId, query);
  }

  @Get(':service_id')
  @Portal({ consumers: true })
  @ApiOperation({
    summary: 'Shows the usage of a service',
    description: `${LATE} With \`from\`, \`to\` or \`group_by\`: of a range of time, in rows.`,
  })
  @ApiOkResponse({ type: ServiceUsageDto })
  @PortalRefusals('service_not_found')
  show(
    @ActsFor() principal: Principal,
    @Param('service_id') serviceId: string,
    @Query() query: UsageQuery,
  ): Promise<ServiceUsageDto> {
    return this.usage.ofService(principal, serviceId, query);
  }
}
