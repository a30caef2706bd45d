import { DASHBOARD_SETTINGS } from './dashboard-settings';
import { LOAD_SETTINGS } from './load-settings';
import {
  addressBlock,
  addressRange,
  endpoint,
  flag,
  hmacSecret,
  integer,
  list,
  oneOf,
  origin,
  text,
  url,
  workers,
  type Parser,
} from './parsers';
import { PROFILE_SETTINGS } from './profile-settings';
import { TRACING_SETTINGS } from './tracing-settings';

/** One environment variable: how it is read, what it means, and what holds without it. */
export interface Setting<T = unknown> {
  readonly parse: Parser<T>;
  /** One sentence for `.env.example`, the README and error messages. */
  readonly doc: string;
  /** The text that stands for an unset variable; absent means "not set". */
  readonly fallback?: string;
  /** Opens a section in the rendered documentation. */
  readonly section?: string;
}

const PORT = integer(0, 65535);
const MILLISECONDS = integer(1, 86_400_000, 'milliseconds');

/** Every variable Gatehouse reads. `.env.example` is rendered from this table and a test holds them together. */
export const SETTINGS = {
  PORT: {
    section: 'Listeners',
    parse: PORT,
    fallback: '3000',
    doc: 'Port of the data plane, and of the control plane unless ADMIN_PORT is set; 0 picks a free one. Unset with CENTRAL_API_URL: 8002, with BACKEND_SERVICES: 8000.',
  },
  ADMIN_PORT: { parse: PORT, doc: 'Moves the control plane to a port of its own.' },
  HOST: { parse: text, doc: 'Address to listen on; unset means all interfaces.' },
  TRUSTED_PROXIES: {
    parse: list(addressBlock),
    doc: 'Proxies whose X-Forwarded-* and Forwarded headers are believed: addresses, CIDR blocks, loopback, linklocal, uniquelocal.',
  },
  TRUSTED_PROXY_HOPS: {
    parse: integer(1, 32),
    doc: 'How many hops are believed: of TRUSTED_PROXIES at most so many; without it whoever connects is the first, so nobody may reach the gateway past them.',
  },
  CLIENT_ADDRESS_HEADER: {
    parse: oneOf('any', 'x-forwarded-for', 'forwarded'),
    fallback: 'any',
    doc: 'The one header that trusted proxies write and clients cannot; any takes X-Forwarded-For or, without it, Forwarded.',
  },
  PROXY_PROTOCOL: {
    parse: oneOf('off', 'accept', 'require'),
    fallback: 'off',
    doc: 'PROXY protocol (v1, v2) on PORT and TLS_PORT, of TRUSTED_PROXIES only: accept takes connections without it too, require refuses them.',
  },
  HTTP2_CLEARTEXT: {
    parse: flag,
    fallback: 'false',
    doc: 'true takes HTTP/2 without TLS on PORT, too, of clients that begin with it (h2c with prior knowledge, as gRPC does); over TLS it always is.',
  },
  IP_ALLOWLIST: {
    parse: list(addressRange),
    doc: 'Client addresses that are forwarded, all others get 403: addresses, CIDR blocks, wildcards such as 10.0.*. Probes and administration are exempt.',
  },
  IP_DENYLIST: { parse: list(addressRange), doc: 'Client addresses that get 403, whatever is allowed.' },
  ALLOWED_ORIGINS: {
    parse: list(origin),
    fallback: '*',
    doc: 'Origins that browsers may call from; * reflects every origin.',
  },
  WORKERS: {
    parse: workers,
    fallback: '1',
    doc: 'Processes that share the port; auto takes one per core. More than 1 needs Redis.',
  },
  NODE_ENV: {
    parse: text,
    fallback: 'development',
    doc: 'production turns the quick start off and refuses sample secrets.',
  },

  TLS_PORT: {
    section: 'HTTPS',
    parse: PORT,
    doc: 'Port of HTTPS, HTTP/1.1 and HTTP/2; 0 picks a free one. Needs certificates.',
  },
  TLS_CERT_FILE: {
    parse: text,
    doc: 'PEM file of a certificate and its chain; it also serves names that no other certificate has.',
  },
  TLS_KEY_FILE: { parse: text, doc: 'PEM file of the private key of TLS_CERT_FILE.' },
  TLS_CERT_DIR: {
    parse: text,
    doc: 'Folder of certificates: name.crt or name.pem beside name.key, also tls.crt and tls.key in folders of it. Changes are taken up.',
  },
  TLS_STRICT_SNI: {
    parse: flag,
    fallback: 'false',
    doc: 'true refuses connections that ask for no name, or for one that no certificate has.',
  },
  FORCE_HTTPS: {
    parse: flag,
    fallback: 'false',
    doc: 'true sends plain requests to https (GET and HEAD, 308) or refuses them (403); probes and /metrics are exempt.',
  },
  HSTS_MAX_AGE_SECONDS: {
    parse: integer(0, 63_072_000, 'seconds'),
    doc: 'Strict-Transport-Security of answers over https; 0 sends none. Unset: a year with FORCE_HTTPS, else none.',
  },

  ADMIN_TOKEN: {
    section: 'Administration',
    parse: text,
    doc: 'Owner token of the control plane; unset: one is generated and kept in DATA_DIR/admin-token.',
  },
  METRICS_TOKEN: {
    parse: text,
    doc: 'Token that opens /metrics and nothing else, for Prometheus; unlike admin tokens it works with the store away.',
  },
  DATA_DIR: {
    parse: text,
    fallback: './data',
    doc: 'Folder of the embedded store and of generated secrets.',
  },
  CONFIG_DIR: {
    parse: text,
    doc: 'Folder of YAML files that declare projects, one each; followed while the gateway runs.',
  },
  LOG_LEVEL: {
    parse: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    fallback: 'info',
    doc: 'Least severe log level written.',
  },
  METRICS_MAX_TENANTS: {
    parse: integer(1, 100_000),
    fallback: '200',
    doc: 'Tenants with metric series of their own; the rest are counted under "other".',
  },
  AUDIT_MAX_ENTRIES: {
    parse: integer(1, 10_000_000),
    fallback: '100000',
    doc: 'Entries that the audit log keeps of what administrators did, and as many of what tenants did; of strangers a tenth.',
  },
  AUDIT_MAX_AGE_DAYS: {
    parse: integer(1, 36_500, 'days'),
    doc: 'How long entries of the audit log are kept at most; unset: as long as AUDIT_MAX_ENTRIES allows.',
  },
  REVISIONS_MAX_ENTRIES: {
    parse: integer(10, 100_000),
    fallback: '1000',
    doc: 'Revisions of the configuration that are kept, to be compared and gone back to.',
  },
  WEBHOOK_MAX_AGE_HOURS: {
    parse: integer(1, 720, 'hours'),
    fallback: '24',
    doc: 'How long the delivery of an event is tried before it is put aside as dead.',
  },

  ...DASHBOARD_SETTINGS,

  REDIS_URL: {
    section: 'Redis (unset: the embedded store)',
    parse: url('redis:', 'rediss:'),
    doc: 'redis://user:password@host:6379/0, or rediss:// for TLS.',
  },
  REDIS_HOST: { parse: text, doc: 'Host, instead of REDIS_URL.' },
  REDIS_PORT: { parse: integer(1, 65535), fallback: '6379', doc: 'Port that goes with REDIS_HOST.' },
  REDIS_USERNAME: { parse: text, doc: 'User of a Redis ACL.' },
  REDIS_PASSWORD: { parse: text, doc: 'Password.' },
  REDIS_DB: { parse: integer(0, 1024), fallback: '0', doc: 'Database number (not with Redis Cluster).' },
  REDIS_TLS: { parse: flag, fallback: 'false', doc: 'Connect by TLS.' },
  REDIS_TLS_REJECT_UNAUTHORIZED: {
    parse: flag,
    fallback: 'true',
    doc: 'false accepts a certificate that no known authority signed.',
  },
  REDIS_TLS_CA_FILE: { parse: text, doc: 'PEM file of the authority that signed the certificate of Redis.' },
  REDIS_CLUSTER_NODES: {
    parse: list(endpoint(6379)),
    doc: 'host:port,… of some nodes of a Redis Cluster, instead of REDIS_URL.',
  },
  REDIS_SENTINELS: {
    parse: list(endpoint(26379)),
    doc: 'host:port,… of the sentinels, instead of REDIS_URL.',
  },
  REDIS_SENTINEL_MASTER: {
    parse: text,
    fallback: 'mymaster',
    doc: 'Name of the master that the sentinels watch.',
  },
  REDIS_SENTINEL_PASSWORD: { parse: text, doc: 'Password of the sentinels themselves.' },
  REDIS_COMMAND_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '500',
    doc: 'A command unanswered for this long counts as Redis being away.',
  },
  STALE_CONFIG_MAX_AGE_SECONDS: {
    parse: integer(0, 604_800, 'seconds'),
    fallback: '3600',
    doc: 'How long known tenants are served from memory while Redis is away.',
  },
  CONFIG_SNAPSHOT: {
    parse: flag,
    fallback: 'true',
    doc: 'true keeps what was served in DATA_DIR, so that a start without Redis serves it for as long as STALE_CONFIG_MAX_AGE_SECONDS says.',
  },

  GATEWAY_JWT_SECRET: {
    section: 'Tokens',
    parse: hmacSecret,
    doc: 'Secret of at least 32 bytes that service tokens are signed with (HS256) and accepted by.',
  },
  GATEWAY_JWT_PREVIOUS_SECRETS: {
    parse: list(hmacSecret),
    doc: 'Secrets that were used before, with commas between them: their tokens are still accepted.',
  },
  GATEWAY_JWT_PRIVATE_KEY_FILE: {
    parse: text,
    doc: 'PEM file of an RSA (2048 bits or more), EC P-256 or Ed25519 key that signs instead; its public key is published.',
  },
  GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES: {
    parse: list(text),
    doc: 'PEM files of the public keys that were used before: their tokens are still accepted, and they are still published.',
  },
  JWT_SECRET_KEY: {
    parse: text,
    doc: 'Secret of somebody who signs tokens (HS256) for the tenants that have no identity provider.',
  },

  RATE_LIMIT_MODE: {
    section: 'Limits and services',
    parse: oneOf('exact', 'leased'),
    fallback: 'exact',
    doc: 'exact asks the store for every request; leased takes tokens ahead of them and never exceeds a limit either.',
  },
  OPEN_REGISTRATION: {
    parse: flag,
    fallback: 'false',
    doc: 'true lets anybody register services without a credential, under a tenant of their own called default.',
  },

  CONNECT_TIMEOUT_MS: {
    section: 'Forwarding',
    parse: MILLISECONDS,
    fallback: '10000',
    doc: 'Time to connect to an upstream, TLS included.',
  },
  FIRST_BYTE_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '30000',
    doc: 'Time until the first byte of the response head.',
  },
  IDLE_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '300000',
    doc: 'Longest silence inside a response body, an event stream or a WebSocket.',
  },
  REQUEST_TIMEOUT_MS: {
    parse: MILLISECONDS,
    fallback: '30000',
    doc: 'Total time of a forwarded request; event streams and WebSockets are exempt.',
  },
  MAX_BODY_BYTES: {
    parse: integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    fallback: '0',
    doc: 'Largest request body that is forwarded; 0 means any size.',
  },
  BODY_BUFFER_MAX_BYTES: {
    parse: integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    fallback: '67108864',
    doc: 'Memory for request bodies that must be known whole, to be signed or verified, shared fairly by tenants; beyond it 503.',
  },
  MAX_HEADER_BYTES: {
    parse: integer(1024, 1_048_576, 'bytes'),
    fallback: '16384',
    doc: 'Largest request head.',
  },
  RETRY_BODIES_MAX_BYTES: {
    parse: integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    fallback: '67108864',
    doc: 'Memory for request bodies that are kept for retries and mirrors, shared fairly by tenants; beyond it they are sent once.',
  },
  UPSTREAM_MAX_CONNECTIONS: {
    parse: integer(1, 65_535),
    fallback: '256',
    doc: 'Connections to one upstream origin, per process.',
  },
  ALLOW_PRIVATE_UPSTREAMS: {
    parse: flag,
    doc: 'Whether upstream and JWKS URLs may point to private or loopback addresses; unset: only outside production.',
  },

  COMPRESSION: {
    section: 'Compression',
    parse: flag,
    fallback: 'false',
    doc: 'true compresses the responses of tenants, services and routes that say nothing about it.',
  },
  COMPRESSION_MAX_CONCURRENT: {
    parse: integer(0, 10_000),
    fallback: '64',
    doc: 'Responses that one process compresses at once; others leave as they are.',
  },

  ...LOAD_SETTINGS,

  ...PROFILE_SETTINGS,

  ...TRACING_SETTINGS,

  CACHE_MEMORY_BYTES: {
    section: 'Response cache',
    parse: integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    fallback: '67108864',
    doc: 'Memory of a process for stored responses, of all tenants together; 0 stores nothing.',
  },
  CACHE_REDIS_BYTES: {
    parse: integer(0, Number.MAX_SAFE_INTEGER, 'bytes'),
    fallback: '33554432',
    doc: 'Stored responses of one tenant that replicas share in Redis; 0 leaves each to its own memory.',
  },

  SHUTDOWN_TIMEOUT_MS: {
    section: 'Shutdown',
    parse: MILLISECONDS,
    fallback: '30000',
    doc: 'Time that requests in flight get to finish after SIGTERM.',
  },
  SHUTDOWN_DELAY_MS: {
    parse: integer(0, 600_000, 'milliseconds'),
    fallback: '0',
    doc: 'Least time between readiness turning 503 and the listener closing, for load balancers that poll slowly.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof SETTINGS;

/** The value a variable holds after parsing; those without a fallback may be undefined. */
export type SettingValues = {
  [K in SettingName]:
    | ReturnType<(typeof SETTINGS)[K]['parse']>
    | ((typeof SETTINGS)[K] extends { fallback: string } ? never : undefined);
};

/** Variables beyond the table: the only ones that documents of tenants may name in the place of a secret. */
export const SECRET_PREFIX = 'GATEWAY_SECRET_';
const SECRET_VARIABLE = new RegExp(`^(?:${SECRET_PREFIX}[A-Z0-9_]{1,100}|HMAC_SECRET)$`);

/** Only these may be named in documents: whoever writes those must not read the gateway's whole environment. */
export function isSecretVariable(name: string): boolean {
  return SECRET_VARIABLE.test(name);
}

/** The text of `.env.example`. Settings are commented out, so that a copied file changes nothing. */
export function renderEnvExample(): string {
  const lines = [
    '# Every setting of Gatehouse with its default. Copy to .env and uncomment what you change.',
  ];
  for (const [name, setting] of Object.entries<Setting>(SETTINGS)) {
    if (setting.section) lines.push('', `# --- ${setting.section} ---`);
    lines.push(`# ${setting.doc}`, `#${name}=${setting.fallback ?? ''}`);
  }
  lines.push(
    '',
    '# --- Secrets of identity providers ---',
    `# Any variable that begins with ${SECRET_PREFIX} may be named in a tenant: { "env": "${SECRET_PREFIX}ACME" }.`,
  );
  return lines.join('\n') + '\n';
}
