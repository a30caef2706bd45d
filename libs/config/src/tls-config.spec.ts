import { loadConfig } from './config';
import { problemsOf, type Environment } from './problems-of.spec-data';

const CERTIFICATES = { TLS_CERT_DIR: '/tls' };

describe('HTTPS', () => {
  const PAIR = { TLS_CERT_FILE: '/a.crt', TLS_KEY_FILE: '/a.key' };

  it.each<[title: string, env: Environment, problems: string[]]>([
    ['without certificates', { TLS_PORT: '8443' }, ['TLS_PORT needs TLS_CERT_FILE and TLS_KEY_FILE, or TLS_CERT_DIR']],
    ['with half a pair', { TLS_PORT: '8443', TLS_CERT_FILE: '/a.crt' }, ['TLS_CERT_FILE needs TLS_KEY_FILE']],
    ['with the other half', { TLS_PORT: '8443', TLS_KEY_FILE: '/a.key', ...CERTIFICATES }, ['TLS_KEY_FILE needs TLS_CERT_FILE']],
    ['on the port of HTTP', { TLS_PORT: '3000', ...PAIR }, ['TLS_PORT must be another port than PORT']],
    ['on the port of the control plane', { TLS_PORT: '4000', ADMIN_PORT: '4000', ...PAIR }, ['TLS_PORT must be another port than ADMIN_PORT']],
  ])('%s is refused', (_, env, problems) => {
    expect(problemsOf(env)).toEqual(problems);
  }); // prettier-ignore

  it('is not offered without a port, whatever is said about certificates', () => {
    expect(loadConfig({ ...PAIR, TLS_STRICT_SNI: 'true' }).tls).toBeUndefined();
  });

  it.each([
    [{}, 0],
    [{ FORCE_HTTPS: 'true' }, 31_536_000],
    [{ FORCE_HTTPS: 'true', HSTS_MAX_AGE_SECONDS: '0' }, 0],
    [{ HSTS_MAX_AGE_SECONDS: '300' }, 300],
  ])('%j keeps browsers on https for %d seconds', (env, seconds) => {
    expect(loadConfig(env).hstsMaxAgeSeconds).toBe(seconds);
  });
});
