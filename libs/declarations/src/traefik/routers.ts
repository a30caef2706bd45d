import type { PublishedBackend, PublishedRouteRule } from '#libs/publications';
import { isBelow, matchesOf, type Match } from './matches';
import type { Effect, Middlewares } from './middlewares';
import { RuleError, parseRule } from './rule';
import { referredName, type Section } from './section';
import type { Services } from './services';

/** A route, and the router that it comes from. */
export interface RouterRoute {
  readonly router: Section;
  readonly priority: number | undefined;
  readonly route: PublishedRouteRule;
}

const ROUTER_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function readRouters(http: Section, services: Services, middlewares: Middlewares): RouterRoute[] {
  const routes = [...http.sections('routers')].flatMap(([name, router]) => {
    if (!ROUTER_NAME.test(name))
      router.say('must be named by 1 to 64 letters, digits, dots, dashes or underscores');
    return readRouter(name, router, services, middlewares);
  });
  checkPriorities(routes);
  return routes;
}

function readRouter(
  name: string,
  router: Section,
  services: Services,
  middlewares: Middlewares,
): RouterRoute[] {
  const matches = readRule(router);
  const backends = readBackends(router, services);
  const effects = readChain(router, middlewares);
  const priority = router.whole('priority', 0);
  saySettingsOfListeners(router);
  router.finish();
  return matches.map((match, index) => {
    const path = match.path ?? '/';
    const route: PublishedRouteRule = {
      name: index === 0 ? name : `${name}-${index + 1}`,
      path,
      ...(match.hosts && { hosts: [...match.hosts] }),
      ...(match.methods && { methods: [...match.methods] }),
      ...(match.headers && { headers: { ...match.headers } }),
      backends,
      ...applied(effects, path, router),
    };
    return { router, priority: priority === 0 ? undefined : priority, route };
  });
}

function readRule(router: Section): Match[] {
  const rule = router.text('rule');
  const syntax = router.text('ruleSyntax');
  if (syntax !== undefined && syntax !== 'v2' && syntax !== 'v3')
    router.say('must be v2 or v3', 'error', 'ruleSyntax');
  if (rule === undefined) {
    router.say('needs a rule');
    return [];
  }
  try {
    const matches = matchesOf(parseRule(rule));
    const paths = [...new Set(matches.flatMap(({ path }) => path ?? []))].filter((path) => path !== '/');
    if (paths.length > 0) {
      const example = `${paths.join(', ')} is compared in whole segments: ${paths[0]}x is another path`;
      router.say(example, 'info', 'rule');
    }
    return matches;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    router.say(error.message, 'error', 'rule');
    return [];
  }
}

function readBackends(router: Section, services: Services): PublishedBackend[] {
  const reference = router.text('service');
  if (reference === undefined) {
    router.say('needs a service');
    return [];
  }
  const name = referredName(reference);
  if (name !== undefined && services.balanced.has(name)) return [{ service: name }];
  const weighted = name === undefined ? undefined : services.weighted.get(name);
  if (!weighted) router.say(`there is no service called "${reference}" in this file`, 'error', 'service');
  return weighted ?? [];
}

function readChain(router: Section, { effects }: Middlewares): Effect[] {
  return (router.texts('middlewares') ?? []).flatMap((reference) => {
    const name = referredName(reference);
    if (name === undefined || !effects.has(name)) {
      router.say(`there is no middleware called "${reference}" in this file`, 'error', 'middlewares');
      return [];
    }
    const effect = effects.get(name);
    return effect ? [effect] : [];
  });
}

/** What belongs to the listeners, which are the gateway's. */
function saySettingsOfListeners(router: Section): void {
  const entryPoints = router.texts('entryPoints');
  if (entryPoints && entryPoints.length > 0) {
    const names = entryPoints.join(', ');
    router.say(`${names}: ignored, every listener of the gateway serves every route`, 'info', 'entryPoints');
  }
  const tls = router.raw('tls');
  if (tls === undefined) return;
  if (tls !== null && typeof tls === 'object' && !Array.isArray(tls)) {
    const section = router.section('tls');
    for (const name of ['certResolver', 'domains']) section?.raw(name);
    // Options may demand client certificates: ignoring them could open what was closed.
    section?.finish();
  }
  router.say('ignored: TLS is a matter of the gateway’s listeners', 'info', 'tls');
}

/** What a chain comes to for one path. The order counts where one thing is done after another. */
function applied(effects: readonly Effect[], path: string, router: Section): Partial<PublishedRouteRule> {
  const result: Partial<PublishedRouteRule> = {};
  const once = (field: 'auth' | 'rateLimit' | 'addPrefix' | 'strip', taken: boolean): void => {
    if (taken) router.say(`more than one middleware for ${field} is not supported`, 'error', 'middlewares');
  };
  let stripped = false;
  for (const effect of effects) {
    const { auth, rateLimit, addPrefix, strip, requestHeaders, responseHeaders } = effect;
    if (auth) {
      once('auth', result.auth !== undefined);
      result.auth = auth;
    }
    if (rateLimit) {
      once('rateLimit', result.rateLimit !== undefined);
      result.rateLimit = rateLimit;
    }
    if (strip) {
      once('strip', stripped);
      stripped = true;
      if (result.addPrefix !== undefined)
        router.say('stripPrefix after addPrefix is not supported', 'error', 'middlewares');
      const prefix = strippedFrom(path, strip, router);
      if (prefix !== undefined) result.stripPrefix = prefix === path ? true : prefix;
    }
    if (addPrefix !== undefined) {
      once('addPrefix', result.addPrefix !== undefined);
      result.addPrefix = addPrefix;
    }
    if (requestHeaders) result.requestHeaders = { ...result.requestHeaders, ...requestHeaders };
    if (responseHeaders) result.responseHeaders = { ...result.responseHeaders, ...responseHeaders };
  }
  return result;
}

/** The first prefix that fits is removed, which must be the same one for every path of the route. */
function strippedFrom(path: string, prefixes: readonly string[], router: Section): string | undefined {
  for (const prefix of prefixes) {
    if (isBelow(path, prefix)) return prefix;
    if (isBelow(prefix, path)) {
      router.say(
        `stripping ${prefix} from some paths below ${path} is not supported`,
        'error',
        'middlewares',
      );
      return undefined;
    }
  }
  router.say(`stripPrefix removes nothing from ${path}`, 'info', 'middlewares');
  return undefined;
}

/** The deeper path wins here, always. A priority that says otherwise must not be ignored. */
function checkPriorities(routes: readonly RouterRoute[]): void {
  for (const { router, priority, route } of routes) {
    for (const other of routes) {
      if (other.router === router || (priority === undefined && other.priority === undefined)) continue;
      const shadows =
        route.path !== other.route.path &&
        isBelow(other.route.path, route.path) &&
        overlaps(route, other.route);
      if (!shadows || rank(router, priority) <= rank(other.router, other.priority)) continue;
      const name = other.router.path.at(-1);
      router.say(
        `would take requests from "${name}", whose path is deeper: here the deeper path always wins`,
        'error',
        priority === undefined ? undefined : 'priority',
      );
    }
  }
}

/** Without a priority, Traefik takes the length of the rule. */
function rank(router: Section, priority: number | undefined): number {
  return priority ?? router.text('rule')?.length ?? 0;
}

function overlaps(left: PublishedRouteRule, right: PublishedRouteRule): boolean {
  const meet = (one: string[] | undefined, other: string[] | undefined): boolean =>
    !one || !other || one.some((value) => other.includes(value));
  return meet(left.hosts, right.hosts) && meet(left.methods, right.methods);
}
