import type { Command } from 'commander';
import type { Document } from '../admin-api';
import { misuse } from '../failure';
import { rateLimit, routes } from '../flags';

/** What of a tenant can be said without a file. */
export interface TenantFlags {
  file?: string;
  name?: string;
  upstream?: string;
  route?: object[];
  rateLimit?: object;
  /** Undefined when neither `--jwt` nor `--no-jwt` is given. */
  jwt?: boolean;
  issuer?: string;
  jwks?: string;
  audience?: string;
}

export function withTenantFlags(command: Command): Command {
  return command
    .option('--file <file>', 'JSON or YAML of the tenant, - for stdin; flags say more than it')
    .option('--name <name>', 'name for people')
    .option('--upstream <url>', 'where requests are forwarded to')
    .option('--route <route>', 'a route, such as /v1 or "GET,POST /v1"; may be repeated', routes)
    .option('--rate-limit <requests/seconds>', 'such as 100/60', rateLimit)
    .option('--jwt', 'requests need a bearer token')
    .option('--no-jwt', 'requests need no bearer token')
    .option('--issuer <issuer>', 'identity provider: iss of its tokens')
    .option('--jwks <url>', 'identity provider: where its keys are')
    .option('--audience <audience>', 'identity provider: aud of its tokens');
}

/**
 * The document of a file, with what the flags say.
 * @throws Failure if a part of the document cannot take a flag
 */
export function documentOf(file: Document, flags: TenantFlags): Document {
  const { name, upstream, route, rateLimit: limit, jwt, issuer, jwks, audience } = flags;
  const idp = defined({ issuer, jwksUri: jwks, audience });
  return defined({
    ...file,
    name: name ?? file.name,
    upstreamBaseUrl: upstream ?? file.upstreamBaseUrl,
    allowedRoutes: route ?? file.allowedRoutes,
    rateLimit: limit ?? file.rateLimit,
    auth: jwt === undefined ? file.auth : { ...part(file, 'auth'), jwt },
    idp: Object.keys(idp).length === 0 ? file.idp : { ...part(file, 'idp'), ...idp },
  });
}

function part(file: Document, name: string): object {
  const value = file[name] ?? {};
  if (typeof value === 'object') return value;
  throw misuse(`${name} in the file must be an object`);
}

function defined(document: Document): Document {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}
