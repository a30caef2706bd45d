import type { FieldProblem } from '#libs/errors';
import { checkPublication } from '#libs/publications';
import {
  checkApiKeyFields,
  checkIssuers,
  checkKeyNames,
  checkServiceFields,
  checkTenant,
  usableIssuers,
  weakSignatureKeys,
  type AddressPolicy,
} from '#libs/tenants';
import { claimsOf } from './claims';
import type { Path, PlacedProblem } from './problem';
import type { Project } from './project';

/**
 * The checks that the admin API makes of each document, so that a file cannot declare what could not be stored.
 * @param addresses where upstream and JWKS URLs may point to; absent: not judged.
 * @param ownTokens whether the gateway has keys for tokens of its own.
 */
export function checkProject(
  project: Project,
  addresses: AddressPolicy | undefined,
  ownTokens: boolean,
): PlacedProblem[] {
  const { tenant, services, routes, apiKeys, places } = project;
  const problems: PlacedProblem[] = [];
  const add = (found: readonly FieldProblem[] | undefined, place: (field: Path) => Path): void => {
    for (const { field, message } of found ?? [])
      problems.push({ path: place(field === '' ? [] : field.split('.')), message, severity: 'error' });
  };
  add(checkTenant(tenant, addresses, ownTokens).problems, (field) => places.tenant(field));
  add(weakSignatureKeys(tenant.signatureKeys), (field) => places.tenant(field));
  const issuers = usableIssuers(tenant, ownTokens);
  for (const [name, fields] of services)
    add(checkServiceFields({ name, ...fields }, addresses, issuers), (field) => places.service(name, field));
  add(
    checkPublication({ tenantId: tenant.id, routes: [...routes] }, addresses).problems,
    ([, index, ...field]) => (index === undefined ? ['routes'] : places.route(Number(index), field)),
  );
  for (const [name, fields] of services)
    add(checkKeyNames(fields, tenant.signatureKeys), (field) => places.service(name, field));
  routes.forEach((route, index) => {
    add(checkIssuers(route.auth, issuers), (field) => places.route(index, field));
    add(checkKeyNames(route, tenant.signatureKeys), (field) => places.route(index, field));
  });
  apiKeys.forEach(({ sha256: _, serviceId: _service, ...fields }, index) => {
    const document = { name: 'unnamed', ...fields };
    // At the beginning of time: a key that has expired is refused when it is used, and its file is served as before.
    add(checkApiKeyFields(document, 'create', 0), (field) => places.apiKey(index, field));
  });
  const claimed = new Set<string>();
  // Routes among themselves are the publication's business.
  for (const { name, path, message } of claimsOf({ ...project, routes: [] })) {
    if (claimed.has(name)) problems.push({ path, message: message('this file'), severity: 'error' });
    claimed.add(name);
  }
  return problems;
}
