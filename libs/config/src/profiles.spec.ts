import { loadConfig } from './config';
import { problemsOf, type Environment } from './problems-of.spec-data';

const EDGE = { CENTRAL_API_URL: 'http://api:8000' };

describe('what variables declare', () => {
  const BACKENDS = { BACKEND_SERVICES: '{"users":"http://users:8001"}', JWT_SECRET_KEY: 'your_secret_key' };
  const SIGNED = { ...EDGE, ENABLE_HMAC_SIGNING: 'true' };

  it.each<[title: string, env: Environment, port: number]>([
    ['a regional edge', EDGE, 8002],
    ['backend services', BACKENDS, 8000],
    ['both', { ...EDGE, ...BACKENDS }, 8002],
    ['one with a port of its own', { ...EDGE, PORT: '3000' }, 3000],
  ])('%s listens on its documented port unless told otherwise', (_, env, port) => {
    expect(loadConfig(env).port).toBe(port);
  });

  it('shows metrics to everybody where that is documented, unless told otherwise', () => {
    expect(loadConfig(BACKENDS).metricsPublic).toBe(true);
    expect(loadConfig({ ...BACKENDS, METRICS_PUBLIC: 'false' }).metricsPublic).toBe(false);
    expect(loadConfig(EDGE).metricsPublic).toBe(false);
  });

  it.each<[title: string, env: Environment, problems: string[]]>([
    ['signing without a secret', SIGNED, ['ENABLE_HMAC_SIGNING needs HMAC_SECRET']],
    ['services without anybody who signs tokens', { BACKEND_SERVICES: BACKENDS.BACKEND_SERVICES },
      ['BACKEND_SERVICES needs JWT_SECRET_KEY: its services are for those who bring a token']],
    ['the sample secret in production', { ...SIGNED, HMAC_SECRET: 'your-secret-key', NODE_ENV: 'production' },
      ['HMAC_SECRET is a sample value: choose a secret one']],
    ['PROXY protocol of anybody', { PROXY_PROTOCOL: 'accept', TRUSTED_PROXY_HOPS: '1' },
      ['PROXY_PROTOCOL needs TRUSTED_PROXIES: whose word about the client is taken']],
  ])('%s is refused', (_, env, problems) => {
    expect(problemsOf(env)).toEqual(problems);
  }); // prettier-ignore

  it('a password in an URL is not repeated', () => {
    expect(problemsOf({ CENTRAL_API_URL: 'http://u:hush@api' }).join()).not.toContain('hush');
    expect(problemsOf({ ...BACKENDS, BACKEND_SERVICES: '{"a":"http://u:hush@a"}' }).join()).not.toContain(
      'hush',
    );
  });
});

describe('a bad value', () => {
  const bad: [name: string, values: string[]][] = [
    ['TRUSTED_PROXY_HOPS', ['0', '33', 'all']],
    ['CLIENT_ADDRESS_HEADER', ['x-real-ip', 'X-Forwarded-For']],
    ['PROXY_PROTOCOL', ['on', 'v2']],
    ['IP_ALLOWLIST', ['10.0.0.0/33', 'everybody', '*', '10.0.0.1,,10.0.0.2']],
    ['IP_DENYLIST', ['10.*.1', 'fe80::1%eth0']],
    ['CENTRAL_API_URL', ['api:8000', 'ftp://api', 'http://u:p@api', 'http://api?x', 'http://api#x']],
    ['GATEWAY_REGION', ['us east', 'a\r\nb', 'x'.repeat(101)]],
    ['ENABLE_HMAC_SIGNING', ['yes']],
    ['MAX_RETRIES', ['-1', '11', 'all']],
    ['TIMEOUT_SECONDS', ['0', '3601', '30s']],
    [
      'BACKEND_SERVICES',
      [
        'a=http://a',
        '[]',
        'null',
        '{}',
        '{"a":1}',
        '{"a/b":"http://a"}',
        '{"a":"http://x","A":"http://y"}',
        '{"a":"ftp://a"}',
      ],
    ],
    ['RATE_LIMIT_PER_MIN', ['0', '-1']],
    ['RATE_LIMIT_PER_IP', ['0', 'none']],
    ['METRICS_PUBLIC', ['yes']],
  ];

  it.each(bad.flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
    '%s=%j is refused in one line that names it',
    (name, value) => {
      expect(problemsOf({ [name]: value })).toEqual([
        expect.stringMatching(`^${name} (?:must|has) [^\\n]+$`),
      ]);
    },
  );
});
