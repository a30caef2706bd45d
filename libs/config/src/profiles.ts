import { objectionToSecret } from './token-secrets';
import type { SettingValues } from './settings';
import { upstreamAddress } from './upstream-address';

/** What CENTRAL_API_URL and the variables beside it say. */
export interface RegionalEdge {
  readonly centralApiUrl: string;
  readonly region: string;
  /** Undefined: what is forwarded is not signed. */
  readonly hmacSecret: string | undefined;
  readonly maxRetries: number;
  readonly timeoutMs: number;
}

/** Gateways that are configured by variables alone. */
export interface Profiles {
  readonly regionalEdge: RegionalEdge | undefined;
  /** URLs by name. */
  readonly backendServices: ReadonlyMap<string, string> | undefined;
  readonly perMinute: number;
  readonly perMinuteAndIp: number;
}

/** Ids of the tenants that the variables declare. */
export const PROFILE_TENANTS = {
  regionalEdge: 'regional-edge',
  backendServices: 'backend-services',
} as const;

/** The documented ports. */
const EDGE_PORT = 8002;
const BACKENDS_PORT = 8000;

/** Reads the profiles; what does not fit together becomes one line each. */
export function profilesOf(values: SettingValues, production: boolean, problems: string[]): Profiles {
  const { CENTRAL_API_URL: centralApiUrl, BACKEND_SERVICES: services, HMAC_SECRET: secret } = values;
  const signs = values.ENABLE_HMAC_SIGNING;
  if (signs && secret === undefined) problems.push('ENABLE_HMAC_SIGNING needs HMAC_SECRET');
  const objection = production && secret !== undefined ? objectionToSecret(secret) : undefined;
  if (objection !== undefined) problems.push(`HMAC_SECRET ${objection}`);
  const signed = values.JWT_SECRET_KEY ?? values.GATEWAY_JWT_SECRET ?? values.GATEWAY_JWT_PRIVATE_KEY_FILE;
  if (services && signed === undefined)
    problems.push('BACKEND_SERVICES needs JWT_SECRET_KEY: its services are for those who bring a token');
  return Object.freeze({
    regionalEdge:
      centralApiUrl === undefined
        ? undefined
        : {
            centralApiUrl,
            region: values.GATEWAY_REGION,
            hmacSecret: signs ? secret : undefined,
            maxRetries: values.MAX_RETRIES,
            timeoutMs: values.TIMEOUT_SECONDS * 1000,
          },
    backendServices: services,
    perMinute: values.RATE_LIMIT_PER_MIN,
    perMinuteAndIp: values.RATE_LIMIT_PER_IP,
  });
}

/** The port that a profile is documented with; undefined without one. */
export function profilePort({ regionalEdge, backendServices }: Profiles): number | undefined {
  return regionalEdge ? EDGE_PORT : backendServices && BACKENDS_PORT;
}

/** Hosts that the operator has named as upstreams: wherever they are, they are meant. */
export function profileHosts({ regionalEdge, backendServices }: Profiles): string[] {
  const urls = [...(regionalEdge ? [regionalEdge.centralApiUrl] : []), ...(backendServices?.values() ?? [])];
  return urls.flatMap((url) => upstreamAddress(url)?.url.hostname ?? []);
}
