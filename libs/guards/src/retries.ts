import type { ServedRetries } from '#libs/tenants';
import type { RequestContext } from './request-context';

/** RFC 9110 §9.2.2: repeating these means the same as sending them once. */
export const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether the upstream may get the request twice: by its method, or because the client has given it a name. */
export function isSafeToRepeat({ method, upstreamHeaders }: RequestContext): boolean {
  if (IDEMPOTENT.has(method)) return true;
  for (let i = 0; i < upstreamHeaders.length; i += 2) {
    const name = upstreamHeaders[i] as string;
    if (name.length === 15 && name.toLowerCase() === 'idempotency-key') return upstreamHeaders[i + 1] !== '';
  }
  return false;
}

/** The policy of the published route, of the service, or of the tenant: the nearest one counts, as a whole. */
export function retryPolicyOf({ published, service, tenant }: RequestContext): ServedRetries | undefined {
  return published?.retries ?? service?.retries ?? tenant?.retries;
}
