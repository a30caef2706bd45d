import type { Tenant } from '#libs/tenants';
import type { Path, PlacedProblem } from '../problem';
import type { Project } from '../project';
import type { Variables } from '../references';
import type { Source } from '../source';
import { readMiddlewares } from './middlewares';
import { readRouters, type RouterRoute } from './routers';
import { Section } from './section';
import { readServices } from './services';

/**
 * Reads a file in Traefik's dynamic format, as far as it is offered. Every key that is not is named, so that nothing
 * that a file asks for is left out in silence.
 * @param id of the project: the name of the file.
 */
export function readDynamicConfig(
  id: string,
  source: Source,
  variables: Variables,
  problems: PlacedProblem[],
): Project | undefined {
  const top = new Section(source.value, [], { source, problems });
  const http = top.section('http');
  if (!http) return undefined;
  const services = readServices(http);
  const middlewares = readMiddlewares(http, variables);
  const routes = readRouters(http, services, middlewares);
  http.finish();
  top.finish();

  const first = [...services.balanced.values()][0];
  if (!first) http.say('needs a service with a loadBalancer');
  const { gateway, signers, places } = middlewares.trust;
  // The tokens of the gateway are taken for granted only where nobody else signs any.
  const tenant: Tenant & { idps?: object[]; serviceTokens?: boolean } = {
    id,
    name: id,
    upstreamBaseUrl: first?.targets[0]?.url ?? '',
    allowedRoutes: [],
    ...(signers.length > 0 && { idps: signers, ...(gateway && { serviceTokens: true }) }),
  };
  return {
    tenant,
    services: services.balanced,
    routes: routes.map(({ route }) => route),
    apiKeys: [],
    places: placesIn(routes, places),
  };
}

/** @param signers where the secrets of the identity providers stand. */
function placesIn(routes: readonly RouterRoute[], signers: readonly Path[]): Project['places'] {
  const service = (name: string, [field, index, ...below]: Path): Path => {
    const path = ['http', 'services', name, 'loadBalancer'];
    if (field !== 'targets') return field === undefined ? path : [...path, field];
    return index === undefined ? [...path, 'servers'] : [...path, 'servers', index, ...below];
  };
  return {
    tenant: ([field, index]) => {
      if (field === 'idps') return signers[Number(index)] ?? ['http', 'middlewares'];
      return field === 'upstreamBaseUrl' ? ['http', 'services'] : [];
    },
    service,
    route: (index, [field]) => {
      const router = routes[index]?.router.path ?? [];
      if (field === 'backends') return [...router, 'service'];
      return ['path', 'hosts', 'methods', 'headers'].includes(String(field)) ? [...router, 'rule'] : router;
    },
    apiKey: () => [],
  };
}
