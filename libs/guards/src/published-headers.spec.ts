import { checkPublication } from '#libs/publications';
import { headerRule } from './header-rules';

/** What the gateway reads from clients, and yet lets a route set: it is the upstream's as much as its own. */
const SHARED = ['authorization', 'origin'];

it.each([
  ...[
    'Host',
    'Connection',
    'Content-Length',
    'Transfer-Encoding',
    'X-API-Key',
    'Expect',
    'Upgrade',
    'TE',
    'X-Request-Id',
  ],
  ...[
    'X-Forwarded-For',
    'X-Forwarded-Anything',
    'Forwarded',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
  ],
  ...[
    'Proxy-Authenticate',
    'Trailer',
    'HTTP2-Settings',
    'X-Admin-Token',
    'X-Real-IP',
    'Proxy',
    'X-Original-URL',
  ],
  ...[
    'X-Rewrite-URL',
    'X-HTTP-Method-Override',
    'X-HTTP-Method',
    'X-Method-Override',
    'X-Gateway-Tenant',
    'X_Api_Key',
  ],
  ...['Authorization', 'Origin', 'X-User', 'Cookie', 'Accept', 'User-Agent', 'X_User'],
])('what clients may not send on, routes may not set: %s', (name) => {
  const rule = { name: 'a', path: '/a', backends: [{ service: '1' }], requestHeaders: { [name]: 'x' } };
  const refused = checkPublication({ tenantId: 'acme', routes: [rule] }).problems !== undefined;
  const known = headerRule(name);
  // Cookies are sent on, but for those of the dashboard.
  const sent = known.rule === 'forward' || known.rule === 'cookie';
  expect(refused).toBe(!sent && !SHARED.includes(known.name));
});
