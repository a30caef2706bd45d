import { Controller, Get, Req } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { ProtectedRefusals } from '../docs/refusals';
import type { ControlRequest } from '../edge/control-request';
import { operationsOf } from '../edge/operation-roles';
import { WhoAmIDto } from './admin-token.dto';

@ApiTags('admin tokens')
@Controller('admin/whoami')
export class WhoAmIController {
  @Get()
  @ApiOperation({ summary: 'Says whose the admin token of the request is, and what it is good for' })
  @ApiOkResponse({ type: WhoAmIDto })
  @ProtectedRefusals()
  show(@Req() { actor = 'owner', actorName, role = 'owner', tenantId }: ControlRequest): WhoAmIDto {
    return { actor, name: actorName, role, tenantId, operations: operationsOf(role) };
  }
}
