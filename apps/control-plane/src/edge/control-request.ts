import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { Request } from 'express';
import type { AdminRole } from '#libs/admin-tokens';
import type { GatewayError } from '#libs/errors';
import type { Change, ShownChange } from '#libs/revisions';
import type { ProxyTrust } from '#libs/guards';
import type { Principal } from './principal';

/** A request to the control plane with what is learnt about it on the way. */
export interface ControlRequest extends Request {
  id: string;
  /** Set once the credential is accepted; until then nobody is acting. */
  actor: 'owner' | `admin:${string}` | `key:${string}` | `token:${string}` | undefined;
  /** Of those who administer: how their token is called, and what it is for. */
  actorName: string | undefined;
  role: AdminRole | undefined;
  /** For whom an operation of the portal acts. */
  principal: Principal | undefined;
  /** What the request would change, if it is meant to change something. */
  action: string | undefined;
  tenantId: string | undefined;
  /** What the audit log says beside that. */
  audited: AuditNote | undefined;
  refusal: GatewayError | undefined;
  /** Where it came from; the connection forgets it when it is over. */
  clientAddress: string;
  /** What it has changed so far and is in no revision yet, by the key of the document. */
  changes: Map<string, Change> | undefined;
  /** The last revision that was made of it, and what has changed, as it may be shown. */
  revision: number | undefined;
  shownChanges: ShownChange[] | undefined;
  /** The audit log has its entry. */
  isAudited: boolean | undefined;
  /** Called by ProblemFilter with the error it answers. */
  refusedWith(error: GatewayError): void;
}

/** Never a credential. */
export interface AuditNote {
  /** Absent: what the path or the location of the created thing names. */
  readonly target?: string;
  readonly details?: Readonly<Record<string, string>>;
}

export const PUBLIC = Symbol('public');
export const ACTION = Symbol('action');

/** Opens an operation to callers without a credential. */
export const Public = (): CustomDecorator<symbol> => SetMetadata(PUBLIC, true);

/** Names the change that an operation makes, as noun and verb, for the log and `control_mutations_total`. */
export const Mutation = (action: string): CustomDecorator<symbol> => SetMetadata(ACTION, action);

/** Known before the connection is gone; later it has no address any more. */
export function clientAddressOf({ socket, headers }: Request, proxies: ProxyTrust): string {
  const forwardedFor = headers['x-forwarded-for'];
  const claims = proxies.heard({
    forwardedFor: Array.isArray(forwardedFor) ? forwardedFor.join() : forwardedFor,
    forwarded: headers.forwarded,
    forwardedProto: undefined,
    forwardedHost: undefined,
  });
  return proxies.client(proxies.peer(socket.remoteAddress ?? '', false), claims).address;
}
