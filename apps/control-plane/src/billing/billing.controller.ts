import { Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Statement } from '#libs/billing';
import { TenantRepository } from '#libs/tenants';
import { PortalRefusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import { PortalPageQuery, PortalQuery } from '../edge/portal-query.dto';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { Management } from '../portal/management';
import { BillingCycles } from './billing-cycles';
import { BillingOverview } from './billing-overview';
import { BilledApiKeysDto, BillingSummaryDto } from './billing.dto';
import { Reconciler } from './reconciler';
import { ReconciliationDto, ReconciliationQuery } from './reconciliation.dto';
import { StatementDto } from './statement.dto';

const LATE = 'Requests are in it about a second after their responses.';

/** Billing as tenants see their own. */
@ApiTags('billing')
@Portal()
@Controller('billing')
export class BillingController {
  constructor(
    private readonly tenants: TenantRepository,
    private readonly overview: BillingOverview,
    private readonly cycles: BillingCycles,
    private readonly reconciler: Reconciler,
    private readonly management: Management,
  ) {}

  @Get('summary')
  @ApiOperation({ summary: 'Shows what the open billing cycle costs so far', description: LATE })
  @ApiOkResponse({ type: BillingSummaryDto })
  @PortalRefusals()
  async summary(@ActsFor() { tenantId }: Principal, @Query() _: PortalQuery): Promise<BillingSummaryDto> {
    await this.tenants.get(tenantId);
    return this.overview.summary(tenantId);
  }

  @Get('api-keys')
  @ApiOperation({ summary: 'Shows what each API key costs in the open billing cycle', description: LATE })
  @ApiOkResponse({ type: BilledApiKeysDto })
  @PortalRefusals()
  async listKeys(
    @ActsFor() { tenantId }: Principal,
    @Query() page: PortalPageQuery,
  ): Promise<BilledApiKeysDto> {
    const { keys, next } = await this.overview.apiKeysPage(tenantId, positionOf(page), page.limit);
    return { api_keys: keys, next_cursor: cursorTo(next) };
  }

  @Post('reset')
  @Mutation('billing_cycle.close')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Closes the billing cycle and opens the next one',
    description: `Answers with the statement of the closed one, which stays. ${LATE} Those that are not in it yet are in the next one. Needs a key that has no restrictions of its own, or the owner.`,
  })
  @ApiOkResponse({ type: StatementDto })
  @PortalRefusals()
  async reset(@ActsFor() principal: Principal, @Query() _: PortalQuery): Promise<Statement> {
    await this.tenants.get(principal.tenantId);
    await this.management.require(principal);
    return this.cycles.close(principal.tenantId);
  }

  @Get('reconcile')
  @ApiOperation({
    summary: 'Compares what is billed with what was counted',
    description:
      'Compares whole billing cycles, those that overlap `from` to `to`; by default the open one. What shows as drift and is none: usage is counted by the hour, so requests of other cycles in the hours in which the first one begins and the last one ends; what arrived after its cycle was closed; requests that are counted while this is read; and what is older than 400 days, of which usage is not kept.',
  })
  @ApiOkResponse({ type: ReconciliationDto })
  @PortalRefusals()
  async reconcile(
    @ActsFor() { tenantId }: Principal,
    @Query() query: ReconciliationQuery,
  ): Promise<ReconciliationDto> {
    await this.tenants.get(tenantId);
    return this.reconciler.reconcile(tenantId, query);
  }
}
