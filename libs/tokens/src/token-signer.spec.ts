import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, createLocalJWKSet, jwtVerify } from 'jose';
import type { TokenKeyConfig } from '#libs/config';
import { gatewayKeys, publishedKeys } from './gateway-keys';
import { secretKeyId } from './secret-key-id';
import { TokenSigner } from './token-signer';

const NONE: TokenKeyConfig = { previousSecrets: [], previousKeys: [] };
const SECRET = '0123456789abcdef0123456789abcdef';
const now = Math.floor(Date.now() / 1000);
const CLAIMS = { jti: 'b1b6e1b0', project: 'acme', service: 'modal', iat: now, exp: now + 60 };

const PAIRS: Array<['RS256' | 'ES256' | 'EdDSA', { privateKey: KeyObject; publicKey: KeyObject }]> = [
  ['RS256', generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['ES256', generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  ['EdDSA', generateKeyPairSync('ed25519')],
];

describe('a signed token', () => {
  it('is HS256 by the secret, names it, and has the claims of a service token and no other', async () => {
    const serviceTokens = { ...NONE, secret: SECRET };
    const token = await new TokenSigner({ serviceTokens }).sign({ ...CLAIMS, more: 1 } as typeof CLAIMS);
    const [secret] = gatewayKeys({ serviceTokens }).secrets;
    const { payload, protectedHeader } = await jwtVerify(token, secret!, { algorithms: ['HS256'] });
    expect(payload).toEqual(CLAIMS);
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT', kid: secretKeyId(Buffer.from(SECRET)) });
    // The bytes of the text, as other gateways that share the secret read it.
    expect(secretKeyId(Buffer.from(SECRET))).toBe('3eb1bd439947eb76');
  });

  it.each(PAIRS)('is %s by a private key, and is verified by what is published', async (alg, pair) => {
    const serviceTokens = { ...NONE, secret: SECRET, signingKey: { alg, key: pair.privateKey } };
    const token = await new TokenSigner({ serviceTokens }).sign(CLAIMS);
    const published = publishedKeys(gatewayKeys({ serviceTokens }));
    const keys = createLocalJWKSet(published);
    const { payload, protectedHeader } = await jwtVerify(token, keys);
    expect(payload).toEqual(CLAIMS);
    const kid = await calculateJwkThumbprint(pair.publicKey);
    expect(protectedHeader).toEqual({ alg, typ: 'JWT', kid });
    expect(published.keys).toMatchObject([{ kid, alg, use: 'sig' }]);
    for (const secret of ['d', 'p', 'q', 'k']) expect(published.keys[0]).not.toHaveProperty(secret);
  });

  it('is not made without a key', async () => {
    const refused = new TokenSigner({ serviceTokens: { ...NONE, previousSecrets: [SECRET] } }).sign(CLAIMS);
    await expect(refused).rejects.toMatchObject({ code: 'signing_not_configured' });
  });
});

describe('the keys of the gateway', () => {
  it('are those of now and then those of before, secrets apart from public keys', () => {
    const [rsa, ec, ed] = PAIRS;
    const keys = gatewayKeys({
      serviceTokens: {
        secret: SECRET,
        previousSecrets: ['one', 'two'],
        signingKey: { alg: 'ES256', key: ec![1].privateKey },
        previousKeys: [
          { alg: 'RS256', key: rsa![1].publicKey },
          { alg: 'EdDSA', key: ed![1].publicKey },
        ],
      },
    });
    expect(keys.secrets.map(String)).toEqual([SECRET, 'one', 'two']);
    expect(keys.publicKeys.map(({ alg, key }) => [alg, key.type])).toEqual([
      ['ES256', 'public'],
      ['RS256', 'public'],
      ['EdDSA', 'public'],
    ]);
    expect(publishedKeys(keys).keys).toHaveLength(3);
  });

  it('are none where none are set', () => {
    const keys = gatewayKeys({ serviceTokens: NONE });
    expect(keys).toEqual({ secrets: [], publicKeys: [] });
    expect(publishedKeys(keys)).toEqual({ keys: [] });
  });
});
