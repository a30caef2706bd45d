import { availableParallelism } from 'node:os';
import { readFileSync, readdirSync } from 'node:fs';
import { checkControlTokens } from './control-tokens';
import { dashboardConfig, type DashboardConfig } from './dashboard-config';
import { Environment } from './environment';
import { loadLimits, type LoadConfig } from './load-config';
import { edgeConfig, type EdgeConfig } from './edge-config';
import { namedSecrets, signatureSecrets } from './named-secrets';
import { profilePort } from './profiles';
import { SETTINGS, type SettingName, type SettingValues } from './settings';
import { tokenKeyConfig, type TokenKeyConfig } from './token-keys';
import { checkTokenSecrets } from './token-secrets';
import { hstsMaxAgeSeconds, tlsConfig, type TlsConfig } from './tls-config';
import { tracingConfig, type TracingConfig } from './tracing-config';

/** Where Redis is and how to reach it; exactly one of `url`, `host`, `cluster`, `sentinels` is used. */
export interface RedisConfig {
  readonly topology: 'standalone' | 'cluster' | 'sentinel';
  readonly nodes: ReadonlyArray<{ host: string; port: number }>;
  readonly sentinelMaster: string;
  readonly sentinelPassword?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db: number;
  readonly tls?: { rejectUnauthorized: boolean; ca?: string };
  readonly commandTimeoutMs: number;
}

/** The time-outs of one forwarded request, in milliseconds. A tenant may override them. */
export interface TimeoutConfig {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** Compression of responses. */
export interface CompressionConfig {
  /** For those who say nothing about it. */
  readonly byDefault: boolean;
  /** Per process. */
  readonly maxConcurrent: number;
}

/** All settings, parsed and cross-checked. Frozen: nothing changes a setting after the start. */
export interface GatewayConfig extends EdgeConfig {
  readonly production: boolean;
  readonly host?: string;
  readonly port: number;
  readonly adminPort?: number;
  /** Undefined: no HTTPS of its own. */
  readonly tls?: TlsConfig;
  /** Plain requests are sent to https. */
  readonly forceHttps: boolean;
  /** 0 sends no Strict-Transport-Security. */
  readonly hstsMaxAgeSeconds: number;
  readonly adminToken?: string;
  /** Opens `/metrics`, and nothing else. */
  readonly metricsToken?: string;
  readonly dataDir: string;
  /** Folder of the files that declare projects; undefined for none. */
  readonly configDir?: string;
  /** What those files refer to. */
  readonly environment: Environment;
  readonly logLevel: SettingValues['LOG_LEVEL'];
  readonly metricsMaxTenants: number;
  readonly auditMaxEntries: number;
  readonly dashboard: DashboardConfig;
  /** Undefined: however old. */
  readonly auditMaxAgeMs?: number;
  readonly revisionsMaxEntries: number;
  readonly webhookMaxAgeMs: number;
  /** What was served is kept in `dataDir`. */
  readonly configSnapshot: boolean;
  readonly workers: number;
  readonly allowedOrigins: readonly string[];
  readonly jwtSecretKey?: string;
  /** By the names of their variables, which documents may mention. */
  readonly namedSecrets: ReadonlyMap<string, string>;
  /** Those of them that are good enough to sign with. */
  readonly signatureSecrets: ReadonlyMap<string, string>;
  /** Undefined selects the embedded store. */
  readonly redis?: RedisConfig;
  readonly staleConfigMaxAgeMs: number;
  readonly serviceTokens: TokenKeyConfig;
  readonly rateLimitMode: SettingValues['RATE_LIMIT_MODE'];
  readonly openRegistration: boolean;
  /** Undefined: off. */
  readonly tracing?: TracingConfig;
  readonly timeouts: TimeoutConfig;
  /** 0 means unlimited. */
  readonly maxBodyBytes: number;
  /** Of all request bodies that are held at one time because a policy has to have them whole. */
  readonly bodyBufferMaxBytes: number;
  readonly maxHeaderBytes: number;
  readonly retryBodiesMaxBytes: number;
  readonly load: LoadConfig;
  readonly upstreamMaxConnections: number;
  readonly allowPrivateUpstreams: boolean;
  readonly compression: CompressionConfig;
  /** Stored responses of all tenants in this process; 0 for none. */
  readonly cacheMemoryBytes: number;
  /** Stored responses of one tenant in Redis; 0 for none. */
  readonly cacheRedisBytes: number;
  readonly shutdownTimeoutMs: number;
  readonly shutdownDelayMs: number;
}

/** The start is refused; `problems` has one line per variable. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
  }
}

/**
 * Reads and checks the settings.
 * @throws ConfigError naming every variable that cannot be used, not only the first.
 */
export function loadConfig(env: Record<string, string | undefined>): GatewayConfig {
  const problems: string[] = [];
  const values = parseAll(env, problems);
  const redis = redisConfig(values, problems);
  const tls = tlsConfig(values, problems);
  const production = values.NODE_ENV === 'production';
  const workers = values.WORKERS === 'auto' ? availableParallelism() : values.WORKERS;
  if (workers > 1 && !redis) problems.push('WORKERS above 1 needs Redis: set REDIS_URL or REDIS_HOST');
  checkControlTokens(values, production, problems);
  checkTokenSecrets(values, production, problems);
  const serviceTokens = tokenKeyConfig(values, problems);
  checkFolder(values.CONFIG_DIR, problems);
  const edge = edgeConfig(values, production, problems);
  if (problems.length > 0) throw new ConfigError(problems);

  return Object.freeze({
    ...edge,
    production,
    host: values.HOST,
    port: env.PORT?.trim() ? values.PORT : (profilePort(edge.profiles) ?? values.PORT),
    adminPort: values.ADMIN_PORT,
    tls,
    forceHttps: values.FORCE_HTTPS,
    hstsMaxAgeSeconds: hstsMaxAgeSeconds(values),
    adminToken: values.ADMIN_TOKEN,
    metricsToken: values.METRICS_TOKEN,
    dataDir: values.DATA_DIR,
    configDir: values.CONFIG_DIR,
    environment: new Environment(env),
    logLevel: values.LOG_LEVEL,
    metricsMaxTenants: values.METRICS_MAX_TENANTS,
    dashboard: dashboardConfig(values),
    ...recordsConfig(values),
    configSnapshot: values.CONFIG_SNAPSHOT,
    workers,
    allowedOrigins: values.ALLOWED_ORIGINS,
    jwtSecretKey: values.JWT_SECRET_KEY,
    namedSecrets: namedSecrets(env),
    signatureSecrets: signatureSecrets(env),
    redis,
    staleConfigMaxAgeMs: values.STALE_CONFIG_MAX_AGE_SECONDS * 1000,
    serviceTokens,
    rateLimitMode: values.RATE_LIMIT_MODE,
    openRegistration: values.OPEN_REGISTRATION,
    tracing: tracingConfig(values),
    ...forwardingConfig(values, production),
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
  });
}

/** How much is kept of what has happened. */
function recordsConfig(values: SettingValues) {
  return {
    auditMaxEntries: values.AUDIT_MAX_ENTRIES,
    auditMaxAgeMs: values.AUDIT_MAX_AGE_DAYS && values.AUDIT_MAX_AGE_DAYS * 86_400_000,
    revisionsMaxEntries: values.REVISIONS_MAX_ENTRIES,
    webhookMaxAgeMs: values.WEBHOOK_MAX_AGE_HOURS * 3_600_000,
  };
}

/** What bounds requests and responses, and what becomes of them on the way. */
function forwardingConfig(values: SettingValues, production: boolean) {
  return {
    timeouts: timeoutConfig(values),
    maxBodyBytes: values.MAX_BODY_BYTES,
    bodyBufferMaxBytes: values.BODY_BUFFER_MAX_BYTES,
    maxHeaderBytes: values.MAX_HEADER_BYTES,
    retryBodiesMaxBytes: values.RETRY_BODIES_MAX_BYTES,
    load: loadLimits(values),
    upstreamMaxConnections: values.UPSTREAM_MAX_CONNECTIONS,
    allowPrivateUpstreams: values.ALLOW_PRIVATE_UPSTREAMS ?? !production,
    compression: compressionConfig(values),
    cacheMemoryBytes: values.CACHE_MEMORY_BYTES,
    cacheRedisBytes: values.CACHE_REDIS_BYTES,
  };
}

function compressionConfig(values: SettingValues): CompressionConfig {
  return Object.freeze({
    byDefault: values.COMPRESSION,
    maxConcurrent: values.COMPRESSION_MAX_CONCURRENT,
  });
}

function timeoutConfig(values: SettingValues): TimeoutConfig {
  return Object.freeze({
    connectMs: values.CONNECT_TIMEOUT_MS,
    firstByteMs: values.FIRST_BYTE_TIMEOUT_MS,
    idleMs: values.IDLE_TIMEOUT_MS,
    totalMs: values.REQUEST_TIMEOUT_MS,
  });
}

function parseAll(env: Record<string, string | undefined>, problems: string[]): SettingValues {
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(SETTINGS)) {
    // An empty variable counts as unset: compose files and CI systems pass optional variables that way.
    const raw = env[name]?.trim() || ('fallback' in setting ? setting.fallback : undefined);
    if (raw === undefined) continue;
    try {
      values[name] = setting.parse(raw);
    } catch (error) {
      problems.push(`${name} ${(error as Error).message}${hint(name as SettingName, raw)}`);
    }
  }
  return values as SettingValues;
}

/** Kubernetes injects tcp://… into every pod when a Service is called "redis": worth saying out loud. */
function hint(name: SettingName, raw: string): string {
  return name === 'REDIS_PORT' && raw.startsWith('tcp://')
    ? " (Kubernetes' service links put that there: set enableServiceLinks: false, or REDIS_URL)"
    : '';
}

function redisConfig(values: SettingValues, problems: string[]): RedisConfig | undefined {
  const ways = (['REDIS_URL', 'REDIS_HOST', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS'] as const).filter(
    (name) => values[name] !== undefined,
  );
  if (ways.length === 0) return undefined;
  // The reference's sample file sets both; the URL says more, so it wins over the single host.
  const rivals = ways.filter((way) => !(way === 'REDIS_HOST' && ways.includes('REDIS_URL')));
  if (rivals.length > 1) problems.push(`${rivals.join(' and ')} exclude each other`);

  const parsed = values.REDIS_URL === undefined ? undefined : new URL(values.REDIS_URL);
  const topology = values.REDIS_CLUSTER_NODES
    ? 'cluster'
    : values.REDIS_SENTINELS
      ? 'sentinel'
      : 'standalone';
  const single = parsed
    ? { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port || 6379) }
    : { host: values.REDIS_HOST ?? '', port: values.REDIS_PORT };
  const nodes = values.REDIS_CLUSTER_NODES ?? values.REDIS_SENTINELS ?? [single];
  if (topology === 'cluster' && values.REDIS_DB > 0)
    problems.push('REDIS_DB cannot be used with Redis Cluster');
  return Object.freeze({
    topology,
    nodes,
    sentinelMaster: values.REDIS_SENTINEL_MASTER,
    sentinelPassword: values.REDIS_SENTINEL_PASSWORD,
    username: decode(parsed?.username, problems) ?? values.REDIS_USERNAME,
    password: decode(parsed?.password, problems) ?? values.REDIS_PASSWORD,
    db: databaseOf(parsed, problems) ?? values.REDIS_DB,
    tls: values.REDIS_TLS || parsed?.protocol === 'rediss:' ? redisTls(values, problems) : undefined,
    commandTimeoutMs: values.REDIS_COMMAND_TIMEOUT_MS,
  });
}

function redisTls(values: SettingValues, problems: string[]): RedisConfig['tls'] {
  const rejectUnauthorized = values.REDIS_TLS_REJECT_UNAUTHORIZED;
  if (values.REDIS_TLS_CA_FILE === undefined) return { rejectUnauthorized };
  try {
    return { rejectUnauthorized, ca: readFileSync(values.REDIS_TLS_CA_FILE, 'utf8') };
  } catch (error) {
    problems.push(`REDIS_TLS_CA_FILE cannot be read: ${(error as Error).message}`);
    return { rejectUnauthorized };
  }
}

function databaseOf(url: URL | undefined, problems: string[]): number | undefined {
  const path = url?.pathname.slice(1);
  if (!path) return undefined;
  if (!/^\d{1,4}$/.test(path)) problems.push('REDIS_URL must end with a database number, such as /0');
  return Number(path);
}

function decode(part: string | undefined, problems: string[]): string | undefined {
  if (!part) return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    problems.push('REDIS_URL has a user or password that is not percent-encoded');
    return undefined;
  }
}

/** A folder that is not there is a typing error at a start; later it is kept for gone for a moment. */
function checkFolder(folder: string | undefined, problems: string[]): void {
  if (folder === undefined) return;
  try {
    readdirSync(folder);
  } catch (error) {
    problems.push(`CONFIG_DIR cannot be read: ${(error as Error).message}`);
  }
}
