import { shownProvider, withKeptSecrets } from './kept-secrets';

const TEXT = 'k7Qm2xVb9RtY4wZc8NhJ5sLd3PfG6uAe';
const SHARED = { issuer: 'partner', audience: 'a', secrets: [TEXT, { env: 'GATEWAY_SECRET_A' }] };
const ASKED = {
  issuer: 'asked',
  introspection: { endpoint: 'https://as.test/', clientId: 'me', clientSecret: 'hush' },
};
const stored = { idp: SHARED, idps: [ASKED] };

describe('a provider that is shown', () => {
  it('has no secret in it', () => {
    const shown = [shownProvider(SHARED), shownProvider(ASKED)];
    expect(JSON.stringify(shown)).not.toMatch(new RegExp(`${TEXT}|hush`));
    expect(shown[0]?.secrets).toEqual([
      { digest: expect.stringMatching(/^[\da-f]{16}$/) as string },
      { env: 'GATEWAY_SECRET_A' },
    ]);
    expect(shown[1]?.introspection?.clientSecret).toEqual({ kept: true });
  });

  it('means the same when it is sent back, whatever else was changed', () => {
    const shown = {
      name: 'new',
      idp: shownProvider(SHARED),
      idps: [{ ...shownProvider(ASKED), clockToleranceSeconds: 9 }],
    };
    expect(withKeptSecrets(stored, shown)).toEqual({
      name: 'new',
      idp: { ...SHARED, jwksUri: undefined },
      idps: [expect.objectContaining({ introspection: ASKED.introspection, clockToleranceSeconds: 9 })],
    });
  });

  it('does not lend its secrets to another issuer, endpoint or client', () => {
    const shown = { ...shownProvider(ASKED), secrets: shownProvider(SHARED).secrets };
    const { introspection } = shownProvider(ASKED);
    for (const changed of [
      { ...shownProvider(SHARED), issuer: 'other' },
      { ...shown, issuer: 'other' },
      { ...shownProvider(ASKED), introspection: { ...introspection, endpoint: 'https://evil.test/' } },
      { ...shownProvider(ASKED), introspection: { ...introspection, clientId: 'other' } },
    ]) {
      expect(withKeptSecrets(stored, { idps: [changed] })).toEqual({ idps: [changed] });
    }
  });

  it('is left alone where nothing is stored, or nonsense', () => {
    const changed = { idp: { issuer: 'partner', secrets: [{ digest: 'x' }] } };
    for (const before of [{}, { idp: 7, idps: {} }, { idps: [null] }])
      expect(withKeptSecrets(before, changed)).toEqual(changed);
  });
});
