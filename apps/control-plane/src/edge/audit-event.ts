import type { Response } from 'express';
import type { AuditEvent } from '#libs/audit';
import type { ControlRequest } from './control-request';

/** What clients typed, in path parameters; ids are at most 64 characters, those of tokens 128. */
const MAX_LENGTH = 128;
/** Of a tenant with thousands of services that is deleted; all of them are in the revisions. */
const MAX_CHANGES = 20;

/**
 * What the audit log keeps of a request that is over: changes that were made, that may have been made, and that were
 * refused for want of a right. Undefined for all others.
 * @param status of the answer; 499: the client has not waited for it.
 */
export function auditEvent(
  request: ControlRequest,
  response: Response,
  status: number,
  ip = request.clientAddress,
): AuditEvent | undefined {
  const { action, tenantId, audited, id: requestId } = request;
  const actor = actorOf(request);
  if (action === undefined || !isAudited(status, actor)) return undefined;
  const target = audited?.target ?? targetOf(request, response);
  return {
    actor: actor ?? 'unknown',
    actorName: request.actorName,
    // Of the owner there is only one, and of strangers nothing is known.
    actorRole: request.actor?.startsWith('admin:') ? request.role : undefined,
    action,
    tenantId: tenantId?.slice(0, MAX_LENGTH),
    target: target?.slice(0, MAX_LENGTH),
    requestId,
    ip,
    status,
    details: audited?.details,
    revision: request.revision,
    changes: request.shownChanges?.slice(0, MAX_CHANGES),
  };
}

function actorOf({ actor, principal }: ControlRequest): string | undefined {
  return actor ?? (principal?.kind === 'anonymous' ? 'anonymous' : undefined);
}

function isAudited(status: number, actor: string | undefined): boolean {
  if (status < 400 || status === 401 || status === 403) return true;
  // Whoever does not wait for the answer has not undone anything, nor does a failure half-way.
  return status >= 499 && actor !== undefined;
}

/** What the path names beside the tenant, or what was created. */
function targetOf({ params }: ControlRequest, response: Response): string | undefined {
  for (const [name, value] of Object.entries(params ?? {}))
    if (name !== 'tenantId' && typeof value === 'string') return value;
  const location = response.getHeader('Location');
  return typeof location === 'string' ? location.split('/').at(-1) : undefined;
}
