import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '#libs/errors';
import { RefusalLog, type RefusalRecord } from '#libs/vitals';
import { PortalRefusals, Refusals } from '../docs/refusals';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { PortalQuery } from '../edge/portal-query.dto';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { MyRefusalsQuery, RefusalDto, RefusalsDto, RefusalsQuery } from './refusals.dto';

const KEPT =
  'The latest of each tenant, for a day, of all replicas; of a flood a few each second. They are here about a second after they were refused.';

/** Requests that were refused lately. */
@ApiTags('refusals')
@Controller()
export class RefusalsController {
  constructor(private readonly log: RefusalLog) {}

  @Get('admin/refusals')
  @ApiOperation({ summary: 'Lists requests that were refused lately, newest first', description: KEPT })
  @ApiOkResponse({ type: RefusalsDto })
  @Refusals('validation_failed')
  list(@Query() query: RefusalsQuery): Promise<RefusalsDto> {
    return this.page(query.tenant, query.code, query);
  }

  @Get('admin/refusals/:refusalId')
  @ApiOperation({ summary: 'Shows a request that was refused' })
  @ApiOkResponse({ type: RefusalDto })
  @Refusals('refusal_not_found')
  async show(@Param('refusalId') id: string): Promise<RefusalDto> {
    return refusalView(await this.require(id));
  }

  @Get('me/refusals')
  @Portal()
  @ApiOperation({ summary: 'Lists requests of a tenant that were refused lately', description: KEPT })
  @ApiOkResponse({ type: RefusalsDto })
  @PortalRefusals()
  listMine(@ActsFor() { tenantId }: Principal, @Query() query: MyRefusalsQuery): Promise<RefusalsDto> {
    return this.page(tenantId, query.code, query);
  }

  @Get('me/refusals/:refusalId')
  @Portal()
  @ApiOperation({ summary: 'Shows a request of a tenant that was refused' })
  @ApiOkResponse({ type: RefusalDto })
  @PortalRefusals('refusal_not_found')
  async showMine(
    @ActsFor() { tenantId }: Principal,
    @Param('refusalId') id: string,
    @Query() _query: PortalQuery,
  ): Promise<RefusalDto> {
    const record = await this.require(id);
    // Somebody else's is as good as none.
    if (record.tenantId !== tenantId) throw new GatewayError('refusal_not_found');
    return refusalView(record);
  }

  private async page(
    tenantId: string | undefined,
    code: string | undefined,
    page: PageQuery,
  ): Promise<RefusalsDto> {
    const { refusals, next } = await this.log.page({ tenantId, code }, positionOf(page), page.limit);
    return { refusals: refusals.map(refusalView), nextCursor: cursorTo(next) };
  }

  private async require(id: string): Promise<RefusalRecord> {
    const record = await this.log.get(id);
    if (!record) throw new GatewayError('refusal_not_found');
    return record;
  }
}

function refusalView(record: RefusalRecord): RefusalDto {
  const { method, path, host, clientAddress, tenantId, keyId } = record;
  const asKey = tenantId !== null && keyId !== null ? { tenantId, apiKeyId: keyId } : {};
  const headers: Record<string, string> = host === '' ? {} : { Host: host };
  return {
    ...record,
    headerNames: [...record.headerNames],
    question: { method, path, headers, clientAddress, ...asKey },
  };
}
