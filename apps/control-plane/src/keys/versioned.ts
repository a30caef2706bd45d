import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Response } from 'express';
import type { ControlRequest } from '../edge/control-request';
import { acceptedVersions, tag } from '../edge/preconditions';

/** Both sides of a change to a versioned document. */
export interface VersionedExchange {
  /** Of which the stored document must have one; undefined demands nothing. */
  readonly accepted: readonly string[] | undefined;
  /** Names the version that the change has made. */
  tag(version: string | undefined): void;
}

/** Parameter: `IfMatch` and `tag` in one, for operations that have many others. */
export const Versioned = createParamDecorator((_: unknown, context: ExecutionContext): VersionedExchange => {
  const http = context.switchToHttp();
  return {
    accepted: acceptedVersions(http.getRequest<ControlRequest>().headers['if-match']),
    tag: (version) => tag(http.getResponse<Response>(), version),
  };
});
