import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { planDocument, type PlanDocument } from '#libs/billing';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { PlanDto, PlanInputDto, PlanReplacementDto, PlansDto } from './plan.dto';
import { Plans, type StoredPlan } from './plans';

type Versions = readonly string[] | undefined;

@ApiTags('billing')
@Controller('admin/plans')
export class PlansController {
  constructor(private readonly plans: Plans) {}

  @Post()
  @Mutation('plan.create')
  @ApiOperation({ summary: 'Creates a plan' })
  @ApiCreatedResponse({ type: PlanDto })
  @BodyRefusals('already_exists')
  async create(
    @Body() body: PlanInputDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PlanDocument> {
    const stored = await this.plans.create({ ...body });
    response.setHeader('Location', `/admin/plans/${encodeURIComponent(stored.plan.id)}`);
    return shown(response, stored);
  }

  @Get()
  @ApiOperation({ summary: 'Lists plans' })
  @ApiOkResponse({ type: PlansDto })
  @Refusals('validation_failed')
  async list(@Query() page: PageQuery): Promise<{ plans: PlanDocument[]; nextCursor: string | null }> {
    const { plans, next } = await this.plans.list(positionOf(page), page.limit);
    return { plans: plans.map(({ plan }) => planDocument(plan)), nextCursor: cursorTo(next) };
  }

  @Get(':planId')
  @ApiOperation({ summary: 'Shows a plan' })
  @ApiOkResponse({ type: PlanDto })
  @Refusals('plan_not_found')
  async show(
    @Param('planId') id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PlanDocument> {
    return shown(response, await this.plans.get(id));
  }

  @Put(':planId')
  @Mutation('plan.update')
  @ApiOperation({
    summary: 'Replaces a plan',
    description: 'Tenants keep the terms they were assigned, until they are assigned the plan again.',
  })
  @HonoursIfMatch()
  @ApiOkResponse({ type: PlanDto })
  @BodyRefusals('plan_not_found', 'precondition_failed')
  async replace(
    @Param('planId') id: string,
    @Body() body: PlanReplacementDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PlanDocument> {
    return shown(response, await this.plans.replace(id, { ...body }, versions));
  }

  @Delete(':planId')
  @Mutation('plan.delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Deletes a plan that no tenant has' })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'It is gone.' })
  @Refusals('plan_not_found', 'conflict', 'precondition_failed')
  remove(@Param('planId') id: string, @IfMatch() versions: Versions): Promise<void> {
    return this.plans.remove(id, versions);
  }
}

function shown(response: Response, { plan, version }: StoredPlan): PlanDocument {
  tag(response, version);
  return planDocument(plan);
}
