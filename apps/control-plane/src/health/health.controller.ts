import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { GatewayError } from '#libs/errors';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { ProtectedRefusals, documented } from '../docs/refusals';
import { Public } from '../edge/control-request';
import { ProbeDto, HealthDto, StatusDto } from './health.dto';

@ApiTags('health')
@Controller()
export class HealthController {
  constructor(@Inject(OPTIONS) private readonly options: ControlPlaneOptions) {}

  @Get('admin/health')
  @ApiOperation({ summary: 'Answers if the control plane does' })
  @ApiOkResponse({ type: HealthDto })
  @ProtectedRefusals()
  health(): HealthDto {
    return { status: 'ok', plane: 'control' };
  }

  @Get('admin/status')
  @ApiOperation({ summary: 'Shows the state of this process and of the store' })
  @ApiOkResponse({ type: StatusDto })
  @ProtectedRefusals()
  status(): StatusDto {
    const { store, isReady } = this.options;
    const { ageMs, trustMs } = store.changes;
    return {
      ready: isReady(),
      store: store.kind,
      storeState: store.state,
      configurationAgeMs: Math.round(ageMs),
      configurationTrustMs: trustMs === Infinity ? null : trustMs,
      replicas: store.fleet.size,
      uptimeSeconds: Math.floor(process.uptime()),
    };
  }

  @Get('livez')
  @Public()
  @ApiOperation({ summary: 'Liveness: answers while the process does', security: [] })
  @ApiOkResponse({ type: ProbeDto })
  live(): ProbeDto {
    return { status: 'alive' };
  }

  @Get('readyz')
  @Public()
  @ApiOperation({ summary: 'Readiness: whether this process wants traffic', security: [] })
  @ApiOkResponse({ type: ProbeDto })
  @documented(['not_ready'])
  ready(): ProbeDto {
    if (!this.options.isReady()) throw new GatewayError('not_ready');
    return { status: 'ready' };
  }
}
