import { checkApiKeyFields, checkServiceFields, checkTenant, type AddressPolicy } from '#libs/tenants';
import type { FieldProblem } from '#libs/errors';
import { claimsOf } from './claims';
import type { Path, PlacedProblem } from './problem';
import type { Project } from './project';

/** What the check of services does not know; it is held by the format's own rules. */
const BEYOND_SERVICE_CHECK = ['balance', 'healthCheck', 'passive'];

/**
 * The checks that the admin API makes of each document, so that a file cannot declare what could not be stored.
 * @param addresses where upstream and JWKS URLs may point to; absent: not judged.
 */
export function checkProject(project: Project, addresses: AddressPolicy | undefined): PlacedProblem[] {
  const { tenant, services, apiKeys, places } = project;
  const problems: PlacedProblem[] = [];
  const add = (found: readonly FieldProblem[] | undefined, place: (field: Path) => Path): void => {
    for (const { field, message } of found ?? [])
      problems.push({ path: place(field === '' ? [] : field.split('.')), message, severity: 'error' });
  };
  const hasIssuer = tenant.idp !== undefined || 'idps' in tenant;

  add(checkTenant(tenant, addresses).problems, (field) => places.tenant(field));
  for (const [name, fields] of services) {
    const known = Object.entries(fields).filter(([field]) => !BEYOND_SERVICE_CHECK.includes(field));
    const document = { name, ...Object.fromEntries(known) };
    add(checkServiceFields(document, addresses, hasIssuer), (field) => places.service(name, field));
  }
  apiKeys.forEach(({ sha256: _, serviceId: _service, ...fields }, index) => {
    const document = { name: 'unnamed', ...fields };
    // At the beginning of time: a key that has expired is refused when it is used, and its file is served as before.
    add(checkApiKeyFields(document, 'create', 0), (field) => places.apiKey(index, field));
  });
  const claimed = new Set<string>();
  for (const { name, path, message } of claimsOf(project)) {
    if (claimed.has(name)) problems.push({ path, message: message('this file'), severity: 'error' });
    claimed.add(name);
  }
  return problems;
}
