import type { AuthPolicy, RateLimit } from '#libs/tenants';
import type { Variables } from '../references';
import { readJwtPlugin, type Trust } from './jwt-plugin';
import type { Section } from './section';

/** What a middleware does to the requests of a router; one of the fields is there. */
export interface Effect {
  readonly strip?: readonly string[];
  readonly addPrefix?: string;
  readonly requestHeaders?: Readonly<Record<string, string>>;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly auth?: AuthPolicy;
  readonly rateLimit?: RateLimit;
}

/** What the middlewares of a file come to. */
export interface Middlewares {
  /** Undefined for one that cannot be used, which has been said. */
  readonly effects: Map<string, Effect | undefined>;
  readonly trust: Trust;
}

const LONGEST_WINDOW_SECONDS = 86_400;

export function readMiddlewares(http: Section, variables: Variables): Middlewares {
  const trust: Trust = { gateway: false, signers: [], places: [] };
  const effects = new Map<string, Effect | undefined>();
  for (const [name, middleware] of http.sections('middlewares')) {
    const readers: Record<string, (section: Section) => Effect | undefined> = {
      stripPrefix,
      addPrefix,
      headers,
      rateLimit,
      plugin: (section) => plugin(section, variables, trust),
    };
    const { names } = middleware;
    const [kind = ''] = names;
    if (names.length !== 1) {
      middleware.say('must be of one kind');
      effects.set(name, undefined);
      continue;
    }
    const read = Object.hasOwn(readers, kind) ? readers[kind] : undefined;
    const section = read && middleware.section(kind);
    effects.set(name, section && read?.(section));
    middleware.finish();
  }
  return { effects, trust };
}

function stripPrefix(section: Section): Effect | undefined {
  const prefixes = section.texts('prefixes');
  section.finish();
  if (prefixes === undefined || prefixes.length === 0) section.say('needs prefixes');
  const strip = prefixes?.map((prefix) => prefix.replace(/\/+$/, '') || '/');
  prefixes?.forEach((prefix, index) => {
    if (!prefix.startsWith('/')) section.say(`prefix ${index + 1} must begin with /`, 'error', 'prefixes');
  });
  return strip && { strip };
}

function addPrefix(section: Section): Effect | undefined {
  const prefix = section.text('prefix');
  section.finish();
  if (prefix === undefined || !prefix.startsWith('/')) section.say('needs a prefix that begins with /');
  return prefix === undefined ? undefined : { addPrefix: prefix };
}

function headers(section: Section): Effect {
  const requestHeaders = fields(section.section('customRequestHeaders'));
  const responseHeaders = fields(section.section('customResponseHeaders'));
  section.finish();
  return { ...(requestHeaders && { requestHeaders }), ...(responseHeaders && { responseHeaders }) };
}

function fields(section: Section | undefined): Record<string, string> | undefined {
  if (!section) return undefined;
  const entries = section.names.map((name) => {
    const value = section.raw(name);
    const usable = ['string', 'number', 'boolean'].includes(typeof value);
    if (!usable) section.say('must be a text', 'error', name);
    return [name, usable ? String(value) : ''] as const;
  });
  return Object.fromEntries(entries);
}

/** Traefik's bucket holds `burst` and gets `average` per `period`; ours is refilled evenly over whole seconds. */
function rateLimit(section: Section): Effect | undefined {
  const average = section.whole('average', 1);
  const period = section.seconds('period') ?? 1;
  const burst = section.whole('burst', 1) ?? 1;
  section.finish();
  if (average === undefined) {
    section.say('needs an average of at least 1');
    return undefined;
  }
  const perSecond = average / period;
  const windowSeconds = Math.max(1, Math.ceil(burst / perSecond));
  const maxRequests = Math.max(1, Math.round(perSecond * windowSeconds));
  if (windowSeconds > LONGEST_WINDOW_SECONDS) section.say('is slower than its burst can be kept');
  const bucket = `${maxRequests} requests at once, refilled over ${windowSeconds} s`;
  section.say(
    `becomes one bucket for all clients of the route, not one for each address: ${bucket}`,
    'warning',
  );
  return { rateLimit: { windowSeconds, maxRequests } };
}

function plugin(section: Section, variables: Variables, trust: Trust): Effect | undefined {
  const jwt = section.section('jwt');
  section.finish();
  return jwt && readJwtPlugin(jwt, variables, trust);
}
