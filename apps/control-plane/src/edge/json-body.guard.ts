import {
  Injectable,
  SetMetadata,
  type CanActivate,
  type CustomDecorator,
  type ExecutionContext,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { json } from 'express';
import { GatewayError } from '#libs/errors';
import { refuseTraps } from './json-traps';
import type { ControlRequest } from './control-request';

/** A thousand routes fit in a tenth of it. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Of those who do not administer the gateway: naming every unknown field of a whole megabyte keeps all others waiting for seconds. */
const MAX_TENANT_BODY_BYTES = 64 * 1024;
const ADMINISTRATORS: Array<ControlRequest['role']> = ['owner', 'operator'];
const MEDIA_TYPES = ['application/json', 'application/merge-patch+json'];

const STREAMED = Symbol('streamed');

/** Leaves the body of an operation to its handler, which reads it as it comes. */
export const StreamedBody = (mediaType: string): CustomDecorator<symbol> => SetMetadata(STREAMED, mediaType);

/**
 * Reads the body. A guard and no middleware, because it must come after AdminGuard and before the pipes: whoever has
 * no credential cannot make the gateway parse anything.
 */
@Injectable()
export class JsonBodyGuard implements CanActivate {
  private readonly parse = json({ limit: MAX_BODY_BYTES, type: MEDIA_TYPES });
  private readonly parseSmall = json({ limit: MAX_TENANT_BODY_BYTES, type: MEDIA_TYPES });

  constructor(private readonly reflector: Reflector) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const request = http.getRequest<ControlRequest>();
    if (!hasBody(request)) return true;
    const streamed = this.reflector.get<string | undefined>(STREAMED, context.getHandler());
    if (streamed !== undefined) {
      if (!request.is(streamed)) throw new GatewayError('unsupported_media_type', `send ${streamed}`);
      return true;
    }
    if (!request.is(MEDIA_TYPES)) {
      throw new GatewayError('unsupported_media_type', `send ${MEDIA_TYPES.join(' or ')}`);
    }
    const parse = ADMINISTRATORS.includes(request.role) ? this.parse : this.parseSmall;
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
