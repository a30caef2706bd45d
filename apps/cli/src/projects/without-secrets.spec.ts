import { withSecretsHidden, withoutSecrets } from './without-secrets';

describe('withoutSecrets', () => {
  it('leaves out secrets and headers that carry them, and says where they were', () => {
    const found: string[] = [];
    const document = {
      name: 'token',
      auth: { jwt: true, apiKey: true, claimHeaders: { sub: 'X-User' } },
      idp: { issuer: 'x', secrets: ['hush'], clientSecret: 'hush' },
      routes: [
        {
          path: '/secret',
          requestHeaders: {
            Authorization: 'Bearer x',
            'X-Env': 'a',
            'X-Api-Key': '',
            'x-internal-token': 'y',
          },
        },
      ],
    };
    expect(withoutSecrets(document, (field) => found.push(field))).toEqual({
      name: 'token',
      auth: { jwt: true, apiKey: true, claimHeaders: { sub: 'X-User' } },
      idp: { issuer: 'x' },
      routes: [{ path: '/secret', requestHeaders: { 'X-Env': 'a', 'X-Api-Key': '' } }],
    });
    expect(found).toEqual([
      'idp.secrets',
      'idp.clientSecret',
      'routes.0.requestHeaders.Authorization',
      'routes.0.requestHeaders.x-internal-token',
    ]);
  });
});

describe('withSecretsHidden', () => {
  it('shows no secret, and still whether two are the same', () => {
    const of = (value: string) => ({ routes: [{ requestHeaders: { Authorization: value, 'X-Env': 'a' } }] });
    const [one, same, other] = [of('hush'), of('hush'), of('hush!')].map((each) => withSecretsHidden(each));
    expect(one).toEqual(same);
    expect(one).not.toEqual(other);
    expect(JSON.stringify([one, other])).not.toContain('hush');
    expect(one?.routes[0]?.requestHeaders['X-Env']).toBe('a');
    const named = { idp: { secrets: [{ env: 'GATEWAY_SECRET_A' }, { digest: '12ab' }] } };
    expect(withSecretsHidden(named)).toEqual(named);
  });
});
