import { Body, Controller, Param, Put, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { PortalBodyRefusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { PortalQuery } from '../edge/portal-query.dto';
import { HonoursIfMatch } from '../edge/preconditions';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { Versioned, type VersionedExchange } from '../keys/versioned';
import { Management } from '../portal/management';
import { PortalKeyDto } from '../portal/portal-key.dto';
import { PortalKeys } from '../portal/portal-keys';
import { PricingDto } from './billing.dto';

@ApiTags('billing')
@Controller('api-keys/:key_id/pricing')
@Portal()
export class PricingController {
  constructor(
    private readonly portalKeys: PortalKeys,
    private readonly management: Management,
  ) {}

  @Put()
  @Mutation('api_key.price')
  @ApiOperation({
    summary: 'Sets what a request with an API key costs',
    description:
      'From now on: requests that have been made stay at their prices. Needs a key that has no restrictions of its own, or the owner.',
  })
  @HonoursIfMatch()
  @ApiOkResponse({ type: PortalKeyDto })
  @PortalBodyRefusals('api_key_not_found', 'conflict', 'declared_in_file', 'precondition_failed')
  async price(
    @ActsFor() principal: Principal,
    @Param('key_id') keyId: string,
    @Body() { price_per_request }: PricingDto,
    @Query() _query: PortalQuery,
    @Versioned() exchange: VersionedExchange,
  ): Promise<PortalKeyDto> {
    await this.management.require(principal);
    const { tenantId } = principal;
    const stored = await this.portalKeys.change(tenantId, keyId, { price_per_request }, exchange.accepted);
    exchange.tag(stored.version);
    return this.portalKeys.view(tenantId, stored);
  }
}
