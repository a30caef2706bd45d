import { withoutSecrets } from './without-secrets';

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
