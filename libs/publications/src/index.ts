/**
 * publications: the routes that tenants publish at the root of the gateway, by host and path prefix: what they are, how
 * they are checked, where they are stored, and the one look-up that finds the route of a request.
 * Not here: judging a request (`guards`) and forwarding it (data plane).
 */
export type { Publication, PublishedBackend, PublishedRouteRule } from './publication';
export { checkPublication, parsePublication, type CheckedPublication } from './check-publication';
export { HeaderChanges, plainName } from '#libs/tenants';
export { PublicationRepository, type StoredPublication } from './publication-repository';
export { PublicationTable } from './publication-table';
export { PublishedRoute } from './published-route';
export { RouteIndex } from './route-index';
export { matchKeys } from './match-keys';
export { keyOf as routeClaimKey } from './route-claims';
export { reservationsOf, type Reservations } from './reserved';
