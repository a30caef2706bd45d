import { RuleError, type Expression } from './rule';

/** What one published route takes. */
export interface Match {
  readonly path?: string;
  readonly hosts?: readonly string[];
  readonly methods?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** More routes than this from one rule were not meant. */
const MAX_MATCHES = 64;

/**
 * The routes that a rule stands for: what is joined by `||` becomes several, unless they differ in their hosts only.
 * @throws RuleError
 */
export function matchesOf(rule: Expression): Match[] {
  const found = alternatives(rule);
  if (found.length === 0) throw new RuleError('can never match: its parts exclude each other', 1);
  const merged = new Map<string, Match>();
  for (const match of found) {
    const { path, methods, headers, hosts } = match;
    const key = JSON.stringify([path, methods, headers, hosts === undefined]);
    const same = merged.get(key);
    const all = hosts && [...new Set([...(same?.hosts ?? []), ...hosts])];
    merged.set(key, all ? { ...match, hosts: all } : match);
  }
  return [...merged.values()];
}

function alternatives(rule: Expression): Match[] {
  if (rule.kind === 'matcher') return matcher(rule);
  const parts = rule.parts.map(alternatives);
  const joined =
    rule.kind === 'or'
      ? parts.flat()
      : parts.reduce((sofar, part) =>
          bounded(sofar.flatMap((left) => part.flatMap((right) => both(left, right)))),
        );
  return bounded(joined);
}

function bounded(matches: Match[]): Match[] {
  if (matches.length > MAX_MATCHES) throw new RuleError(`stands for more than ${MAX_MATCHES} routes`, 1);
  return matches;
}

function matcher({ name, values, at }: Extract<Expression, { kind: 'matcher' }>): Match[] {
  switch (name) {
    case 'PathPrefix':
      return values.map((path) => ({ path: pathOf(path, at) }));
    case 'Host':
      return [{ hosts: values.map((host) => host.toLowerCase()) }];
    case 'Method':
      return [{ methods: values.map((method) => method.toUpperCase()) }];
    case 'Header':
    case 'Headers': {
      const [field, value, ...more] = values;
      if (field === undefined || value === undefined || more.length > 0)
        throw new RuleError(`${name} needs a name and a value`, at);
      return [{ headers: { [field.toLowerCase()]: value } }];
    }
    case 'Path':
      throw new RuleError(
        'Path is not supported: a route takes everything below its path too, as PathPrefix',
        at,
      );
    default:
      throw new RuleError(`${name} is not supported`, at);
  }
}

function pathOf(path: string, at: number): string {
  if (!path.startsWith('/')) throw new RuleError('PathPrefix needs a path that begins with /', at);
  if (/[{}]/.test(path)) throw new RuleError('PathPrefix with a pattern is not supported', at);
  return path.length > 1 ? path.replace(/\/+$/, '') || '/' : path;
}

/** What satisfies both; nothing if they exclude each other. */
function both(left: Match, right: Match): Match[] {
  const path = deeper(left.path, right.path);
  const hosts = common(left.hosts, right.hosts);
  const methods = common(left.methods, right.methods);
  const headers = { ...left.headers, ...right.headers };
  const contradicted = Object.entries(left.headers ?? {}).some(([name, value]) => headers[name] !== value);
  if (path === null || hosts?.length === 0 || methods?.length === 0 || contradicted) return [];
  return [
    {
      ...(path !== undefined && { path }),
      ...(hosts && { hosts }),
      ...(methods && { methods }),
      ...(Object.keys(headers).length > 0 && { headers }),
    },
  ];
}

/** Null if neither lies below the other. */
function deeper(left: string | undefined, right: string | undefined): string | undefined | null {
  if (left === undefined || right === undefined) return left ?? right;
  if (isBelow(left, right)) return left;
  return isBelow(right, left) ? right : null;
}

/** Whether a path is another one, or lies below it. */
export function isBelow(path: string, prefix: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

function common(
  left: readonly string[] | undefined,
  right: readonly string[] | undefined,
): readonly string[] | undefined {
  if (!left || !right) return left ?? right;
  return left.filter((value) => right.includes(value));
}
