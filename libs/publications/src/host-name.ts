const PLAIN = /^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/;
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const MAX_LENGTH = 253;

/** The name in an admitted `Host` as it is compared: lower case, without port and without a dot at the end. */
export function hostName(host: string): string {
  if (PLAIN.test(host)) return host;
  return host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

/** Whether a route may be published for it: a name in lower case without port, `*` only as the whole first label. */
export function isRouteHost(host: unknown): host is string {
  if (typeof host !== 'string' || host.length > MAX_LENGTH) return false;
  const labels = host.split('.');
  if (labels[0] === '*') return labels.length > 2 && labels.slice(1).every((label) => LABEL.test(label));
  return labels.every((label) => LABEL.test(label));
}
