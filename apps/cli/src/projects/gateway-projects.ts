import { pathOf, type AdminApi, type Document } from '../admin-api';
import { Failure } from '../failure';
import { Refusal } from '../refusal';
import { authByDefault, serviceNames, weighed, type Project } from './project';

/** A project of the gateway, with the documents as they were shown, to see whether they are still the same. */
export interface GatewayProject extends Project {
  readonly shownTenant: Document;
  /** By the names that they have in files. */
  readonly shownServices: ReadonlyMap<string, Document>;
  /** Entity tag of the published routes; undefined if there are none. */
  readonly publicationVersion: string | undefined;
  /** Whether what is stored as published routes is broken, and served to nobody. */
  readonly publicationBroken: boolean;
  /** Names that files cannot say, by the ones that stand for them. */
  readonly renamed: ReadonlyMap<string, string>;
}

/** How many projects are read at a time. */
const AT_ONCE = 8;

/** All tenants, as the list shows them. */
export function listTenants(api: AdminApi): Promise<Document[]> {
  return api.list('/admin/tenants', 'tenants');
}

/**
 * The projects of these tenants with everything in them.
 * @throws Failure if the document of one is broken
 */
export async function readGatewayProjects(
  api: AdminApi,
  tenants: readonly Document[],
): Promise<GatewayProject[]> {
  const projects: GatewayProject[] = [];
  for (let i = 0; i < tenants.length; i += AT_ONCE) {
    projects.push(
      ...(await Promise.all(tenants.slice(i, i + AT_ONCE).map((tenant) => readOne(api, tenant)))),
    );
  }
  return projects;
}

async function readOne(api: AdminApi, shownTenant: Document): Promise<GatewayProject> {
  const { id, ...tenant } = shownTenant;
  if (tenant.problems !== undefined) {
    throw new Failure(`the document of tenant ${String(id)} is broken: mend it with tenant update --replace`);
  }
  const tenantId = String(id);
  const shown = await api.list(pathOf`/admin/tenants/${tenantId}/services`, 'services');
  const names = serviceNames(shown as Array<{ id: string; name: string }>);
  const nameOf = (service: unknown): string => names.get(String(service)) ?? String(service);
  const { routes, version, broken } = await readPublication(api, tenantId);
  return {
    id: tenantId,
    tenant,
    services: new Map(
      shown.map((service) => [
        nameOf(service.id),
        weighed({ auth: authByDefault(tenant), ...declarable(service) }, 'targets'),
      ]),
    ),
    routes: routes.map((route) => {
      const backends = (route.backends as Document[]).map((to) => ({ ...to, service: nameOf(to.service) }));
      const mirror = route.mirror as Document | undefined;
      const named = mirror?.service !== undefined && {
        mirror: { ...mirror, service: nameOf(mirror.service) },
      };
      return weighed({ ...route, ...named, backends }, 'backends');
    }),
    shownTenant,
    shownServices: new Map(shown.map((service) => [nameOf(service.id), service])),
    publicationVersion: version,
    publicationBroken: broken,
    renamed: new Map(
      shown.flatMap(({ id: serviceId, name }) =>
        nameOf(serviceId) === name ? [] : [[nameOf(serviceId), String(name)] as const],
      ),
    ),
  };
}

async function readPublication(
  api: AdminApi,
  tenantId: string,
): Promise<{ routes: Document[]; version: string | undefined; broken: boolean }> {
  try {
    const { body, version } = await api.call('GET', publicationPath(tenantId));
    return { routes: (body.routes ?? []) as Document[], version, broken: body.problems !== undefined };
  } catch (error) {
    // Nothing is published, or the gateway cannot publish at all.
    if (error instanceof Refusal && error.status === 404 && error.code !== 'tenant_not_found') {
      return { routes: [], version: undefined, broken: false };
    }
    throw error;
  }
}

export function publicationPath(tenantId: string): string {
  return pathOf`/admin/tenants/${tenantId}/publication`;
}

/** What a file says of a service: not what the gateway has given it. */
function declarable({
  id: _id,
  tenantId: _tenant,
  createdAt: _at,
  name: _name,
  ...service
}: Document): Document {
  return service;
}
