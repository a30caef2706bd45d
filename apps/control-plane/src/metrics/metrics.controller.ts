import { Controller, Get, Header, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import { METRICS_CONTENT_TYPE, renderForAllWorkers } from '#libs/metrics';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { ProtectedRefusals } from '../docs/refusals';

@ApiTags('metrics')
@Controller('metrics')
export class MetricsController {
  constructor(@Inject(OPTIONS) private readonly options: ControlPlaneOptions) {}

  @Get()
  @Header('Content-Type', METRICS_CONTENT_TYPE)
  @ApiOperation({ summary: 'Metrics of all workers of this replica, for Prometheus' })
  @ApiProduces('text/plain')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ProtectedRefusals()
  scrape(): Promise<string> {
    return renderForAllWorkers(this.options.metrics.registry);
  }
}
