import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query, Res } from '@nestjs/common';
import {
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { GatewayError } from '#libs/errors';
import { TenantRepository, type StoredTenant } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { RouteDto } from '../tenants/tenant.dto';
import { routeView } from '../tenants/tenant-view';
import { changeRoutes, withoutRoute, withRoute } from './route-list';
import { RouteSelector, RoutesDto } from './routes.dto';

type Versions = readonly string[] | undefined;

@ApiTags('routes')
@Controller('admin/tenants/:tenantId/routes')
export class RoutesController {
  constructor(private readonly tenants: TenantRepository) {}

  @Get()
  @ApiOperation({ summary: 'Lists the routes of a tenant' })
  @ApiOkResponse({ type: RoutesDto })
  @Refusals('tenant_not_found', 'tenant_misconfigured')
  async list(
    @Param('tenantId') id: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RoutesDto> {
    return shown(response, await this.tenants.get(id));
  }

  @Post()
  @Mutation('route.create')
  @ApiOperation({ summary: 'Adds a route' })
  @HonoursIfMatch()
  @ApiCreatedResponse({ type: RoutesDto })
  @BodyRefusals('tenant_not_found', 'already_exists', 'declared_in_file', 'precondition_failed')
  async add(
    @Param('tenantId') id: string,
    @Body() route: RouteDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RoutesDto> {
    let position = 0;
    const change = changeRoutes((routes) => {
      position = routes.length;
      return withRoute(routes, route);
    });
    try {
      return shown(response, await this.tenants.update(id, change, versions));
    } catch (error) {
      throw asFieldsOf(error, `allowedRoutes.${position}.`);
    }
  }

  @Put()
  @Mutation('route.replace')
  @ApiOperation({ summary: 'Replaces all routes' })
  @HonoursIfMatch()
  @ApiOkResponse({ type: RoutesDto })
  @BodyRefusals('tenant_not_found', 'declared_in_file', 'precondition_failed')
  async replace(
    @Param('tenantId') id: string,
    @Body() { allowedRoutes }: RoutesDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<RoutesDto> {
    return shown(
      response,
      await this.tenants.update(id, (current) => ({ ...current, allowedRoutes }), versions),
    );
  }

  @Delete()
  @Mutation('route.delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Removes the routes of a path, or one method of them' })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'They are gone.' })
  @Refusals(
    'validation_failed',
    'tenant_not_found',
    'route_not_found',
    'declared_in_file',
    'precondition_failed',
  )
  async remove(
    @Param('tenantId') id: string,
    @Query() { path, method }: RouteSelector,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<void> {
    const change = changeRoutes((routes) => withoutRoute(routes, path, method?.toUpperCase()));
    tag(response, (await this.tenants.update(id, change, versions)).version);
  }
}

function shown(response: Response, { tenant, version }: StoredTenant): RoutesDto {
  if (!tenant)
    throw new GatewayError(
      'tenant_misconfigured',
      'the stored document is broken; GET the tenant to see why',
    );
  tag(response, version);
  return { allowedRoutes: tenant.allowedRoutes.map(routeView) };
}

/** Problems of one route by the names that its sender knows, not by its place in the stored list. */
function asFieldsOf(error: unknown, prefix: string): unknown {
  if (!(error instanceof GatewayError) || !error.fields) return error;
  const fields = error.fields.map(({ field, message }) => ({
    field: field.startsWith(prefix) ? field.slice(prefix.length) : field,
    message,
  }));
  return new GatewayError(error.code, error.publicDetail, { fields, cause: error });
}
