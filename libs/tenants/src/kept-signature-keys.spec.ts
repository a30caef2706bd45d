import { shownSignatureKeys, withKeptSecrets } from './kept-secrets';

const LONG = 'zK4x9-a-long-random-text-for-signatures';
const stored = {
  signatureKeys: { long: { secret: LONG }, short: { secret: 'guess me' }, env: { secret: { env: 'X' } } },
};
const shown = shownSignatureKeys(stored.signatureKeys);

it('shows nothing by which a secret could be guessed', () => {
  expect(shown).toEqual({
    long: { secret: { digest: expect.stringMatching(/^[0-9a-f]{16}$/) } },
    short: { secret: { kept: true } },
    env: { secret: { env: 'X' } },
  });
});

it('what was shown means what is stored under the same id, and nothing else does', () => {
  expect(withKeptSecrets(stored, { signatureKeys: shown })).toEqual(stored);
  const digest = shown.long?.secret as { digest: string };
  const others = {
    other: { secret: digest },
    env: { secret: { kept: true } },
    long: { secret: { digest: '00' } },
  };
  expect(withKeptSecrets(stored, { signatureKeys: others })).toEqual({ signatureKeys: others });
  const idps = { idp: { issuer: 'a', secrets: [LONG] } };
  expect(withKeptSecrets({ ...stored, ...idps }, { signatureKeys: shown, ...idps })).toEqual({
    ...stored,
    ...idps,
  });
  expect(withKeptSecrets(stored, {})).toEqual({});
});
