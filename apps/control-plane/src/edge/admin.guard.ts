import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError } from '#libs/errors';
import { OPTIONS, type ControlPlaneOptions } from '../control-plane.options';
import { ACTION, PUBLIC, type ControlRequest } from './control-request';

/** Lets only the owner pass, unless an operation is marked `@Public()`. */
@Injectable()
export class AdminGuard implements CanActivate {
  private readonly expected: Buffer | undefined;

  constructor(
    @Inject(OPTIONS) { adminToken }: ControlPlaneOptions,
    private readonly reflector: Reflector,
  ) {
    this.expected = adminToken ? digest(adminToken) : undefined;
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<ControlRequest>();
    request.action = this.reflector.get<string | undefined>(ACTION, context.getHandler());
    request.tenantId = request.params.tenantId as string | undefined;
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(PUBLIC, targets)) return true;

    if (!this.expected) throw new GatewayError('admin_not_configured', 'set ADMIN_TOKEN');
    const offered = offeredToken(request.headers);
    if (offered === undefined || !timingSafeEqual(digest(offered), this.expected)) {
      throw new GatewayError('admin_unauthorized', 'send the admin token as X-Admin-Token or as Authorization: Bearer …', {
        headers: { 'WWW-Authenticate': 'Bearer realm="gatehouse"' },
      });
    }
    request.actor = 'owner';
    return true;
  }
}

/** Both sides of the comparison get one length, so that its time tells nothing about the token. */
function digest(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

function offeredToken(headers: IncomingHttpHeaders): string | undefined {
  const own = headers['x-admin-token'];
  if (typeof own === 'string') return own;
  return /^bearer +([^\s]+)$/i.exec(headers.authorization ?? '')?.[1];
}
