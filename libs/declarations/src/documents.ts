import { matchKeys, routeClaimKey, type PublishedRouteRule } from '#libs/publications';
import { keys } from '#libs/store';
import { foreignKeyId, serviceIndexMember } from '#libs/tenants';
import { declaredServiceId, type DeclaredApiKey, type Project } from './project';

/** The documents that a project consists of, as the store would hold them. */
export interface Documents {
  /** Text by key; undefined where nothing is to be, whatever the store holds. */
  readonly texts: ReadonlyMap<string, string | undefined>;
  /** Entries of ordered indexes. */
  readonly entries: ReadonlyArray<readonly [index: string, member: string]>;
}

/** Files do not say when something was made, and every replica must come to the same text. */
const MADE_AT = '1970-01-01T00:00:00.000Z';
/** Digits of a key's hash by which people recognise it. */
const SHOWN_DIGITS = 12;

export function documentsOf({ tenant, services, routes, apiKeys }: Project): Documents {
  const { id } = tenant;
  const texts = new Map<string, string | undefined>([[keys.tenant(id), JSON.stringify(tenant)]]);
  const entries: [string, string][] = [[keys.TENANT_INDEX, id]];

  for (const [name, fields] of services) {
    const serviceId = declaredServiceId(id, name);
    const document = { id: serviceId, tenantId: id, name, createdAt: MADE_AT, ...fields };
    texts.set(keys.service(serviceId), JSON.stringify(document));
    entries.push([keys.serviceIndex(id), serviceIndexMember(serviceId)]);
  }

  const byId = routes.map((route) => ({
    ...route,
    mirror: mirrorById(id, route.mirror),
    backends: route.backends.map((backend) => ({
      ...backend,
      service: declaredServiceId(id, backend.service),
    })),
  }));
  // A project publishes what its file says: nothing, if it says nothing.
  const publication = { tenantId: id, routes: byId };
  texts.set(keys.publication(id), routes.length === 0 ? undefined : JSON.stringify(publication));
  if (routes.length > 0) entries.push([keys.PUBLICATION_INDEX, id]);
  // Nobody else can publish the same.
  for (const route of byId) for (const match of matchKeys(route)) texts.set(routeClaimKey(match), id);

  for (const apiKey of apiKeys) addKey(id, apiKey, texts, entries);
  return { texts, entries };
}

/** Copies that go to a service of the file. */
function mirrorById(id: string, mirror: PublishedRouteRule['mirror']): PublishedRouteRule['mirror'] {
  return mirror?.service === undefined
    ? mirror
    : { ...mirror, service: declaredServiceId(id, mirror.service) };
}

function addKey(
  tenantId: string,
  { sha256: hash, serviceId: service, ...fields }: DeclaredApiKey,
  texts: Map<string, string | undefined>,
  entries: [string, string][],
): void {
  const id = foreignKeyId(hash);
  const shown = {
    id,
    name: fields.name ?? id,
    prefix: `sha256:${hash.slice(0, SHOWN_DIGITS)}`,
    createdAt: MADE_AT,
  };
  const serviceId = service === undefined ? undefined : declaredServiceId(tenantId, service);
  const record = { enabled: true, ...fields, ...shown, tenantId, serviceId };
  texts.set(keys.apiKeyMapping(hash), JSON.stringify(record));
  texts.set(keys.apiKeyRecord(tenantId, id), JSON.stringify({ ...shown, serviceId, hash }));
  entries.push([keys.apiKeyIndex(tenantId), id]);
  if (serviceId !== undefined) entries.push([keys.serviceKeyIndex(tenantId, serviceId), id]);
}
