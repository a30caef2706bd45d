import { GatewayError } from '#libs/errors';
import { Admission, ProxyTrust, RequestContext, type ArrivingRequest } from '#libs/guards';

export const HOST = ['Host', 'gateway.test'];

export interface Circumstances {
  proxies?: string[];
  maxBodyBytes?: number;
  remote?: string;
  encrypted?: boolean;
}

/** What admission makes of a request; by default the plainest there is, from a stranger on this machine. */
export function admit(request: Partial<ArrivingRequest>, circumstances: Circumstances = {}): RequestContext {
  const { proxies = [], maxBodyBytes = 0, remote = '127.0.0.1', encrypted = false } = circumstances;
  const context = new RequestContext(0);
  const trust = new ProxyTrust({ proxies, header: 'any' });
  const arriving = { method: 'GET', url: '/api/v1', httpVersion: '1.1', rawHeaders: HOST, ...request };
  new Admission(trust, { maxBodyBytes }).admit(arriving, trust.peer(remote, encrypted), context);
  return context;
}

/** @param headers name, value, name, value, … */
export const withHeaders = (...headers: string[]): Partial<ArrivingRequest> => ({
  rawHeaders: [...HOST, ...headers],
});

/** The headers that the upstream gets, as lines. */
export function linesOf({ upstreamHeaders }: RequestContext): string[] {
  return upstreamHeaders.flatMap((name, i) => (i % 2 === 0 ? [`${name}: ${upstreamHeaders[i + 1]}`] : []));
}

/** The same without those that the gateway adds to every request. */
export function sentOn(request: Partial<ArrivingRequest>, circumstances?: Circumstances): string[] {
  const lines = linesOf(admit(request, circumstances));
  return lines.filter((line) => !/^(?:X-Forwarded-(?:For|Proto|Host)|Forwarded|X-Request-Id):/.test(line));
}

/** Why a request is refused, or `admitted`. */
export function codeOf(request: Partial<ArrivingRequest>, circumstances?: Circumstances): string {
  try {
    admit(request, circumstances);
  } catch (error) {
    if (error instanceof GatewayError) return error.code;
    throw error;
  }
  return 'admitted';
}
