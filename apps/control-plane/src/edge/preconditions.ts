import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { NextFunction, Request, Response } from 'express';
import { GatewayError } from '#libs/errors';
import type { ControlRequest } from './control-request';

const TAG_LIST = /^(?:\s*(?:W\/)?"[^"]*"\s*(?:,|$))+$/;

/**
 * The versions that an `If-Match` header accepts (RFC 9110 §13.1.1); undefined accepts any.
 * @throws GatewayError bad_request
 */
export function acceptedVersions(header: string | undefined): readonly string[] | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  if (!TAG_LIST.test(header)) {
    throw new GatewayError('bad_request', 'If-Match must be * or a list of entity tags in double quotes');
  }
  // Weak tags never match here: the comparison is the strong one.
  return [...header.matchAll(/(W\/)?"([^"]*)"/g)]
    .filter(([, weak]) => !weak)
    .map(([, , version]) => version ?? '');
}

/** Parameter: the versions of `If-Match`. */
export const IfMatch = createParamDecorator((_: unknown, context: ExecutionContext) =>
  acceptedVersions(context.switchToHttp().getRequest<ControlRequest>().headers['if-match']),
);

/** Documents that an operation honours `If-Match`. */
export const HonoursIfMatch = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description:
        'Entity tags of which the stored document must have one; otherwise 412 and nothing changes.',
    }),
  );

/** Names the version of the document that a response shows or has made; Express answers `If-None-Match` with it. */
export function tag(response: Response, version: string | undefined): void {
  // May be kept by a browser, but must be asked for again: it is what a later change is based on.
  response.setHeader('Cache-Control', 'private, no-cache');
  if (version !== undefined) response.setHeader('ETag', `"${version}"`);
}

/**
 * Lets Express judge `If-None-Match` alone. A request's `Cache-Control: no-cache` speaks to caches (RFC 9111 §5.2.1.4),
 * yet Express takes it as a wish for the whole body, and `fetch` adds it to every conditional request.
 */
export function ignoreCacheControl(request: Request, _response: Response, next: NextFunction): void {
  delete request.headers['cache-control'];
  next();
}
