import type { PublishedRouteRule } from '#libs/publications';
import type { ApiKeyFields, ServiceFields, Tenant } from '#libs/tenants';
import type { Path } from './problem';

/** An API key as a file declares it: by its hash. `serviceId` is the name of a service of the same file. */
export interface DeclaredApiKey extends Partial<Omit<ApiKeyFields, 'mode'>> {
  sha256: string;
}

/**
 * What a file says, in either format, before it is checked as a whole. Services are called by the names that they have
 * in the file.
 */
export interface Project {
  readonly tenant: Tenant;
  readonly services: ReadonlyMap<string, Omit<ServiceFields, 'name'>>;
  readonly routes: readonly PublishedRouteRule[];
  readonly apiKeys: readonly DeclaredApiKey[];
  /** Where in the file the fields of the documents come from. */
  readonly places: Places;
}

/** From a field of a document (its path, split) to where the file says it. */
export interface Places {
  tenant(field: Path): Path;
  service(name: string, field: Path): Path;
  route(index: number, field: Path): Path;
  apiKey(index: number, field: Path): Path;
}

/** Names of services in files: no dots, so that `{project}.{name}` can be taken apart. */
export const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;
export const SERVICE_NAME_RULE =
  'must be 1 to 63 letters, digits, dashes or underscores, starting with a letter or digit';

/** The id under which a declared service is stored. */
export function declaredServiceId(projectId: string, name: string): string {
  return `${projectId}.${name}`;
}
