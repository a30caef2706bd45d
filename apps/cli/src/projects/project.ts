import type { Document } from '../admin-api';

/** A project in one form, whether a file declares it or the gateway has it: what both can be compared in. */
export interface Project {
  /** Id of the tenant. */
  readonly id: string;
  /** The tenant's document, without its id; secrets of its identity providers by their digests. */
  readonly tenant: Document;
  /** The same with its secrets, to be sent; only files know them. */
  readonly sent?: Document;
  /** The services by the names that they have in files. */
  readonly services: ReadonlyMap<string, Document>;
  /** Published routes; their backends name services as files do. */
  readonly routes: readonly Document[];
}

/** A file in the declarative format. */
export interface ProjectFile {
  project: Document;
  services?: Record<string, Document>;
  routes?: Document[];
  apiRoutes?: Document[];
  apiKeys?: unknown[];
}

/** Names that a service may have in a file; the gateway allows any text. */
const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** The file that declares a project. */
export function fileOf({ id, tenant, services, routes }: Project): ProjectFile {
  const { allowedRoutes, ...project } = tenant;
  const file: ProjectFile = { project: { id, ...project } };
  if (services.size > 0) file.services = Object.fromEntries(services);
  if (routes.length > 0) file.routes = [...routes];
  const apiRoutes = (allowedRoutes ?? []) as Document[];
  if (apiRoutes.length > 0) file.apiRoutes = apiRoutes;
  return file;
}

/** What the gateway writes down for a service that says nothing of tokens. */
export function authByDefault({ auth, idp, idps }: Document): Document {
  const own = Array.isArray(idps) ? idps.length > 0 : idp !== undefined;
  return { jwt: (auth as { jwt?: boolean } | undefined)?.jwt ?? own };
}

/** A weight of 1 is what no weight means. */
export function weighed(document: Document, member: 'targets' | 'backends'): Document {
  const list = document[member];
  if (!Array.isArray(list)) return document;
  const plain = (list as Document[]).map(({ weight, ...rest }) =>
    weight === undefined || weight === 1 ? rest : { ...rest, weight },
  );
  return { ...document, [member]: plain };
}

/**
 * Names for files, by service id, in the order in which the services were made: their own where a file can say them, and
 * where no other service of the project had that name before.
 */
export function serviceNames(services: ReadonlyArray<{ id: string; name: string }>): Map<string, string> {
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const { id, name } of services) {
    const sayable = SERVICE_NAME.test(name) ? name : slug(name);
    const unique = taken.has(sayable) ? `${sayable.slice(0, 40)}-${slug(id)}` : sayable;
    taken.add(unique);
    names.set(id, unique);
  }
  return names;
}

function slug(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9_]+/g, '-')
    .replace(/^[-_]+|-+$/g, '');
  return plain.slice(0, 63) || 'service';
}
