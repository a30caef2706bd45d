import { routedPath } from './routed-path';

it.each([
  ['/api', '/'],
  ['/api/', '/'],
  ['/api/v1/users', '/v1/users'],
  ['/api/api/x', '/api/x'],
  ['/api/admin', '/admin'],
])('%s is routed as %s', (path, routed) => {
  expect(routedPath(path)).toBe(routed);
});

it.each([
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
])('%s is not published', (path) => {
  expect(() => routedPath(path)).toThrow(expect.objectContaining({ code: 'not_found' }));
});
