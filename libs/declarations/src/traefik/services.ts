import { upstreamAddress } from '#libs/config';
import type { PublishedBackend } from '#libs/publications';
import type { HealthCheck, ServiceFields, ServiceTarget } from '#libs/tenants';
import { SERVICE_NAME, SERVICE_NAME_RULE } from '../project';
import { referredName, type Section } from './section';

type Fields = Omit<ServiceFields, 'name'>;

/** The services of a file: those with servers, and those that divide requests between others. */
export interface Services {
  readonly balanced: Map<string, Fields>;
  readonly weighted: Map<string, PublishedBackend[]>;
}

export function readServices(http: Section): Services {
  const services: Services = { balanced: new Map(), weighted: new Map() };
  const sections = http.sections('services');
  for (const [name, service] of sections) {
    if (!SERVICE_NAME.test(name)) service.say(SERVICE_NAME_RULE);
    const balancer = service.section('loadBalancer');
    const weighted = service.section('weighted');
    service.finish();
    if (balancer && weighted) service.say('is either a loadBalancer or weighted');
    else if (balancer) services.balanced.set(name, readBalancer(balancer));
    else if (weighted) services.weighted.set(name, readWeighted(weighted, sections));
    else service.say('needs a loadBalancer or weighted');
  }
  return services;
}

function readBalancer(balancer: Section): Fields {
  const targets = balancer.items('servers').map(readServer);
  if (targets.length === 0) balancer.say('needs servers');
  const passHost = balancer.raw('passHostHeader');
  if (passHost !== undefined && passHost !== false) {
    const why =
      'is not supported: the upstream gets its own name as Host, and the client’s in X-Forwarded-Host';
    balancer.say(why, 'error', 'passHostHeader');
  } else if (passHost === undefined) {
    balancer.say('the upstream gets its own name as Host, as with passHostHeader: false', 'info');
  }
  const strategy = balancer.text('strategy');
  if (strategy !== undefined && strategy !== 'wrr')
    balancer.say('is not supported: only wrr is', 'error', 'strategy');
  const checked = balancer.section('healthCheck');
  const healthCheck = checked && readHealthCheck(checked);
  balancer.finish();
  return { targets, ...(healthCheck && { healthCheck }) };
}

function readServer(server: Section): ServiceTarget {
  const url = server.text('url');
  const weight = server.whole('weight', 1);
  server.finish();
  if (url === undefined) server.say('needs a url');
  else if ((upstreamAddress(url)?.url.pathname ?? '/') !== '/')
    server.say('the path of the URL goes before every path that is forwarded', 'info', 'url');
  return { url: url ?? '', ...(weight !== undefined && { weight }) };
}

function readHealthCheck(check: Section): HealthCheck {
  const path = check.text('path');
  const interval = check.seconds('interval') ?? 30;
  const timeout = check.seconds('timeout') ?? 5;
  const host = check.text('hostname');
  const expectStatus = check.whole('status', 100);
  const method = check.text('method');
  if (method !== undefined && method !== 'GET') check.say('is not supported: GET is sent', 'error', 'method');
  check.finish();
  if (path === undefined) check.say('needs a path');
  return {
    path: path ?? '/',
    intervalSeconds: Math.max(1, Math.round(interval)),
    timeoutMs: Math.max(1, Math.round(timeout * 1000)),
    // Traefik believes every single answer.
    healthyAfter: 1,
    unhealthyAfter: 1,
    ...(expectStatus !== undefined && { expectStatus }),
    ...(host !== undefined && { host }),
  };
}

function readWeighted(weighted: Section, sections: ReadonlyMap<string, Section>): PublishedBackend[] {
  const parts = weighted.items('services');
  if (parts.length === 0) weighted.say('needs services');
  const backends = parts.flatMap((part) => {
    const reference = part.text('name');
    const weight = part.whole('weight', 0) ?? 1;
    part.finish();
    const name = reference === undefined ? undefined : referredName(reference);
    if (name === undefined || !sections.has(name)) {
      part.say('must be a service of this file', 'error', 'name');
      return [];
    }
    if (sections.get(name)?.has('weighted')) {
      part.say('is weighted itself, which is not supported', 'error', 'name');
      return [];
    }
    return [{ service: name, weight }];
  });
  weighted.finish();
  return backends;
}
