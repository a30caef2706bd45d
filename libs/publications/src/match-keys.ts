import { routePath } from '#libs/tenants';
import type { PublishedRouteRule } from './publication';

/** Methods that a rule names, with HEAD wherever there is GET; undefined for any. */
export function methodsOf({ methods }: Pick<PublishedRouteRule, 'methods'>): ReadonlySet<string> | undefined {
  return methods && new Set(methods.includes('GET') ? [...methods, 'HEAD'] : methods);
}

/**
 * What a rule takes, one text for each host and method: two rules with a text in common would both be meant. The path is
 * in its normal form, so that however it is written it is the same.
 */
export function matchKeys(rule: PublishedRouteRule): string[] {
  const headers = Object.entries(rule.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  headers.sort(([one = ''], [other = '']) => (one < other ? -1 : 1));
  const asked = headers.length > 0 ? ` ${JSON.stringify(headers)}` : '';
  const path = routePath(rule.path);
  return (rule.hosts ?? ['*']).flatMap((host) =>
    [...(methodsOf(rule) ?? ['*'])].map((method) => `${host} ${method} ${path}${asked}`),
  );
}
