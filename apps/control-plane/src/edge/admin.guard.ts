import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { GatewayError } from '#libs/errors';
import { carriesAdminToken } from '#libs/lifecycle';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { ACTION, PUBLIC, type ControlRequest } from './control-request';

/** Lets only the owner pass, unless an operation is marked `@Public()`. */
@Injectable()
export class AdminGuard implements CanActivate {
  constructor(
    @Inject(OPTIONS) private readonly options: ControlPlaneOptions,
    private readonly reflector: Reflector,
  ) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<ControlRequest>();
    request.action = this.reflector.get<string | undefined>(ACTION, context.getHandler());
    request.tenantId = request.params.tenantId as string | undefined;
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, places)) return true;

    const { adminToken } = this.options;
    // An empty token would let everybody in who sends an empty header.
    if (!adminToken) throw new GatewayError('admin_not_configured', 'set ADMIN_TOKEN');
    if (!carriesAdminToken(request.headers, adminToken)) {
      const detail = 'send the admin token as X-Admin-Token or as Authorization: Bearer …';
      const headers = { 'WWW-Authenticate': 'Bearer realm="gatehouse"' };
      throw new GatewayError('admin_unauthorized', detail, { headers });
    }
    request.actor = 'owner';
    return true;
  }
}
