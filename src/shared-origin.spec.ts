import { loadConfig } from '#libs/config';
import { warnOfSharedOrigin } from './shared-origin';

const ADMIN_TOKEN = 'an-admin-token-for-tests';

function warnings(env: Record<string, string>): string[] {
  const said: string[] = [];
  const logger = { warn: (_fields: unknown, message: string) => void said.push(message) };
  warnOfSharedOrigin(loadConfig({ ADMIN_TOKEN, ...env }), logger as never);
  return said;
}

describe('an origin that the dashboard shares with the data plane', () => {
  it('is warned of once in production, with the way out', () => {
    expect(warnings({ NODE_ENV: 'production' })).toEqual([expect.stringContaining('Set ADMIN_PORT')]);
  });

  it.each([
    ['a first try', {}],
    ['a port of its own', { NODE_ENV: 'production', ADMIN_PORT: '9090' }],
    ['no dashboard', { NODE_ENV: 'production', DASHBOARD: 'false' }],
    [
      'an edge, which serves none there',
      {
        NODE_ENV: 'production',
        CENTRAL_API_URL: 'https://central.test',
        HMAC_SECRET: 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-',
      },
    ],
  ])('is not warned of with %s', (_name, env) => {
    expect(warnings(env as Record<string, string>)).toEqual([]);
  });
});
