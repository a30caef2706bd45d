import { destinationOf } from './routed-path';

it.each([
  ['/api', '/'],
  ['/api/', '/'],
  ['/api/v1/users', '/v1/users'],
  ['/api/api/x', '/api/x'],
  ['/api/admin', '/admin'],
])('%s is routed as %s', (path, routed) => {
  expect(destinationOf(path)).toEqual({ serviceId: undefined, path: routed });
});

it.each([
  ['/proxy/3', '3', ''],
  ['/proxy/3/', '3', '/'],
  ['/proxy/3/users/1', '3', '/users/1'],
  ['/proxy/3//users', '3', '//users'],
  ['/proxy/api/x', 'api', '/x'],
])('%s leads to the service %s and there to "%s"', (path, serviceId, rest) => {
  expect(destinationOf(path)).toEqual({ serviceId, path: rest });
});

it.each([
  '/proxy',
  '/proxy/',
  '/proxy//x',
  '/Proxy/3',
  '/proxyx/3',
  '/',
  '/ap',
  '/apis',
  '/apix/v1',
  '/API/v1',
  '/Api',
  '/api;x/v1',
  '/api.',
  '/api%20/v1',
  '/v1/api/x',
  '/admin',
])('%s is neither the tenants’ own nor a service’s', (path) => {
  expect(destinationOf(path)).toBeUndefined();
});
