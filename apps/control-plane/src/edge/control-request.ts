import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { Request } from 'express';
import type { GatewayError } from '#libs/errors';

/** A request to the control plane with what is learnt about it on the way. */
export interface ControlRequest extends Request {
  id: string;
  /** Set once the credential is accepted; until then nobody is acting. */
  actor: 'owner' | undefined;
  /** What the request would change, if it is meant to change something. */
  action: string | undefined;
  tenantId: string | undefined;
  refusal: GatewayError | undefined;
  /** Called by ProblemFilter with the error it answers. */
  refusedWith(error: GatewayError): void;
}

export const PUBLIC = Symbol('public');
export const ACTION = Symbol('action');

/** Opens an operation to callers without a credential. */
export const Public = (): CustomDecorator<symbol> => SetMetadata(PUBLIC, true);

/** Names the change that an operation makes, as noun and verb, for the log and `control_mutations_total`. */
export const Mutation = (action: string): CustomDecorator<symbol> => SetMetadata(ACTION, action);
