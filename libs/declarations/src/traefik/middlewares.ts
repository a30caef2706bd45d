import type { AuthPolicy, IdentityProvider, RateLimit } from '#libs/tenants';
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
  /** Who signs the tokens that they ask for, beside the gateway. */
  readonly issuers: IdentityProvider[];
}

const LONGEST_WINDOW_SECONDS = 86_400;

/** @param gatewaySecret the secret that the gateway signs with. */
export function readMiddlewares(
  http: Section,
  projectId: string,
  gatewaySecret: string | undefined,
): Middlewares {
  const issuers: IdentityProvider[] = [];
  const effects = new Map<string, Effect | undefined>();
  for (const [name, middleware] of http.sections('middlewares')) {
    const readers: Record<string, (section: Section) => Effect | undefined> = {
      stripPrefix,
      addPrefix,
      headers,
      rateLimit,
      plugin: (section) => plugin(section, gatewaySecret, (secret) => issuerOf(issuers, projectId, secret)),
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
  return { effects, issuers };
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

function plugin(
  section: Section,
  gatewaySecret: string | undefined,
  issuer: (secret: string | { env: string }) => string,
): Effect | undefined {
  const jwt = section.section('jwt');
  section.finish();
  if (!jwt) return undefined;
  const secret = jwt.text('signingSecret');
  const variable = jwt.reading.source.variableAt([...jwt.path, 'signingSecret']);
  const claims = claimsOf(jwt.section('customClaims'));
  jwt.finish();
  if (secret === undefined || secret === '') {
    jwt.say('needs a signingSecret');
    return undefined;
  }
  if (variable === undefined)
    jwt.say('a secret stands in the file: write {{env `NAME`}}', 'warning', 'signingSecret');
  const own = secret === gatewaySecret;
  if (own && !claims)
    jwt.say('without customClaims the claim "project" must be the name of this file', 'info');
  const issuers = [own ? 'gateway' : issuer(variable === undefined ? secret : { env: variable })];
  return { auth: { jwt: true, issuers, ...(claims && { claims }) } };
}

/** One issuer for each secret. */
function issuerOf(issuers: IdentityProvider[], projectId: string, secret: string | { env: string }): string {
  const secrets = JSON.stringify([secret]);
  const known = issuers.find((each) => JSON.stringify((each as { secrets?: unknown }).secrets) === secrets);
  if (known) return known.issuer;
  const issuer = `${projectId}-${issuers.length + 1}`;
  issuers.push({ issuer, algorithms: ['HS256'], secrets: [secret] } as unknown as IdentityProvider);
  return issuer;
}

function claimsOf(section: Section | undefined): Record<string, string[]> | undefined {
  if (!section) return undefined;
  const entries = section.names.map((name) => {
    const value = section.raw(name);
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const usable =
      values.length > 0 && values.every((each) => ['string', 'number', 'boolean'].includes(typeof each));
    if (!usable) section.say('must be a list of texts', 'error', name);
    return [name, values.map(String)] as const;
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
