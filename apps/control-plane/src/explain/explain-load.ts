import { maxBodyOf, refuseDuring, refuseLargeBody, type RequestContext } from '#libs/guards';
import type { Store } from '#libs/store';
import { ServedMaintenance, keptMaintenance } from '#libs/tenants';

type Details = Record<string, unknown>;

/**
 * Whether a maintenance of the whole gateway stops a request. Where the store is away nothing is known of one here.
 * @throws GatewayError maintenance
 */
export async function judgeGatewayMaintenance(context: RequestContext, store: Store): Promise<void> {
  const kept = store.state === 'ready' ? await keptMaintenance(store) : undefined;
  if (kept) refuseDuring(new ServedMaintenance(kept), context);
}

/** @throws GatewayError maintenance */
export function judgeMaintenance(context: RequestContext): Details {
  const { tenant, service } = context;
  for (const maintenance of [tenant?.maintenance, service?.maintenance])
    if (maintenance) refuseDuring(maintenance, context);
  return { tenant: tenant?.maintenance !== undefined, service: service?.maintenance !== undefined };
}

/** @throws GatewayError body_too_large */
export function judgeBodySize(context: RequestContext, maxBodyBytes: number): Details {
  refuseLargeBody(context);
  return { maxBodyBytes: maxBodyOf(context, maxBodyBytes) || undefined };
}

/** What bounds requests under way. How many there are changes from one moment to the next, and refuses nothing here. */
export function loadBounds({ tenant, service }: RequestContext): Details {
  return {
    maxConcurrency: tenant?.maxConcurrency,
    maxStreams: tenant?.maxStreams,
    serviceMaxConcurrency: service?.maxConcurrency,
  };
}
