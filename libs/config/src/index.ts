/**
 * config: every setting of Gatehouse, read once from the environment (and an optional `.env` file) into one
 * typed, frozen object. The only place that touches `process.env`.
 * Not here: tenants and routes. They are data and live in the store.
 */
export {
  loadConfig,
  ConfigError,
  type GatewayConfig,
  type RedisConfig,
  type TimeoutConfig,
  type CompressionConfig,
} from './config';
export type { DashboardConfig } from './dashboard-config';
export type { ClientAddressConfig } from './edge-config';
export { PROFILE_TENANTS, profileHosts, type Profiles, type RegionalEdge } from './profiles';
export type { TokenKey, TokenKeyConfig } from './token-keys';
export type { LoadConfig } from './load-config';
export type { TlsConfig } from './tls-config';
export type { TracingConfig } from './tracing-config';
export { objectionToSecret } from './token-secrets';
export { PACKAGE_ROOT, VERSION } from './version';
export { Environment, readEnvironment } from './environment';
export {
  addressDigits,
  objectionToAddressRange,
  parseAddressRange,
  type AddressDigits,
  type AddressRange,
} from './address-range';
export { upstreamAddress, type UpstreamAddress, type UpstreamHttp2 } from './upstream-address';
export { SECRET_PREFIX, SETTINGS, isSecretVariable, renderEnvExample } from './settings';
export { readClientEnvironment, type ClientEnvironment } from './client-environment';
