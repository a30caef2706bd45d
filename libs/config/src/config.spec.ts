import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { loadConfig, type GatewayConfig } from './config';
import { LOAD_DEFAULTS, LOAD_ROWS } from './load-rows.spec-data';
import { TRACING_ROWS } from './tracing-rows.spec-data';
import { problemsOf, type Environment } from './problems-of.spec-data';
import { SETTINGS } from './settings';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
const CA_FILE = join(folder, 'ca.pem');
writeFileSync(CA_FILE, 'the authority');

function keyFile(name: string, text: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
const pem = { type: 'pkcs8', format: 'pem' } as const;
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ED25519 = generateKeyPairSync('ed25519');
const PRIVATE_FILE = keyFile('p256.pem', P256.privateKey.export(pem));
const PUBLIC_FILE = keyFile('ed25519.pub.pem', ED25519.publicKey.export({ type: 'spki', format: 'pem' }));
afterAll(() => rmSync(folder, { recursive: true }));

/** As random as those of the documentation are not. */
const SECRET = 'k7Qm2xVb9RtY4wZc8NhJ5sLd3PfG6uAe';
const CERTIFICATES = { TLS_CERT_DIR: '/tls' };
const HTTPS = { TLS_PORT: '8443', TLS_CERT_FILE: '/a.crt', TLS_KEY_FILE: '/a.key' };
const EDGE = { CENTRAL_API_URL: 'http://api:8000' };
const REDIS = { REDIS_URL: 'redis://redis.test' };

describe('every variable', () => {
  type Row = [name: string, raw: string, read: (config: GatewayConfig) => unknown, value: unknown];
  const rows: [...Row, others?: Environment][] = [
    ['PORT', '0', (c) => c.port, 0],
    ['ADMIN_PORT', '65535', (c) => c.adminPort, 65535],
    ['HOST', '::1', (c) => c.host, '::1'],
    ['TRUSTED_PROXIES', '10.0.0.0/8, loopback,fd00::/8', (c) => c.clientAddress.proxies, ['10.0.0.0/8', 'loopback', 'fd00::/8']],
    ['TRUSTED_PROXY_HOPS', '2', (c) => c.clientAddress.hops, 2],
    ['CLIENT_ADDRESS_HEADER', 'forwarded', (c) => c.clientAddress.header, 'forwarded'],
    ['PROXY_PROTOCOL', 'require', (c) => c.proxyProtocol, 'require', { TRUSTED_PROXIES: 'loopback' }],
    ['HTTP2_CLEARTEXT', 'true', (c) => c.http2Cleartext, true],
    ['IP_ALLOWLIST', '10.0.0.0/8, 192.168.*,::1', (c) => c.ipAllowlist, ['10.0.0.0/8', '192.168.*', '::1']],
    ['IP_DENYLIST', '10.0.0.5', (c) => c.ipDenylist, ['10.0.0.5']],
    ['ALLOWED_ORIGINS', 'https://a.test,http://b.test:8080', (c) => c.allowedOrigins, ['https://a.test', 'http://b.test:8080']],
    ['WORKERS', '4', (c) => c.workers, 4, REDIS],
    ['NODE_ENV', 'production', (c) => c.production, true],
    ['TLS_PORT', '8443', (c) => c.tls?.port, 8443, CERTIFICATES],
    ['TLS_CERT_FILE', '/tls/a.crt', (c) => c.tls?.pair?.certFile, '/tls/a.crt', HTTPS],
    ['TLS_KEY_FILE', '/tls/b.key', (c) => c.tls?.pair?.keyFile, '/tls/b.key', HTTPS],
    ['TLS_CERT_DIR', '/tls', (c) => c.tls?.dir, '/tls', HTTPS],
    ['TLS_STRICT_SNI', 'true', (c) => c.tls?.strictSni, true, { TLS_PORT: '8443', ...CERTIFICATES }],
    ['FORCE_HTTPS', 'true', (c) => c.forceHttps, true],
    ['HSTS_MAX_AGE_SECONDS', '60', (c) => c.hstsMaxAgeSeconds, 60],
    ['ADMIN_TOKEN', 'x', (c) => c.adminToken, 'x'],
    ['METRICS_TOKEN', 'x', (c) => c.metricsToken, 'x'],
    ['DATA_DIR', '/srv/gatehouse', (c) => c.dataDir, '/srv/gatehouse'],
    ['CONFIG_DIR', folder, (c) => c.configDir, folder],
    ['LOG_LEVEL', 'warn', (c) => c.logLevel, 'warn'],
    ['METRICS_MAX_TENANTS', '7', (c) => c.metricsMaxTenants, 7],
    ['AUDIT_MAX_ENTRIES', '8', (c) => c.auditMaxEntries, 8],
    ['AUDIT_MAX_AGE_DAYS', '2', (c) => c.auditMaxAgeMs, 172_800_000],
    ['REVISIONS_MAX_ENTRIES', '50', (c) => c.revisionsMaxEntries, 50],
    ['WEBHOOK_MAX_AGE_HOURS', '2', (c) => c.webhookMaxAgeMs, 7_200_000],
    ['DASHBOARD', 'false', (c) => c.dashboard.enabled, false],
    ['DASHBOARD_SESSION_HOURS', '2', (c) => c.dashboard.sessionMs, 7_200_000],
    ['DASHBOARD_IDLE_MINUTES', '5', (c) => c.dashboard.idleMs, 300_000],
    ['GATEWAY_URL', 'https://api.test/', (c) => c.dashboard.gatewayUrl, 'https://api.test'],
    ['REDIS_URL', 'redis://r.test:7000', (c) => c.redis?.nodes, [{ host: 'r.test', port: 7000 }]],
    ['REDIS_HOST', 'r.test', (c) => c.redis?.nodes, [{ host: 'r.test', port: 6379 }]],
    ['REDIS_PORT', '7001', (c) => c.redis?.nodes, [{ host: 'r.test', port: 7001 }], { REDIS_HOST: 'r.test' }],
    ['REDIS_USERNAME', 'gate', (c) => c.redis?.username, 'gate', REDIS],
    ['REDIS_PASSWORD', 'p%40ss', (c) => c.redis?.password, 'p%40ss', REDIS],
    ['REDIS_DB', '3', (c) => c.redis?.db, 3, REDIS],
    ['REDIS_TLS', '1', (c) => c.redis?.tls, { rejectUnauthorized: true }, REDIS],
    ['REDIS_TLS_REJECT_UNAUTHORIZED', 'false', (c) => c.redis?.tls, { rejectUnauthorized: false }, { ...REDIS, REDIS_TLS: 'true' }],
    ['REDIS_TLS_CA_FILE', CA_FILE, (c) => c.redis?.tls?.ca, 'the authority', { ...REDIS, REDIS_TLS: 'true' }],
    ['REDIS_CLUSTER_NODES', 'a.test:7000, b.test,[fd00::1]:7002', (c) => c.redis?.nodes, [{ host: 'a.test', port: 7000 }, { host: 'b.test', port: 6379 }, { host: 'fd00::1', port: 7002 }]],
    ['REDIS_SENTINELS', 'a.test,b.test:7001', (c) => c.redis?.nodes, [{ host: 'a.test', port: 26379 }, { host: 'b.test', port: 7001 }]],
    ['REDIS_SENTINEL_MASTER', 'main', (c) => c.redis?.sentinelMaster, 'main', { REDIS_SENTINELS: 'a.test' }],
    ['REDIS_SENTINEL_PASSWORD', 'hush', (c) => c.redis?.sentinelPassword, 'hush', { REDIS_SENTINELS: 'a.test' }],
    ['REDIS_COMMAND_TIMEOUT_MS', '50', (c) => c.redis?.commandTimeoutMs, 50, REDIS],
    ['STALE_CONFIG_MAX_AGE_SECONDS', '0', (c) => c.staleConfigMaxAgeMs, 0],
    ['CONFIG_SNAPSHOT', 'false', (c) => c.configSnapshot, false],
    ['GATEWAY_JWT_SECRET', SECRET, (c) => c.serviceTokens.secret, SECRET],
    ['GATEWAY_JWT_PREVIOUS_SECRETS', `${SECRET}, x${SECRET}`, (c) => c.serviceTokens.previousSecrets, [SECRET, `x${SECRET}`]],
    ['GATEWAY_JWT_PRIVATE_KEY_FILE', PRIVATE_FILE, (c) => c.serviceTokens.signingKey?.alg, 'ES256'],
    ['GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES', `${PUBLIC_FILE},${PUBLIC_FILE}`, (c) => c.serviceTokens.previousKeys.map(({ alg }) => alg), ['EdDSA', 'EdDSA']],
    ['JWT_SECRET_KEY', 'your_secret_key', (c) => c.jwtSecretKey, 'your_secret_key'],
    ['RATE_LIMIT_MODE', 'leased', (c) => c.rateLimitMode, 'leased'],
    ['OPEN_REGISTRATION', 'true', (c) => c.openRegistration, true],
    ['CONNECT_TIMEOUT_MS', '1', (c) => c.timeouts.connectMs, 1],
    ['FIRST_BYTE_TIMEOUT_MS', '2', (c) => c.timeouts.firstByteMs, 2],
    ['IDLE_TIMEOUT_MS', '3', (c) => c.timeouts.idleMs, 3],
    ['REQUEST_TIMEOUT_MS', '4', (c) => c.timeouts.totalMs, 4],
    ['MAX_BODY_BYTES', '9007199254740991', (c) => c.maxBodyBytes, Number.MAX_SAFE_INTEGER],
    ['BODY_BUFFER_MAX_BYTES', '1048576', (c) => c.bodyBufferMaxBytes, 1_048_576],
    ['MAX_HEADER_BYTES', '1024', (c) => c.maxHeaderBytes, 1024],
    ['RETRY_BODIES_MAX_BYTES', '0', (c) => c.retryBodiesMaxBytes, 0],
    ['UPSTREAM_MAX_CONNECTIONS', '5', (c) => c.upstreamMaxConnections, 5],
    ['ALLOW_PRIVATE_UPSTREAMS', 'false', (c) => c.allowPrivateUpstreams, false],
    ['COMPRESSION', 'true', (c) => c.compression.byDefault, true], ['COMPRESSION_MAX_CONCURRENT', '9', (c) => c.compression.maxConcurrent, 9],
    ...LOAD_ROWS,
    ['CENTRAL_API_URL', 'http://api:8000', (c) => c.profiles.regionalEdge?.centralApiUrl, 'http://api:8000'],
    ['GATEWAY_REGION', 'us-east-1', (c) => c.profiles.regionalEdge?.region, 'us-east-1', EDGE],
    ['ENABLE_HMAC_SIGNING', 'true', (c) => c.profiles.regionalEdge?.hmacSecret, 'x', { ...EDGE, HMAC_SECRET: 'x' }],
    ['HMAC_SECRET', 'y', (c) => c.profiles.regionalEdge?.hmacSecret, 'y', { ...EDGE, HMAC_SECRET: 'x', ENABLE_HMAC_SIGNING: 'true' }],
    ['MAX_RETRIES', '5', (c) => c.profiles.regionalEdge?.maxRetries, 5, EDGE],
    ['TIMEOUT_SECONDS', '60', (c) => c.profiles.regionalEdge?.timeoutMs, 60_000, EDGE],
    ['BACKEND_SERVICES', '{"a":"http://a:1"}', (c) => c.profiles.backendServices, new Map([['a', 'http://a:1']]), { JWT_SECRET_KEY: 'k' }],
    ['RATE_LIMIT_PER_MIN', '5000', (c) => c.profiles.perMinute, 5000],
    ['RATE_LIMIT_PER_IP', '200', (c) => c.profiles.perMinuteAndIp, 200],
    ['METRICS_PUBLIC', 'true', (c) => c.metricsPublic, true],
    ...TRACING_ROWS,
    ['CACHE_MEMORY_BYTES', '0', (c) => c.cacheMemoryBytes, 0], ['CACHE_REDIS_BYTES', '9', (c) => c.cacheRedisBytes, 9], ['SHUTDOWN_TIMEOUT_MS', '6', (c) => c.shutdownTimeoutMs, 6],
    ['SHUTDOWN_DELAY_MS', '7', (c) => c.shutdownDelayMs, 7],
  ]; // prettier-ignore

  it.each(rows)('%s=%s is read', (name, raw, read, value, ...more) => {
    const others = more[0];
    const config = loadConfig({ ...others, [name]: raw });
    expect(read(config)).toEqual(value);
    expect(read(loadConfig({ ...others }))).not.toEqual(value);
    expect(read(loadConfig({ ...others, [name]: `  ${raw} ` }))).toEqual(value);
  });

  it('is in the table above', () => {
    expect(rows.map(([name]) => name)).toEqual(Object.keys(SETTINGS));
  });

  it.each(Object.keys(SETTINGS))('%s counts as unset when it is empty', (name) => {
    expect(loadConfig({ [name]: '' })).toEqual(loadConfig({}));
    expect(loadConfig({ [name]: ' \t' })).toEqual(loadConfig({}));
  });

  it('has its documented value when nothing is set', () => {
    expect(loadConfig({})).toEqual({
      production: false,
      host: undefined,
      port: 3000,
      adminPort: undefined,
      tls: undefined,
      forceHttps: false,
      hstsMaxAgeSeconds: 0,
      adminToken: undefined,
      dataDir: './data',
      configDir: undefined,
      environment: expect.anything(),
      logLevel: 'info',
      metricsMaxTenants: 200,
      auditMaxEntries: 100_000,
      dashboard: { enabled: true, sessionMs: 43_200_000, idleMs: 3_600_000, gatewayUrl: undefined },
      auditMaxAgeMs: undefined,
      revisionsMaxEntries: 1000,
      configSnapshot: true,
      webhookMaxAgeMs: 86_400_000,
      jwtSecretKey: undefined,
      namedSecrets: new Map(),
      signatureSecrets: new Map(),
      workers: 1,
      clientAddress: { proxies: [], hops: undefined, header: 'any' },
      proxyProtocol: 'off',
      http2Cleartext: false,
      ipAllowlist: undefined,
      ipDenylist: undefined,
      profiles: {
        regionalEdge: undefined,
        backendServices: undefined,
        perMinute: 1000,
        perMinuteAndIp: 100,
      },
      metricsPublic: false,
      allowedOrigins: ['*'],
      redis: undefined,
      staleConfigMaxAgeMs: 3_600_000,
      serviceTokens: { secret: undefined, previousSecrets: [], signingKey: undefined, previousKeys: [] },
      rateLimitMode: 'exact',
      openRegistration: false,
      timeouts: { connectMs: 10_000, firstByteMs: 30_000, idleMs: 300_000, totalMs: 30_000 },
      maxBodyBytes: 0,
      bodyBufferMaxBytes: 67_108_864,
      load: LOAD_DEFAULTS,
      maxHeaderBytes: 16_384,
      retryBodiesMaxBytes: 67_108_864,
      upstreamMaxConnections: 256,
      allowPrivateUpstreams: true,
      compression: { byDefault: false, maxConcurrent: 64 },
      cacheMemoryBytes: 67_108_864,
      cacheRedisBytes: 33_554_432,
      shutdownTimeoutMs: 30_000,
      shutdownDelayMs: 0,
    });
  });

  it('cannot be changed afterwards', () => {
    const config = loadConfig(REDIS) as { port: number; redis: { db: number } };
    expect(() => (config.port = 1)).toThrow(TypeError);
    expect(() => (config.redis.db = 1)).toThrow(TypeError);
  });
});

describe('a bad value', () => {
  const bad: [name: string, values: string[]][] = [
    ['PORT', ['-1', '65536', '80.5', '0x50', '8e1', 'http', '+80']],
    ['ADMIN_PORT', ['65536']],
    ['TRUSTED_PROXIES', ['everyone', '10.0.0.0/33', '10.0.0.1,,10.0.0.2', ',']],
    ['ALLOWED_ORIGINS', ['https://a.test/', 'a.test', 'https://a.test/x', 'null', 'https://A.test']],
    ['WORKERS', ['0', '257', 'Auto', 'all']],
    ['TLS_PORT', ['65536', 'https']],
    ['TLS_STRICT_SNI', ['maybe']],
    ['FORCE_HTTPS', ['always']],
    ['HSTS_MAX_AGE_SECONDS', ['-1', '1y', '63072001']],
    ['LOG_LEVEL', ['verbose', 'INFO']],
    ['METRICS_MAX_TENANTS', ['0', '100001']],
    ['AUDIT_MAX_ENTRIES', ['0', '10000001', 'all']],
    ['AUDIT_MAX_AGE_DAYS', ['0', 'for ever']],
    ['REVISIONS_MAX_ENTRIES', ['9', '100001', 'all']],
    ['WEBHOOK_MAX_AGE_HOURS', ['0', '721']],
    ['DASHBOARD', ['maybe']],
    ['DASHBOARD_SESSION_HOURS', ['0', '721']],
    ['DASHBOARD_IDLE_MINUTES', ['4', '43201']],
    ['GATEWAY_URL', ['api.test', 'ftp://api.test']],
    ['REDIS_URL', ['redis.test', 'http://redis.test', 'redis//x']],
    ['REDIS_PORT', ['0', '65536']],
    ['REDIS_DB', ['-1', '1025']],
    ['REDIS_TLS', ['yes', 'TRUE', '2']],
    ['REDIS_TLS_REJECT_UNAUTHORIZED', ['no']],
    ['REDIS_CLUSTER_NODES', ['a.test:0', 'a.test:65536', 'a.test:x', 'fd00::1', 'a b', 'redis://a.test']],
    ['REDIS_SENTINELS', ['a.test,']],
    ['REDIS_COMMAND_TIMEOUT_MS', ['0', '86400001']],
    ['STALE_CONFIG_MAX_AGE_SECONDS', ['-1', '604801']],
    ['GATEWAY_JWT_SECRET', ['x'.repeat(31), 'ä'.repeat(15)]],
    ['GATEWAY_JWT_PREVIOUS_SECRETS', [`${SECRET},short`, `${SECRET},`]],
    ['RATE_LIMIT_MODE', ['both', 'EXACT']],
    ['OPEN_REGISTRATION', ['perhaps', '2']],
    ['CONNECT_TIMEOUT_MS', ['0']],
    ['FIRST_BYTE_TIMEOUT_MS', ['1s']],
    ['IDLE_TIMEOUT_MS', ['1_000']],
    ['REQUEST_TIMEOUT_MS', ['Infinity']],
    ['MAX_BODY_BYTES', ['-1', '10MB', '9007199254740993']],
    ['BODY_BUFFER_MAX_BYTES', ['-1', '64MB']],
    ['MAX_HEADER_BYTES', ['1023', '1048577']],
    ['UPSTREAM_MAX_CONNECTIONS', ['0', '65536']],
    ['ALLOW_PRIVATE_UPSTREAMS', ['maybe']],
    ['SHUTDOWN_TIMEOUT_MS', ['0']],
    ['SHUTDOWN_DELAY_MS', ['600001']],
  ];

  it.each(bad.flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
    '%s=%j is refused in one line that names it',
    (name, value) => {
      expect(problemsOf({ [name]: value })).toEqual([
        expect.stringMatching(`^${name} (?:must|has) [^\\n]+$`),
      ]);
    },
  );

  it('is told together with all the others, a line for each', () => {
    const env = Object.fromEntries(bad.map(([name, values]) => [name, values[0]]));
    expect(problemsOf(env).map((line) => line.split(' ')[0])).toEqual(bad.map(([name]) => name));
    expect(() => loadConfig(env)).toThrow(problemsOf(env).join('\n'));
  });

  it('of CONFIG_DIR that is no folder is told', () => {
    expect(problemsOf({ CONFIG_DIR: join(folder, 'missing') })).toEqual([
      expect.stringMatching(/^CONFIG_DIR cannot be read: ENOENT/),
    ]);
  });

  it('of REDIS_PORT that Kubernetes has put there is explained', () => {
    const [line] = problemsOf({ REDIS_PORT: 'tcp://10.96.0.11:6379' });
    expect(line).toMatch(/^REDIS_PORT must be a whole number.*Kubernetes.*enableServiceLinks: false/);
    expect(problemsOf({ REDIS_PORT: 'udp' })[0]).not.toContain('Kubernetes');
    expect(problemsOf({ PORT: 'tcp://10.96.0.11:80' })[0]).not.toContain('Kubernetes');
  });
});

describe('the environment for files that refer to it', () => {
  it('is looked up by name, and never printed', () => {
    const { environment } = loadConfig({ OTHER: 'hush' });
    expect(environment.value('OTHER')).toBe('hush');
    expect(environment.value('constructor')).toBeUndefined();
    expect(`${inspect(environment)} ${JSON.stringify(environment)}`).not.toContain('hush');
  });
});

describe('WORKERS', () => {
  it('above 1 needs Redis', () => {
    expect(problemsOf({ WORKERS: '2' })).toEqual([
      'WORKERS above 1 needs Redis: set REDIS_URL or REDIS_HOST',
    ]);
    expect(problemsOf({ WORKERS: '1' })).toEqual([]);
    for (const way of ['REDIS_HOST', 'REDIS_CLUSTER_NODES', 'REDIS_SENTINELS']) {
      expect(problemsOf({ WORKERS: '2', [way]: 'r.test' })).toEqual([]);
    }
  });

  it('auto takes one per core', () => {
    expect(loadConfig({ ...REDIS, WORKERS: 'auto' }).workers).toBe(availableParallelism());
  });
});

describe('in production', () => {
  const start = (ADMIN_TOKEN: string, NODE_ENV = 'production'): readonly string[] =>
    problemsOf({ ADMIN_TOKEN, NODE_ENV });

  it.each(['your-secure-admin-token-here', 'Your-Admin-Token', 'changeme', 'change-me', 'SECRET', 'admin'])(
    'the sample admin token %s is refused, elsewhere it is not',
    (token) => {
      expect(start(token)).toEqual(['ADMIN_TOKEN is a sample value: choose a secret one']);
      expect(start(token, 'development')).toEqual([]);
    },
  );

  it('an admin token is long', () => {
    expect(start('a'.repeat(15))).toEqual(['ADMIN_TOKEN must have at least 16 characters in production']);
    expect(start('a'.repeat(16))).toEqual([]);
  });

  it.each([
    ['GATEWAY_JWT_SECRET', 'your-secure-random-secret-of-32-bytes', /sample value/],
    ['GATEWAY_JWT_SECRET', 'a'.repeat(64), /repeats itself/],
    ['GATEWAY_JWT_PREVIOUS_SECRETS', `${SECRET},${'abc'.repeat(20)}`, /repeats itself/],
    ['JWT_SECRET_KEY', 'your_secret_key', /sample value/],
    ['JWT_SECRET_KEY', SECRET.slice(1), /at least 32 bytes/],
  ])('tokens are not signed with what can be guessed: %s=%s', (name, value, problem) => {
    expect(problemsOf({ [name]: value, NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(new RegExp(`^${name} .*${problem.source}`)),
    ]);
    expect(problemsOf({ [name]: value })).toEqual([]);
    expect(problemsOf({ [name]: SECRET, NODE_ENV: 'production' })).toEqual([]);
  });

  it('private upstreams are not allowed unless they are asked for', () => {
    const allowed = (env: Environment): boolean =>
      loadConfig({ NODE_ENV: 'production', ...env }).allowPrivateUpstreams;
    expect([allowed({}), allowed({ ALLOW_PRIVATE_UPSTREAMS: 'true' })]).toEqual([false, true]);
  });
});

describe('secrets of tokens', () => {
  it.each(['GATEWAY_JWT_SECRET', 'GATEWAY_JWT_PREVIOUS_SECRETS'])('%s has 32 bytes', (name) => {
    expect(problemsOf({ [name]: SECRET.slice(1) })).toEqual([`${name} must have at least 32 bytes`]);
    expect(problemsOf({ [name]: 'ä'.repeat(16) })).toEqual([]);
  });

  it('one secret does not stand for two issuers', () => {
    const problem = 'JWT_SECRET_KEY must not be a secret of the gateway’s own tokens too';
    const previous = { GATEWAY_JWT_PREVIOUS_SECRETS: `${SECRET}1,${SECRET}`, JWT_SECRET_KEY: SECRET };
    expect(problemsOf({ GATEWAY_JWT_SECRET: SECRET, JWT_SECRET_KEY: SECRET })).toEqual([problem]);
    expect(problemsOf(previous)).toEqual([problem]);
  });

  it('those that documents may name are kept by their prefix, and no other variable is', () => {
    const { namedSecrets } = loadConfig({
      GATEWAY_SECRET_ACME: 'x',
      GATEWAY_SECRET_EMPTY: '',
      HMAC_SECRET: 'z',
      GATEWAY_JWT_SECRET: SECRET,
      MY_GATEWAY_SECRET_B: 'y',
      PATH: '/bin',
    });
    expect([...namedSecrets]).toEqual([['GATEWAY_SECRET_ACME', 'x'], ['HMAC_SECRET', 'z']]); // prettier-ignore
  });

  it('those that could be guessed sign nothing, but for the one that was judged at the start', () => {
    const { signatureSecrets } = loadConfig({
      GATEWAY_SECRET_GOOD: SECRET,
      GATEWAY_SECRET_SHORT: 'short',
      GATEWAY_SECRET_SAMPLE: `change-me-${SECRET}`,
      GATEWAY_SECRET_DULL: 'a'.repeat(64),
      HMAC_SECRET: 'your-secret-key',
    });
    expect([...signatureSecrets]).toEqual([['GATEWAY_SECRET_GOOD', SECRET], ['HMAC_SECRET', 'your-secret-key']]); // prettier-ignore
  });
});

it.each(['two words', 'tab\there', 'schlüssel'])(
  'the admin token %j fits no header and is refused',
  (token) => {
    for (const NODE_ENV of ['development', 'production']) {
      expect(problemsOf({ ADMIN_TOKEN: token, NODE_ENV })).toEqual([
        'ADMIN_TOKEN must be printable ASCII without spaces',
      ]);
    }
  },
);
