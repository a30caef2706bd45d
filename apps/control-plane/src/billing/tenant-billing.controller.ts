import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiConsumes, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import type { Statement } from '#libs/billing';
import { TenantRepository } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation, type ControlRequest } from '../edge/control-request';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { planIdOf } from './billing-account';
import type { StoredAccount } from './billing-accounts';
import { BillingCycles } from './billing-cycles';
import { BillingTerms } from './billing-terms';
import { StatementDto, TenantStatementQuery, TenantStatementsDto } from './statement.dto';
import { sendStatement, ShowsStatement, statementHead } from './statement-view';
import { Statements } from './statements';
import { TermsDto, TermsPatchDto } from './terms.dto';

/** The billing of tenants, for the owner. */
@ApiTags('billing')
@Controller('admin/tenants/:tenantId/billing')
export class TenantBillingController {
  constructor(
    private readonly tenants: TenantRepository,
    private readonly terms: BillingTerms,
    private readonly cycles: BillingCycles,
    private readonly statements: Statements,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Shows on what terms a tenant is billed' })
  @ApiOkResponse({ type: TermsDto })
  @Refusals('tenant_not_found')
  async show(
    @Param('tenantId') tenantId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TermsDto> {
    await this.tenants.get(tenantId);
    return shown(response, tenantId, await this.terms.terms(tenantId));
  }

  @Patch()
  @Mutation('billing_terms.update')
  @ApiOperation({
    summary: 'Changes the terms of a tenant',
    description:
      'From now on: what has been billed stays as it is. A plan is assigned as it is now and counts for the whole cycle if nothing has been billed in it yet.',
  })
  @ApiConsumes('application/merge-patch+json', 'application/json')
  @HonoursIfMatch()
  @ApiOkResponse({ type: TermsDto })
  @BodyRefusals('tenant_not_found', 'conflict', 'precondition_failed')
  async change(
    @Param('tenantId') tenantId: string,
    @Body() patch: TermsPatchDto,
    @IfMatch() versions: readonly string[] | undefined,
    @Res({ passthrough: true }) response: Response,
  ): Promise<TermsDto> {
    await this.tenants.get(tenantId);
    return shown(response, tenantId, await this.terms.change(tenantId, patch, versions));
  }

  @Post('close')
  @Mutation('billing_cycle.close')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Closes the billing cycle of a tenant and opens the next one',
    description: 'Requests are counted about a second late; those that are not yet, are in the next cycle.',
  })
  @ApiOkResponse({ type: StatementDto })
  @Refusals('tenant_not_found')
  async close(@Param('tenantId') tenantId: string): Promise<Statement> {
    await this.tenants.get(tenantId);
    return this.cycles.close(tenantId);
  }

  @Get('statements')
  @ApiOperation({
    summary: 'Lists the statements of a tenant',
    description: 'Also those that were issued to tenants that had the id before, and after it was deleted.',
  })
  @ApiOkResponse({ type: TenantStatementsDto })
  @Refusals('validation_failed', 'tenant_not_found')
  async list(@Param('tenantId') tenantId: string, @Query() page: PageQuery): Promise<TenantStatementsDto> {
    const after = positionOf(page);
    const found = await this.statements.list(tenantId, after, page.limit);
    // Whoever was billed has been a tenant, at least.
    if (found.statements.length === 0 && after === '') await this.tenants.get(tenantId);
    return { statements: found.statements.map(statementHead), nextCursor: cursorTo(found.next) };
  }

  @Get('statements/:statementId')
  @ApiOperation({ summary: 'Shows a statement of a tenant, also after it was deleted' })
  @ShowsStatement()
  @Refusals('validation_failed', 'tenant_not_found', 'statement_not_found')
  async statement(
    @Param('tenantId') tenantId: string,
    @Param('statementId') id: string,
    @Query() { format }: TenantStatementQuery,
    @Req() request: ControlRequest,
    @Res() response: Response,
  ): Promise<void> {
    const statement = await this.statements.find(tenantId, id);
    if (!statement) await this.tenants.get(tenantId);
    sendStatement(request, response, statement ?? (await this.statements.get(tenantId, id)), format);
  }
}

function shown(response: Response, tenantId: string, { account, version }: StoredAccount): TermsDto {
  tag(response, version);
  const { currency, pricePerRequest, spendCap, planVersion, plans, cycle, openedAt } = account;
  return {
    tenantId,
    currency,
    pricePerRequest,
    spendCap: spendCap ?? null,
    planId: planIdOf(planVersion) || null,
    planVersion: planVersion || null,
    plans,
    cycle,
    openedAt,
  };
}
