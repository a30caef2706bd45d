import { profilesOf, type Profiles } from './profiles';
import type { SettingValues } from './settings';

/** Whose word about the address of a client counts. */
export interface ClientAddressConfig {
  /** Addresses, CIDR blocks and the names that proxy-addr knows. */
  readonly proxies: readonly string[];
  /** Hops that are believed at most; undefined: as many as are among the proxies. */
  readonly hops?: number;
  readonly header: SettingValues['CLIENT_ADDRESS_HEADER'];
}

/** Who is let in, and what the gateway is as a whole. */
export interface EdgeConfig {
  readonly clientAddress: ClientAddressConfig;
  readonly proxyProtocol: SettingValues['PROXY_PROTOCOL'];
  /** HTTP/2 without TLS is taken on the plain port. */
  readonly http2Cleartext: boolean;
  /** Gateway-wide lists of client addresses; undefined: any, and none. */
  readonly ipAllowlist?: readonly string[];
  readonly ipDenylist?: readonly string[];
  readonly profiles: Profiles;
  readonly metricsPublic: boolean;
}

/** What does not fit together becomes one line each. */
export function edgeConfig(values: SettingValues, production: boolean, problems: string[]): EdgeConfig {
  const profiles = profilesOf(values, production, problems);
  if (['accept', 'require'].includes(values.PROXY_PROTOCOL) && !values.TRUSTED_PROXIES)
    problems.push('PROXY_PROTOCOL needs TRUSTED_PROXIES: whose word about the client is taken');
  return {
    clientAddress: Object.freeze({
      proxies: values.TRUSTED_PROXIES ?? [],
      hops: values.TRUSTED_PROXY_HOPS,
      header: values.CLIENT_ADDRESS_HEADER,
    }),
    proxyProtocol: values.PROXY_PROTOCOL,
    http2Cleartext: values.HTTP2_CLEARTEXT,
    ipAllowlist: values.IP_ALLOWLIST,
    ipDenylist: values.IP_DENYLIST,
    profiles,
    metricsPublic: values.METRICS_PUBLIC ?? profiles.backendServices !== undefined,
  };
}
