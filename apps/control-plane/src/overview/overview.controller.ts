import { Controller, Get, Inject, Query, Res } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { Lookout } from '#libs/vitals';
import { TenantRepository } from '#libs/tenants';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { PortalRefusals, Refusals } from '../docs/refusals';
import { ActsFor, Portal, type Principal } from '../edge/principal';
import { TheExecution, type Execution } from './judged-again';
import { LiveStreams } from './live-streams';
import { MyOverviewQuery, OverviewDto, OverviewQuery } from './overview.dto';
import { overviewView } from './overview-view';
import { Viewers } from './viewers';

const SUMMED = 'Added up over all replicas, which report once a second while somebody looks.';
const STREAM =
  'Server-sent events: `overview` each second, `away` while the store is, `end` with a `code` when the session or its credential has ended.';
const EVENTS = { schema: { type: 'string' as const } };

/** What the gateway is doing just now. */
@ApiTags('overview')
@Controller()
export class OverviewController {
  constructor(
    private readonly lookout: Lookout,
    private readonly streams: LiveStreams,
    private readonly viewers: Viewers,
    private readonly tenants: TenantRepository,
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
  ) {}

  @Get('admin/overview')
  @ApiOperation({ summary: 'Shows what the gateway is doing just now', description: SUMMED })
  @ApiOkResponse({ type: OverviewDto })
  @Refusals('validation_failed', 'tenant_not_found')
  async show(@Query() { tenant }: OverviewQuery): Promise<OverviewDto> {
    if (tenant !== undefined) await this.tenants.get(tenant);
    return this.once(tenant ?? '');
  }

  @Get('admin/live')
  @ApiOperation({ summary: 'Streams what the gateway is doing', description: STREAM })
  @ApiProduces('text/event-stream')
  @ApiOkResponse(EVENTS)
  @Refusals('validation_failed', 'tenant_not_found', 'rate_limited')
  async stream(
    @Query() { tenant }: OverviewQuery,
    @TheExecution() execution: Execution,
    @Res() response: Response,
  ): Promise<void> {
    if (tenant !== undefined) await this.tenants.get(tenant);
    this.streams.show(this.viewers.of(execution, tenant ?? ''), response);
  }

  @Get('me/overview')
  @Portal()
  @ApiOperation({ summary: 'Shows what a tenant’s requests are doing just now', description: SUMMED })
  @ApiOkResponse({ type: OverviewDto })
  @PortalRefusals()
  async showMine(@ActsFor() { tenantId }: Principal, @Query() _query: MyOverviewQuery): Promise<OverviewDto> {
    return this.once(tenantId);
  }

  @Get('me/live')
  @Portal()
  @ApiOperation({ summary: 'Streams what a tenant’s requests are doing', description: STREAM })
  @ApiProduces('text/event-stream')
  @ApiOkResponse(EVENTS)
  @PortalRefusals('rate_limited')
  streamMine(
    @ActsFor() { tenantId }: Principal,
    @Query() _query: MyOverviewQuery,
    @TheExecution() execution: Execution,
    @Res() response: Response,
  ): void {
    this.streams.show(this.viewers.of(execution, tenantId), response);
  }

  private async once(scope: string): Promise<OverviewDto> {
    const sight = await this.lookout.once(scope);
    return overviewView(this.lookout, sight, scope, this.options.store, true);
  }
}
