import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from './config';
import { problemsOf, type Environment } from './problems-of.spec-data';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-redis-config-'));
const CA_FILE = join(folder, 'ca.pem');
writeFileSync(CA_FILE, 'the authority');
afterAll(() => rmSync(folder, { recursive: true }));
const REDIS = { REDIS_URL: 'redis://redis.test' };

describe('where Redis is', () => {
  it.each<[title: string, env: Environment, redis: object]>([
    ['a URL', { REDIS_URL: 'redis://r.test' }, { topology: 'standalone', nodes: [{ host: 'r.test', port: 6379 }], db: 0, tls: undefined, username: undefined, password: undefined, commandTimeoutMs: 500 }],
    ['a URL with everything', { REDIS_URL: 'redis://us%40er:p%2Fw@r.test:7000/2' }, { nodes: [{ host: 'r.test', port: 7000 }], username: 'us@er', password: 'p/w', db: 2 }],
    ['a URL with a password only', { REDIS_URL: 'redis://:pw@r.test', REDIS_USERNAME: 'gate' }, { username: 'gate', password: 'pw' }],
    ['a URL over the variables for the same', { REDIS_URL: 'redis://a:b@r.test/0', REDIS_USERNAME: 'c', REDIS_PASSWORD: 'd', REDIS_DB: '5' }, { username: 'a', password: 'b', db: 0 }],
    ['a URL with an IPv6 address', { REDIS_URL: 'redis://[fd00::1]:7000' }, { nodes: [{ host: 'fd00::1', port: 7000 }] }],
    ['a URL that says more than a host', { REDIS_URL: 'redis://a.test', REDIS_HOST: 'b.test', REDIS_PORT: '7' }, { nodes: [{ host: 'a.test', port: 6379 }] }],
    ['a host', { REDIS_HOST: 'r.test', REDIS_PORT: '7000', REDIS_DB: '4' }, { topology: 'standalone', nodes: [{ host: 'r.test', port: 7000 }], db: 4 }],
    ['a cluster', { REDIS_CLUSTER_NODES: 'a.test,b.test', REDIS_PASSWORD: 'pw' }, { topology: 'cluster', nodes: [{ host: 'a.test', port: 6379 }, { host: 'b.test', port: 6379 }], password: 'pw' }],
    ['sentinels', { REDIS_SENTINELS: 'a.test', REDIS_DB: '1' }, { topology: 'sentinel', nodes: [{ host: 'a.test', port: 26379 }], sentinelMaster: 'mymaster', db: 1 }],
    ['rediss://', { REDIS_URL: 'rediss://r.test' }, { tls: { rejectUnauthorized: true } }],
    ['rediss:// with an authority of its own', { REDIS_URL: 'rediss://r.test', REDIS_TLS_CA_FILE: CA_FILE }, { tls: { rejectUnauthorized: true, ca: 'the authority' } }],
    ['a cluster by TLS', { REDIS_CLUSTER_NODES: 'a.test', REDIS_TLS: 'true', REDIS_TLS_REJECT_UNAUTHORIZED: '0' }, { tls: { rejectUnauthorized: false } }],
    ['no TLS, whatever is said about certificates', { REDIS_HOST: 'r.test', REDIS_TLS_CA_FILE: '/nowhere', REDIS_TLS_REJECT_UNAUTHORIZED: 'false' }, { tls: undefined }],
  ])('%s', (_, env, redis) => {
    expect(loadConfig(env).redis).toMatchObject(redis);
  }); // prettier-ignore

  it('is nowhere while only its details are set', () => {
    const details = { REDIS_PORT: '7000', REDIS_PASSWORD: 'pw', REDIS_DB: '3', REDIS_TLS: 'true' };
    expect(loadConfig(details).redis).toBeUndefined();
  });

  it.each<[env: Environment, line: string]>([
    [{ ...REDIS, REDIS_CLUSTER_NODES: 'a' }, 'REDIS_URL and REDIS_CLUSTER_NODES exclude each other'],
    [{ ...REDIS, REDIS_SENTINELS: 'a' }, 'REDIS_URL and REDIS_SENTINELS exclude each other'],
    [{ REDIS_HOST: 'a', REDIS_CLUSTER_NODES: 'a' }, 'REDIS_HOST and REDIS_CLUSTER_NODES exclude each other'],
    [{ REDIS_HOST: 'a', REDIS_SENTINELS: 'a' }, 'REDIS_HOST and REDIS_SENTINELS exclude each other'],
    [{ REDIS_CLUSTER_NODES: 'a', REDIS_SENTINELS: 'a' }, 'REDIS_CLUSTER_NODES and REDIS_SENTINELS exclude each other'],
    [{ REDIS_CLUSTER_NODES: 'a', REDIS_DB: '1' }, 'REDIS_DB cannot be used with Redis Cluster'],
    [{ REDIS_URL: 'redis://r.test/main' }, 'REDIS_URL must end with a database number, such as /0'],
    [{ REDIS_URL: 'redis://:50%@r.test' }, 'REDIS_URL has a user or password that is not percent-encoded'],
  ])('%j is refused', (env, line) => {
    expect(problemsOf(env)).toEqual([line]);
  }); // prettier-ignore

  it('names the file of an authority that cannot be read', () => {
    const env = { REDIS_URL: 'rediss://r.test', REDIS_TLS_CA_FILE: join(folder, 'missing.pem') };
    expect(problemsOf(env)).toEqual([
      expect.stringMatching(/^REDIS_TLS_CA_FILE cannot be read: .*missing\.pem/),
    ]);
  });
});
