import { randomBytes } from 'node:crypto';
import { csrfTokenOf, seal, sessionName, unseal, type Credential } from './sealed-credential';

const CREDENTIAL: Credential = { header: 'x-api-key', value: 'gh_live_secret' };

it('is read again with its secret and with no other', () => {
  const [secret, other] = [randomBytes(32), randomBytes(32)];
  const text = seal(secret, CREDENTIAL);
  expect(unseal(secret, text)).toEqual(CREDENTIAL);
  expect(unseal(other, text)).toBeUndefined();
  expect(Buffer.from(text, 'base64url').toString('latin1')).not.toContain('secret');
  expect(seal(secret, CREDENTIAL)).not.toBe(text);
});

it.each(['', 'short', 'A'.repeat(100)])('is nothing in %j', (text) => {
  expect(unseal(randomBytes(32), text)).toBeUndefined();
});

it('is nothing once a bit of it is another', () => {
  const secret = randomBytes(32);
  const bytes = Buffer.from(seal(secret, CREDENTIAL), 'base64url');
  for (const place of [0, 13, bytes.length - 1]) {
    const changed = Buffer.from(bytes);
    changed[place]! ^= 1;
    expect(unseal(secret, changed.toString('base64url'))).toBeUndefined();
  }
});

it('gives names and tokens that differ, and say nothing of the secret', () => {
  const secret = randomBytes(32);
  const texts = [csrfTokenOf(secret), sessionName(secret), secret.toString('base64url')];
  expect(new Set(texts).size).toBe(3);
  expect([csrfTokenOf(secret), sessionName(secret)]).toEqual(texts.slice(0, 2));
});
