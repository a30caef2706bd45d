import type { z } from 'zod';
import type { PublishedRouteRule } from '#libs/publications';
import type { IdentityProvider, ServiceFields, Tenant } from '#libs/tenants';
import { KeptSecrets, isKept, type KeptSecret } from '../kept-secrets';
import type { Path, PlacedProblem } from '../problem';
import type { DeclaredApiKey, Places, Project } from '../project';
import { secretIn } from '../references';
import type { Source } from '../source';
import { projectFile, type ProjectFile } from './project-schema';

type Say = (path: Path, message: string, severity?: PlacedProblem['severity'], atKey?: boolean) => void;
type FileService = NonNullable<ProjectFile['services']>[string];
type FileRoute = NonNullable<ProjectFile['routes']>[number];

/** Reads a file in Gatehouse's own format. @param kept of secrets that it may leave out; undefined: it may not. */
export function readOwnFormat(
  source: Source,
  problems: PlacedProblem[],
  kept: KeptSecrets | undefined,
): Project | undefined {
  const say: Say = (path, message, severity = 'error', atKey = false) =>
    void problems.push({ path, message, severity, atKey });
  const parsed = projectFile.safeParse(source.value);
  if (!parsed.success) {
    // A value of the wrong type may be too short as well: the first fault of a field is the one to mend.
    const first = new Map(
      parsed.error.issues.toReversed().map((issue) => [JSON.stringify(issue.path), issue]),
    );
    [...first.values()].forEach((issue) => sayIssue(issue, [], say));
    return undefined;
  }
  const file = parsed.data;
  const services = new Map(
    Object.entries(file.services ?? {}).map(([name, service]) => [name, serviceOf(name, service, say)]),
  );
  const known = (name: string, path: Path): void => {
    if (!services.has(name)) say(path, `there is no service called "${name}" in this file`);
  };
  const routes = (file.routes ?? []).map((route, index) => routeOf(route, ['routes', index], known, say));
  const apiKeys = (file.apiKeys ?? []).map(({ service, ...fields }, index): DeclaredApiKey => {
    if (service !== undefined) known(service, ['apiKeys', index, 'service']);
    return { ...fields, ...(service !== undefined && { serviceId: service }) };
  });
  const tenant = tenantOf(file, services, secretsIn(source, say, kept));
  return { tenant, services, routes, apiKeys, places: placesIn(file) };
}

function tenantOf(file: ProjectFile, services: Project['services'], { say, referred }: Secrets): Tenant {
  const { project, apiRoutes = [] } = file;
  const { idp, idps, upstreamBaseUrl, signatureKeys, ...rest } = project;
  const upstream = upstreamBaseUrl ?? [...services.values()][0]?.targets[0]?.url;
  if (upstream === undefined) say(['project'], 'needs an upstreamBaseUrl, or a service');
  const withSecrets = (provider: NonNullable<typeof idp>, path: Path): IdentityProvider => {
    const { introspection, secrets: written, ...others } = provider;
    const secrets = written?.map((each, index) => referred(each, [...path, 'secrets', index]));
    const asked = introspection && {
      ...introspection,
      clientSecret: referred(introspection.clientSecret, [...path, 'introspection', 'clientSecret']),
    };
    return {
      ...others,
      ...(secrets && { secrets }),
      ...(asked && { introspection: asked }),
    };
  };
  return {
    ...rest,
    name: project.name ?? project.id,
    upstreamBaseUrl: upstream ?? '',
    allowedRoutes: apiRoutes,
    ...(signatureKeys && {
      signatureKeys: Object.fromEntries(
        Object.entries(signatureKeys).map(([id, { secret }]) => {
          const path = ['project', 'signatureKeys', id, 'secret'];
          return [id, { secret: referred(secret, path) }];
        }),
      ),
    }),
    ...(idp && { idp: withSecrets(idp, ['project', 'idp']) }),
    ...(idps && { idps: idps.map((each, index) => withSecrets(each, ['project', 'idps', index])) }),
  };
}

type FileSecret = string | { env: string } | KeptSecret;

interface Secrets {
  readonly say: Say;
  /** A secret as the document of the tenant has it. */
  readonly referred: (secret: FileSecret, path: Path) => string | { env: string };
}

function secretsIn(source: Source, say: Say, kept: KeptSecrets | undefined): Secrets {
  return {
    say,
    referred(secret, path) {
      const variable = source.variableAt(path);
      if (typeof secret === 'string') {
        if (variable === undefined) say(path, 'a secret stands in the file: write {{env "NAME"}}', 'warning');
        return secretIn(secret, variable);
      }
      if (!isKept(secret)) return secret;
      if (!kept)
        say(
          path,
          'was left out by config export: write {{env "NAME"}}; only config apply keeps what is stored',
        );
      return (kept ?? new KeptSecrets()).standIn(secret);
    },
  };
}

function serviceOf(
  name: string,
  { url, targets, ...rest }: FileService,
  say: Say,
): Omit<ServiceFields, 'name'> {
  const path = ['services', name];
  if ((url === undefined) === (targets === undefined))
    say(path, 'needs either url or targets', 'error', true);
  return { ...rest, targets: targets ?? [{ url: url ?? '' }] };
}

function routeOf(
  { service, backends, ...rest }: FileRoute,
  path: Path,
  known: (name: string, path: Path) => void,
  say: Say,
): PublishedRouteRule {
  if ((service === undefined) === (backends === undefined)) say(path, 'needs either service or backends');
  if (service !== undefined) known(service, [...path, 'service']);
  if (rest.mirror?.service !== undefined) known(rest.mirror.service, [...path, 'mirror', 'service']);
  backends?.forEach((backend, index) => known(backend.service, [...path, 'backends', index, 'service']));
  return { ...rest, backends: backends ?? [{ service: service ?? '' }] };
}

function placesIn(file: ProjectFile): Places {
  const derived = file.project.upstreamBaseUrl === undefined;
  return {
    tenant: ([first, ...below]) => {
      if (first === 'allowedRoutes') return ['apiRoutes', ...below];
      if (first === 'upstreamBaseUrl' && derived) return ['services'];
      return first === undefined ? ['project'] : ['project', first, ...below];
    },
    service: (name, field) => {
      const single = file.services?.[name]?.url !== undefined && field[0] === 'targets';
      return ['services', name, ...(single ? ['url'] : field)];
    },
    route: (index, field) => {
      const single = file.routes?.[index]?.service !== undefined && field[0] === 'backends';
      return ['routes', index, ...(single ? ['service'] : field)];
    },
    apiKey: (index, [first, ...below]) => {
      const name = first === 'serviceId' ? 'service' : first;
      return ['apiKeys', index, ...(name === undefined ? [] : [name, ...below])];
    },
  };
}

/** One line per fault: zod tells several unknown names in one issue, and of a union all its branches. */
function sayIssue(issue: z.core.$ZodIssue, above: Path, say: Say): void {
  const path = [...above, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) say([...path, key], adviceOn(key) ?? 'is not a known field', 'error', true);
  } else if (issue.code === 'invalid_key') {
    say(path, issue.issues[0]?.message ?? 'is no name', 'error', true);
  } else {
    say(path, phrased(issue));
  }
}

function phrased(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') {
    // Issues do not carry the value, lest somebody print it.
    return /received undefined$/.test(issue.message)
      ? 'is missing'
      : `must be ${TYPES[issue.expected] ?? issue.expected}`;
  }
  if (issue.code === 'invalid_union') return 'is none of the forms that are allowed here';
  if (issue.code === 'too_small') return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
  if (issue.code === 'too_big') return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
  return issue.message;
}

const TYPES: Record<string, string> = {
  string: 'a text (quote it if it looks like a number)',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function unitOf(origin: string): string {
  return origin === 'string' ? ' character(s) long' : origin === 'array' ? ' entry long' : '';
}

function adviceOn(key: string): string | undefined {
  return ['key', 'apiKey', 'plain', 'secret', 'value'].includes(key)
    ? 'is not a known field: keys do not belong into files; write sha256, the SHA-256 of the key in lower-case hex (printf %s KEY | sha256sum)'
    : undefined;
}
