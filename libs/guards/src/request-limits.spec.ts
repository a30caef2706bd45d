import type { PublishedRoute } from '#libs/publications';
import { ServedKey, ServedTenant, type Caller, type Route, type Tenant } from '#libs/tenants';
import { limitsOf } from './request-limits';

const NOVEMBER = Date.UTC(2026, 10, 29);
const DECEMBER = Date.UTC(2026, 11, 1);

function callerWith(monthlyQuota?: number): { caller: Caller; routes: Route[] } {
  const tenant = new ServedTenant({
    id: 'acme',
    upstreamBaseUrl: 'http://upstream.test',
    allowedRoutes: [{ path: '/a' }, { path: '/b', rateLimit: { windowSeconds: 1, maxRequests: 2 } }],
  } as Tenant);
  const key = ServedKey.of({
    id: 'k1', tenantId: 'acme', name: 'key', prefix: 'gh_test_', createdAt: '2026-01-01T00:00:00Z', enabled: true, monthlyQuota,
  }); // prettier-ignore
  const routes = ['/a', '/b'].map((path) => tenant.routes.find(path)?.[0] as Route);
  return { caller: key.callerOf(tenant), routes };
}

it('are the same object for one caller at one place, wherever it was meanwhile', () => {
  const { caller, routes } = callerWith();
  const [a, b] = routes as [Route, Route];
  const published = { limitName: 'p', bucket: undefined } as unknown as PublishedRoute;
  const ask = () => [
    limitsOf(caller, a, NOVEMBER),
    limitsOf(caller, b, NOVEMBER),
    limitsOf(caller, a, NOVEMBER, published),
    limitsOf(caller, b, NOVEMBER, published),
  ];
  const first = ask();
  expect(first.map(({ names }) => names)).toEqual([
    ['tenant'],
    ['tenant', 'route'],
    ['tenant'],
    ['tenant', 'route'],
  ]);
  expect(new Set(first).size).toBe(4);
  ask().forEach((limits, i) => expect(limits).toBe(first[i]));
});

it('are worked out anew when the month of a quota is over, at the first place as at the others', () => {
  const { caller, routes } = callerWith(5);
  const months = (now: number) => routes.map((route) => limitsOf(caller, route, now).claim.at(-1)?.key);
  const names = (month: string) => [0, 1].map(() => expect.stringContaining(month) as string);
  expect(months(NOVEMBER)).toEqual(names('2026-11'));
  expect(months(DECEMBER - 1)).toEqual(names('2026-11'));
  expect(months(DECEMBER)).toEqual(names('2026-12'));
  const again = routes.map((route) => limitsOf(caller, route, DECEMBER));
  again.forEach((limits, i) => expect(limitsOf(caller, routes[i] as Route, DECEMBER)).toBe(limits));
});
