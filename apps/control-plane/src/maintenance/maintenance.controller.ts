import { Body, Controller, Delete, Get, HttpCode, Put, Res } from '@nestjs/common';
import { ApiNoContentResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { MaintenanceRepository, type StoredMaintenance } from '#libs/tenants';
import { BodyRefusals, Refusals } from '../docs/refusals';
import { Mutation } from '../edge/control-request';
import { HonoursIfMatch, IfMatch, tag } from '../edge/preconditions';
import { MaintenanceDto } from './maintenance.dto';

type Versions = readonly string[] | undefined;

/** Of the whole gateway; that of a tenant or a service is a field of it. */
@ApiTags('maintenance')
@Controller('admin/maintenance')
export class MaintenanceController {
  constructor(private readonly maintenance: MaintenanceRepository) {}

  @Get()
  @ApiOperation({ summary: 'Shows the maintenance of the whole gateway' })
  @ApiOkResponse({ type: MaintenanceDto })
  @Refusals('maintenance_not_found')
  async show(@Res({ passthrough: true }) response: Response): Promise<MaintenanceDto> {
    return shown(response, await this.maintenance.get());
  }

  @Put()
  @Mutation('maintenance.start')
  @ApiOperation({
    summary: 'Refuses the requests of all tenants from now on',
    description: 'Puts it in the place of one that is going on. The control plane is not affected.',
  })
  @HonoursIfMatch()
  @ApiOkResponse({ type: MaintenanceDto })
  @BodyRefusals('precondition_failed')
  async start(
    @Body() body: MaintenanceDto,
    @IfMatch() versions: Versions,
    @Res({ passthrough: true }) response: Response,
  ): Promise<MaintenanceDto> {
    return shown(response, await this.maintenance.put({ ...body }, versions));
  }

  @Delete()
  @Mutation('maintenance.stop')
  @HttpCode(204)
  @ApiOperation({ summary: 'Ends the maintenance of the whole gateway' })
  @HonoursIfMatch()
  @ApiNoContentResponse({ description: 'It is over.' })
  @Refusals('maintenance_not_found', 'precondition_failed')
  stop(@IfMatch() versions: Versions): Promise<void> {
    return this.maintenance.remove(versions);
  }
}

function shown(response: Response, { maintenance, version }: StoredMaintenance): MaintenanceDto {
  tag(response, version);
  return maintenance;
}
