import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { GatewayError } from '#libs/errors';
import { TenantRepository } from '#libs/tenants';
import { PortalRefusals } from '../docs/refusals';
import type { ControlRequest } from '../edge/control-request';
import { cursorTo, positionOf } from '../edge/page.dto';
import { PortalPageQuery } from '../edge/portal-query.dto';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { BillingCycles } from './billing-cycles';
import { StatementQuery, StatementsDto } from './statement.dto';
import { sendStatement, ShowsStatement, statementHead } from './statement-view';
import { Statements } from './statements';

/** The statements of a tenant, for itself. Those of tenants that had its id before are none of its business. */
@ApiTags('billing')
@Portal()
@Controller('billing/statements')
export class StatementsController {
  constructor(
    private readonly tenants: TenantRepository,
    private readonly cycles: BillingCycles,
    private readonly statements: Statements,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Lists the statements of closed billing cycles' })
  @ApiOkResponse({ type: StatementsDto })
  @PortalRefusals()
  async list(@ActsFor() { tenantId }: Principal, @Query() page: PortalPageQuery): Promise<StatementsDto> {
    const series = await this.series(tenantId);
    const found = await this.statements.list(tenantId, positionOf(page), page.limit, series);
    return { statements: found.statements.map(statementHead), next_cursor: cursorTo(found.next) };
  }

  @Get(':statement_id')
  @ApiOperation({ summary: 'Shows a statement' })
  @ShowsStatement()
  @PortalRefusals('statement_not_found')
  async show(
    @ActsFor() { tenantId }: Principal,
    @Param('statement_id') id: string,
    @Query() { format }: StatementQuery,
    @Req() request: ControlRequest,
    @Res() response: Response,
  ): Promise<void> {
    if (!id.startsWith(`${await this.series(tenantId)}-`)) throw new GatewayError('statement_not_found');
    sendStatement(request, response, await this.statements.get(tenantId, id), format);
  }

  private async series(tenantId: string): Promise<string> {
    await this.tenants.get(tenantId);
    return (await this.cycles.current(tenantId)).account.statementSeries;
  }
}
