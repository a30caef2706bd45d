import { useSearchParams } from 'react-router';
import { isAdmin, useSession } from './session';

/** Whose services, keys and figures a page shows. */
export interface Scope {
  /** undefined: an administrator who has not chosen yet. */
  tenantId: string | undefined;
  admin: boolean;
  /** What portal operations are told. A tenant is known by its session; only administrators say whom they mean. */
  query: { tenant_id?: string };
}

export function useScope(): Scope {
  const { session } = useSession();
  const [search] = useSearchParams();
  if (!isAdmin(session)) return { tenantId: session.tenantId ?? undefined, admin: false, query: {} };
  const tenantId = search.get('tenant') ?? undefined;
  return { tenantId, admin: true, query: tenantId === undefined ? {} : { tenant_id: tenantId } };
}

/** An address within the dashboard that keeps the chosen tenant. */
export function useLinkTo(): (path: string) => string {
  const { admin, tenantId } = useScope();
  return (path) => {
    if (!admin || tenantId === undefined) return path;
    return `${path}${path.includes('?') ? '&' : '?'}tenant=${encodeURIComponent(tenantId)}`;
  };
}

/** Where requests of clients go: the page's own origin unless the gateway says another. */
export function useGatewayUrl(): string {
  const { session } = useSession();
  return (session.gatewayUrl ?? window.location.origin).replace(/\/$/, '');
}
