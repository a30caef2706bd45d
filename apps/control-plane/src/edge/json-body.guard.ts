import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { json } from 'express';
import { GatewayError } from '#libs/errors';
import { refuseTraps } from './json-traps';
import type { ControlRequest } from './control-request';

/** A thousand routes fit in a tenth of it. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Of those who are not the owner: naming every unknown field of a whole megabyte keeps all others waiting for seconds. */
const MAX_TENANT_BODY_BYTES = 64 * 1024;
const MEDIA_TYPES = ['application/json', 'application/merge-patch+json'];

/**
 * Reads the body. A guard and no middleware, because it must come after AdminGuard and before the pipes: whoever has
 * no credential cannot make the gateway parse anything.
 */
@Injectable()
export class JsonBodyGuard implements CanActivate {
  private readonly parse = json({ limit: MAX_BODY_BYTES, type: MEDIA_TYPES });
  private readonly parseSmall = json({ limit: MAX_TENANT_BODY_BYTES, type: MEDIA_TYPES });

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<ControlRequest>();
    if (!hasBody(request)) return true;
    if (!request.is(MEDIA_TYPES)) {
      throw new GatewayError('unsupported_media_type', `send ${MEDIA_TYPES.join(' or ')}`);
    }
    const parse = request.actor === 'owner' ? this.parse : this.parseSmall;
    await new Promise<void>((resolve, reject) => {
      parse(request, http.getResponse(), (error?: Error) =>
        error === undefined ? resolve() : reject(error),
      );
    });
    refuseTraps(request.body);
    return true;
  }
}

/** Clients that have nothing to send still name a length of zero, and often a media type. */
function hasBody({ headers }: ControlRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
