import type { Bucket } from '#libs/store';
import { ServedTenant } from './served-tenant';
import type { Tenant } from './tenant';

const IDP = { issuer: 'https://issuer.test', jwksUri: 'https://issuer.test/jwks', audience: 'api.test' };
const served = (more: Partial<Tenant> = {}): ServedTenant =>
  new ServedTenant({
    id: 'acme',
    name: 'ACME',
    upstreamBaseUrl: 'https://api.acme.example',
    allowedRoutes: [{ path: '/v1' }],
    ...more,
  });

describe('the upstream', () => {
  it.each([
    ['http://a.example', 'http://a.example', '', '/', 'a.example'],
    ['http://a.example/', 'http://a.example', '', '/', 'a.example'],
    ['http://a.example///', 'http://a.example', '', '///', 'a.example'],
    ['http://a.example/base', 'http://a.example', '/base', '/base', 'a.example'],
    ['http://a.example/base//', 'http://a.example', '/base', '/base//', 'a.example'],
    ['HTTPS://A.Example:443/Base/', 'https://a.example', '/Base', '/Base/', 'a.example'],
    ['http://a.example:8080/b/c', 'http://a.example:8080', '/b/c', '/b/c', 'a.example:8080'],
    ['http://[::1]:8080', 'http://[::1]:8080', '', '/', '[::1]:8080'],
    ['http://a.example/x/../y', 'http://a.example', '/y', '/y', 'a.example'],
  ])('%s has the origin %s, the base path %j, its own path %s and the host %s', (...row) => {
    const [url, origin, basePath, ownPath, host] = row;
    expect(served({ upstreamBaseUrl: url }).upstream).toEqual({ origin, basePath, ownPath, host });
  });
});

describe('whether a route that says nothing asks for a JWT', () => {
  it.each<[title: string, tenant: Partial<Tenant>, jwt: boolean]>([
    ['no, without an identity provider', {}, false],
    ['yes, with one: whoever names it and forgets the route meant to protect it', { idp: IDP }, true],
    ['no, when the tenant says so', { idp: IDP, auth: { jwt: false } }, false],
    ['yes, when the tenant says so', { idp: IDP, auth: { jwt: true } }, true],
  ])('%s', (_, tenant, jwt) => {
    const rules = [{ path: '/v1' }, { path: '/v1/open', auth: { jwt: false } }];
    const { routes } = served({ ...tenant, allowedRoutes: rules });
    expect(routes.find('/v1/x')?.[0]?.requiresJwt).toBe(jwt);
    expect(routes.find('/v1/open')?.[0]?.requiresJwt).toBe(false);
  });
});

it('has the documented rate limit unless it has its own', () => {
  expect(served().bucket).toMatchObject({ capacity: 100, windowMs: 60_000 });
  const own = served({ rateLimit: { windowSeconds: 10, maxRequests: 7 } });
  expect(own.bucket).toMatchObject({ capacity: 7, windowMs: 10_000 });
  expect(own.windowSeconds).toBe(10);
  expect(own.bucket.key).toContain('acme');
});

it('is suspended only if it says so', () => {
  expect([served(), served({ suspended: false }), served({ suspended: true })].map((t) => t.suspended)).toEqual(
    [false, false, true],
  ); // prettier-ignore
});

describe('the limit of a route', () => {
  const allowedRoutes = [
    { path: '/v1', rateLimit: { maxRequests: 5, windowSeconds: 10 } },
    { path: '/v1', methods: ['POST'], rateLimit: { maxRequests: 1, windowSeconds: 60 } },
    { path: '/v2', rateLimit: { maxRequests: 5, windowSeconds: 10 } },
    { path: '/open' },
  ];
  const limits = (tenant: ServedTenant): Array<Bucket | undefined> =>
    ['/v1', '/v2', '/open']
      .flatMap((path) => tenant.routes.find(path) ?? [])
      .map((route) => tenant.bucketOf(route));

  it('is a bucket of its own, the same at every request', () => {
    const tenant = served({ allowedRoutes });
    const [posts, others, second, open] = limits(tenant);
    expect(open).toBeUndefined();
    expect(posts).toMatchObject({ capacity: 1, windowMs: 60_000 });
    expect(others).toMatchObject({ capacity: 5, windowMs: 10_000 });
    const names = [posts, others, second].map((bucket) => bucket?.key);
    expect(names).toEqual([
      expect.stringMatching(/^rl:\{acme\}:route:[0-9a-f]{12}:60$/),
      expect.stringMatching(/^rl:\{acme\}:route:[0-9a-f]{12}:10$/),
      expect.stringMatching(/^rl:\{acme\}:route:[0-9a-f]{12}:10$/),
    ]);
    expect(new Set(names).size).toBe(3);
    limits(tenant).forEach((bucket, i) => expect(bucket).toBe([posts, others, second, open][i]));
  });

  it('is not shared with tenants that share the route', () => {
    const [one, two] = [served({ allowedRoutes }), served({ id: 'beta', allowedRoutes })];
    expect(one.routes).toBe(two.routes);
    expect(limits(two)[0]?.key).toBe(limits(one)[0]?.key.replace('acme', 'beta'));
    expect(limits(two)[0]).not.toBe(limits(one)[0]);
  });

  it('keeps its name when the document is written differently or changes elsewhere', () => {
    const rewritten = [{ path: '/v3' }, { ...allowedRoutes[2], path: '/v2/*' }];
    const [before] = [served({ allowedRoutes })].map((tenant) => limits(tenant)[2]?.key);
    expect(limits(served({ allowedRoutes: rewritten }))).toMatchObject([{ key: before }]);
  });
});
