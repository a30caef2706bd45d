import { normalPath } from './normal-path';

/** A rule's path as it is compared: `/v1/users/` and `/v1/users/*` mean `/v1/users`. */
export function routePath(path: string): string {
  const prefix = normalPath(path.replace(/\/\*$/, '/'));
  return prefix.length > 1 && prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
}
