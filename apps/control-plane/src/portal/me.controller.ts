import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '#libs/errors';
import { ApiKeyRepository } from '#libs/tenants';
import { PortalRefusals } from '../docs/refusals';
import type { ControlRequest } from '../edge/control-request';
import { PortalQuery } from '../edge/portal-query.dto';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { DefaultTenant } from './default-tenant';
import { MeDto, MyApiKeyDto } from './me.dto';
import { PortalKeys } from './portal-keys';
import { WhoIs } from './who-is';

/** Who somebody is. All that consumers may see of the portal, beside their usage. */
@ApiTags('portal')
@Controller('me')
export class MeController {
  constructor(
    private readonly who: WhoIs,
    private readonly apiKeys: ApiKeyRepository,
    private readonly portalKeys: PortalKeys,
    private readonly defaultTenant: DefaultTenant,
  ) {}

  @Get()
  @Portal({ consumers: true })
  @ApiOperation({ summary: 'Shows whose the credential is' })
  @ApiOkResponse({ type: MeDto })
  @PortalRefusals()
  show(@ActsFor() principal: Principal, @Query() _query: PortalQuery): Promise<MeDto> {
    return this.who.describe(principal);
  }

  @Get('api-key')
  @Portal({ consumers: true, anonymous: true })
  @ApiOperation({
    summary: 'Shows what is known of the API key that was sent',
    description:
      'Without one, where OPEN_REGISTRATION is on: makes the key of the tenant `default` and shows it, once.',
  })
  @ApiOkResponse({ type: MyApiKeyDto })
  @PortalRefusals('api_key_not_found', 'method_not_allowed', 'conflict')
  async showKey(
    @ActsFor() { kind, tenantId, keyId }: Principal,
    @Query() _query: PortalQuery,
    @Req() request: ControlRequest,
  ): Promise<MyApiKeyDto> {
    if (kind === 'anonymous') return this.showFirst(request);
    if (keyId === undefined)
      throw new GatewayError('api_key_not_found', 'what was sent is a token, and no API key');
    try {
      return await this.portalKeys.view(tenantId, await this.apiKeys.get(tenantId, keyId));
    } catch (error) {
      // One that another program has mapped.
      if (error instanceof GatewayError && error.code === 'api_key_not_found') return { id: keyId };
      throw error;
    }
  }

  private async showFirst(request: ControlRequest): Promise<MyApiKeyDto> {
    // Express answers HEAD by GET and throws the body away, and with it the only look at the key.
    if (request.method === 'HEAD')
      throw new GatewayError('method_not_allowed', undefined, { headers: { Allow: 'GET' } });
    request.action = 'api_key.create';
    return this.portalKeys.viewCreated(request.tenantId ?? '', await this.defaultTenant.showKeyOnce());
  }
}
