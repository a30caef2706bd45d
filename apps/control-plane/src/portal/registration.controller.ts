import { Body, Controller, Inject, Post, Query } from '@nestjs/common';
import { ApiCreatedResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { PortalBodyRefusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { PortalQuery } from '../edge/portal-query.dto';
import { ActsFor, DEFAULT_TENANT, Portal, type Principal } from '../edge/principal';
import { DefaultTenant } from './default-tenant';
import { Management } from './management';
import { RegisteredDto, RegistrationDto } from './portal-service.dto';
import { PortalServices, gatewayUrl } from './portal-services';

@ApiTags('portal')
@Controller('register-api')
export class RegistrationController {
  constructor(
    private readonly services: PortalServices,
    private readonly defaultTenant: DefaultTenant,
    private readonly management: Management,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Post()
  @Portal({ anonymous: true })
  @Mutation('service.create')
  @ApiOperation({
    summary: 'Registers an API: makes a service and a key of it',
    description:
      'With OPEN_REGISTRATION also without a credential; the service is then one of the tenant `default`. Otherwise it needs a key that has no restrictions of its own, or the owner.',
  })
  @ApiCreatedResponse({ type: RegisteredDto })
  @PortalBodyRefusals()
  async register(
    @ActsFor() principal: Principal,
    @Body() body: RegistrationDto,
    @Query() _query: PortalQuery,
  ): Promise<RegisteredDto> {
    const { tenantId } = principal;
    const isDefault = tenantId === DEFAULT_TENANT;
    // Where anybody may, a key need not be more than nobody's.
    if (!isDefault || !this.options.config.openRegistration) await this.management.require(principal);
    if (isDefault) await this.defaultTenant.ensure();
    const { service, created } = await this.services.register(tenantId, body);
    return {
      service_id: Number(service.id),
      gateway_url: gatewayUrl(service.id),
      api_key: created.apiKey,
      api_key_id: created.record.id,
    };
  }
}
