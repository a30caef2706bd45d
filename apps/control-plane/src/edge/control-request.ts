import { SetMetadata, type CustomDecorator } from '@nestjs/common';
import type { Request } from 'express';
import type { AdminRole } from '#libs/admin-tokens';
import type { GatewayError } from '#libs/errors';
import { arrivalOf, type Arrival, type HopClaims, type Peer, type ProxyTrust } from '#libs/guards';
import type { Change, ShownChange } from '#libs/revisions';
import type { OpenSession } from '../dashboard/sessions';
import type { Principal } from './principal';

/** A request to the control plane with what is learnt about it on the way. */
export interface ControlRequest extends Request {
  id: string;
  /** Set once the credential is accepted; until then nobody is acting. */
  actor: 'owner' | `admin:${string}` | `key:${string}` | `token:${string}` | undefined;
  /** Of those who administer: how their token is called, and what it is for. */
  actorName: string | undefined;
  role: AdminRole | undefined;
  /** By which the credential came, where it was no header. */
  session: OpenSession | undefined;
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
export function clientAddressOf(request: Request, proxies: ProxyTrust): string {
  return proxies.client(peerOf(request, proxies), claimsOf(request, proxies)).address;
}

/** By which scheme and host a browser has asked. */
export function controlArrival(request: Request, proxies: ProxyTrust): Arrival {
  const peer = peerOf(request, proxies);
  const claims = claimsOf(request, proxies);
  return arrivalOf(peer, proxies.client(peer, claims).hops, claims, request.headers.host ?? '');
}

function peerOf({ socket }: Request, proxies: ProxyTrust): Peer {
  return proxies.peer(socket.remoteAddress ?? '', 'encrypted' in socket);
}

function claimsOf({ headers }: Request, proxies: ProxyTrust): HopClaims {
  return proxies.heard({
    forwardedFor: joined(headers['x-forwarded-for']),
    forwarded: headers.forwarded,
    forwardedProto: joined(headers['x-forwarded-proto']),
    forwardedHost: joined(headers['x-forwarded-host']),
  });
}

function joined(values: string | string[] | undefined): string | undefined {
  return Array.isArray(values) ? values.join() : values;
}
