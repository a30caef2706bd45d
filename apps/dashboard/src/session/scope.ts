import { useSearchParams } from 'react-router';
import { useSession } from './session';

/** Whose services, keys and figures a page shows. */
export interface Scope {
  /** undefined: somebody who sees all tenants and has not chosen yet. */
  tenantId: string | undefined;
  /** Whether that can be chosen: what is signed in with is not for one tenant only. */
  everyTenant: boolean;
  /** What portal operations are told. Whoever is for one tenant is known by the session; only others say whom they mean. */
  query: { tenant_id?: string };
}

export function useScope(): Scope {
  const { session } = useSession();
  const [search] = useSearchParams();
  if (session.tenantId !== null) return { tenantId: session.tenantId, everyTenant: false, query: {} };
  const tenantId = search.get('tenant') ?? undefined;
  return { tenantId, everyTenant: true, query: tenantId === undefined ? {} : { tenant_id: tenantId } };
}

/** An address within the dashboard that keeps the chosen tenant. */
export function useLinkTo(): (path: string) => string {
  const { everyTenant, tenantId } = useScope();
  return (path) => {
    if (!everyTenant || tenantId === undefined) return path;
    return `${path}${path.includes('?') ? '&' : '?'}tenant=${encodeURIComponent(tenantId)}`;
  };
}

/** Where requests of clients go: the page's own origin unless the gateway says another. */
export function useGatewayUrl(): string {
  const { session } = useSession();
  return (session.gatewayUrl ?? window.location.origin).replace(/\/$/, '');
}
