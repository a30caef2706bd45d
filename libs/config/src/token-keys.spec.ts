import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig } from './config';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-token-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

function keyFile(name: string, text: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).problems;
  }
}

const pem = { type: 'pkcs8', format: 'pem' } as const;
const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ED25519 = generateKeyPairSync('ed25519');
const PUBLIC_FILE = keyFile('public.pem', ED25519.publicKey.export({ type: 'spki', format: 'pem' }));
const SECRET = '0123456789abcdef'.repeat(2);

describe('the keys of service tokens', () => {
  const rsa = (modulusLength: number): Buffer =>
    Buffer.from(generateKeyPairSync('rsa', { modulusLength }).privateKey.export(pem));
  const ec = (namedCurve: string): string =>
    generateKeyPairSync('ec', { namedCurve }).privateKey.export(pem).toString();
  const encrypted = P256.privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'x' });

  it.each([
    ['rsa.pem', rsa(2048), 'RS256'],
    ['p256.pem', P256.privateKey.export(pem), 'ES256'],
    ['ed25519.pem', ED25519.privateKey.export(pem), 'EdDSA'],
  ])('%s is read', (name, text, alg) => {
    const file = keyFile(name, text);
    const { signingKey } = loadConfig({ GATEWAY_JWT_PRIVATE_KEY_FILE: file }).serviceTokens;
    expect(signingKey).toMatchObject({ alg, key: { type: 'private' } });
    // Of a private key, its public half.
    const { previousKeys } = loadConfig({ GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES: file }).serviceTokens;
    expect(previousKeys).toMatchObject([{ alg, key: { type: 'public' } }]);
  });

  it.each([
    [
      'rsa1024.pem',
      rsa(1024),
      'is not an RSA key of at least 2048 bits, an EC key on P-256 or an Ed25519 key',
    ],
    [
      'p384.pem',
      ec('P-384'),
      'is not an RSA key of at least 2048 bits, an EC key on P-256 or an Ed25519 key',
    ],
    ['encrypted.pem', encrypted, 'is no unencrypted PEM file of a key'],
    ['text.pem', 'secret text', 'is no unencrypted PEM file of a key'],
  ])('%s is refused, and nothing of it shown', (name, text, reason) => {
    const file = keyFile(name, text);
    for (const setting of ['GATEWAY_JWT_PRIVATE_KEY_FILE', 'GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES']) {
      expect(problemsOf({ [setting]: file })).toEqual([`${setting} has '${file}', which ${reason}`]);
    }
  });

  it('do not sign with a public key, and name a file that is not there', () => {
    expect(problemsOf({ GATEWAY_JWT_PRIVATE_KEY_FILE: PUBLIC_FILE })).toEqual([
      `GATEWAY_JWT_PRIVATE_KEY_FILE has '${PUBLIC_FILE}', which is no unencrypted PEM file of a key`,
    ]);
    expect(problemsOf({ GATEWAY_JWT_PRIVATE_KEY_FILE: '/nowhere.pem' })).toEqual([
      expect.stringMatching(
        /^GATEWAY_JWT_PRIVATE_KEY_FILE has '\/nowhere.pem', which cannot be read: ENOENT/,
      ),
    ]);
  });

  it.each([
    ['your-secure-random-secret-of-any-length', 'is a sample value: choose a secret one'],
    ['CHANGEME-changeme-changeme-changeme', 'is a sample value: choose a secret one'],
    ['a'.repeat(64), 'repeats itself: choose a random one'],
    ['12345'.repeat(10), 'repeats itself: choose a random one'],
  ])('are not %j in production', (secret, reason) => {
    for (const name of ['GATEWAY_JWT_SECRET', 'GATEWAY_JWT_PREVIOUS_SECRETS']) {
      expect(problemsOf({ [name]: secret, NODE_ENV: 'production' })).toEqual([`${name} ${reason}`]);
      expect(problemsOf({ [name]: secret })).toEqual([]);
    }
  });

  it('are not the admin token in production', () => {
    const env = { GATEWAY_JWT_SECRET: SECRET, ADMIN_TOKEN: SECRET, NODE_ENV: 'production' };
    expect(problemsOf(env)).toEqual(['GATEWAY_JWT_SECRET must not be the ADMIN_TOKEN']);
    expect(problemsOf({ ...env, ADMIN_TOKEN: `x${SECRET}` })).toEqual([]);
  });
});
