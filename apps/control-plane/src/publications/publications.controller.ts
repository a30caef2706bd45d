import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { PublicationRepository, type StoredPublication } from '#libs/publications';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { PageQuery, cursorTo, positionOf } from '../edge/page.dto';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { PublicationInputDto } from './publication.dto';
import {
  ShowsPublication,
  ShowsPublications,
  publicationView,
  type PublicationView,
} from './publication-view';

type Versions = readonly string[] | undefined;

@ApiTags('publications')
@Controller('admin/tenants/:tenantId/publication')
export class PublicationController {
  constructor(private readonly publications: PublicationRepository) {}

  @Get()
  @ApiOperation({ summary: 'Shows what a tenant publishes at the root of the gateway' })
  @ShowsPublication()
  @Refusals('tenant_not_found', 'publication_not_found')
  async show(
    @Param('tenantId') tenantId: string,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PublicationView> {
    return shown(response, await this.publications.get(tenantId));
  }

  @Put()
  @Mutation('publication.update')
  @ApiOperation({
    summary: 'Publishes routes of a tenant, in the place of those that it had',
    description: 'All of them or none. `conflict` where another tenant publishes the same.',
  })
  @HonoursIfMatch()
  @ShowsPublication()
  @BodyRefusals('tenant_not_found', 'conflict', 'declared_in_file', 'precondition_failed')
  async replace(
    @Param('tenantId') tenantId: string,
    @Body() { routes }: PublicationInputDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<PublicationView> {
    return shown(response, await this.publications.put(tenantId, routes, versions));
  }

  @Delete()
  @Mutation('publication.delete')
  @HttpCode(204)
  @ApiOperation({ summary: 'Publishes nothing of a tenant any more' })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'It is gone.' })
  @Refusals('tenant_not_found', 'publication_not_found', 'declared_in_file', 'precondition_failed')
  remove(@Param('tenantId') tenantId: string, @IfMatch() versions: Versions): Promise<void> {
    return this.publications.remove(tenantId, versions);
  }
}

@ApiTags('publications')
@Controller('admin/publications')
export class PublicationsController {
  constructor(private readonly publications: PublicationRepository) {}

  @Get()
  @ApiOperation({ summary: 'Lists what all tenants publish at the root of the gateway' })
  @ShowsPublications()
  @Refusals('validation_failed')
  async list(
    @Query() page: PageQuery,
  ): Promise<{ publications: PublicationView[]; nextCursor: string | null }> {
    const { publications, next } = await this.publications.list(positionOf(page), page.limit);
    return { publications: publications.map(publicationView), nextCursor: cursorTo(next) };
  }
}

function shown(response: Response, stored: StoredPublication): PublicationView {
  tag(response, stored.version);
  return publicationView(stored);
}
