import { Controller, Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { API_PREFIX } from '#libs/guards';
import { ServedTenant, TenantRepository, routeFor, routePath, type StoredTenant } from '#libs/tenants';
import { Refusals } from '../docs/refusals';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { PublishedRoutesDto, type PublishedRouteDto } from './routes.dto';

@ApiTags('routes')
@Controller('admin/routes')
export class RouteOverviewController {
  constructor(private readonly tenants: TenantRepository) {}

  @Get()
  @ApiOperation({
    summary: 'Lists what is published: the routes of all tenants',
    description:
      'A page holds the routes of up to `limit` tenants. Tenants that cannot be served publish nothing.',
  })
  @ApiOkResponse({ type: PublishedRoutesDto })
  @Refusals('validation_failed')
  async list(@Query() page: PageQuery): Promise<PublishedRoutesDto> {
    const { tenants, next } = await this.tenants.list(positionOf(page), page.limit);
    return { routes: tenants.flatMap(published), nextCursor: cursorTo(next) };
  }
}

/** Compiled as the data plane compiles it, so that defaults are those that hold. */
function published({ tenant }: StoredTenant): PublishedRouteDto[] {
  if (!tenant) return [];
  const { routes, upstream, suspended } = new ServedTenant(tenant);
  return tenant.allowedRoutes.map((rule) => {
    const path = routePath(rule.path);
    const here = routes.find(path) ?? [];
    const [method] = rule.methods ?? [];
    const route =
      method === undefined ? here.find(({ methods }) => methods === undefined) : routeFor(here, method);
    return {
      tenantId: tenant.id,
      path: API_PREFIX + (path === '/' ? '' : path),
      methods: rule.methods ?? null,
      requiresJwt: route?.requiresJwt ?? true,
      upstreamUrl: upstream.origin + upstream.basePath + path,
      suspended,
    };
  });
}
