import { generateKeyPairSync } from 'node:crypto';
import { createKey } from '../../../../test/support/token-signer';
import { parseKeySet, succeed, suitableKey } from './key-set';

const rsa = createKey('RS256');
const ec = createKey('ES256');
const setOf = (...keys: unknown[]) => parseKeySet(JSON.stringify({ keys }));

const rsaJwk = (modulusLength: number, publicExponent = 0x10001) => ({
  ...generateKeyPairSync('rsa', { modulusLength, publicExponent }).publicKey.export({ format: 'jwk' }),
  kid: 'rsa',
});

describe('which published keys are used', () => {
  const used: Array<[string, Record<string, unknown>, string[]]> = [
    ['RSA', { ...rsa.jwk }, ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['RSA for one algorithm', { ...rsa.jwk, alg: 'PS384' }, ['PS384']],
    ['without use', { ...ec.jwk, use: undefined }, ['ES256']],
    ['key_ops verify', { ...ec.jwk, use: undefined, key_ops: ['verify'] }, ['ES256']],
    ['P-384', { ...createKey('ES384').jwk }, ['ES384']],
    ['P-521', { ...createKey('ES512').jwk }, ['ES512']],
    ['Ed25519', { ...createKey('EdDSA').jwk }, ['EdDSA', 'Ed25519']],
    ['exponent 3', rsaJwk(2048, 3), ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
  ];
  it.each(used)('%s', (_name, jwk, algorithms) => {
    expect(setOf(jwk).get(jwk.kid as string)).toMatchObject([{ kid: jwk.kid, algorithms, retired: false }]);
  });

  const secret = { kty: 'oct', kid: 'secret', k: Buffer.alloc(32).toString('base64url'), alg: 'HS256' };
  const unused: Array<[string, unknown]> = [
    ['a shared secret', secret],
    ['a shared secret that says RS256', { ...secret, alg: 'RS256' }],
    ['encryption', { ...rsa.jwk, use: 'enc' }],
    ['an encryption algorithm', { ...rsa.jwk, alg: 'RSA-OAEP' }],
    ['an algorithm of another type', { ...rsa.jwk, alg: 'ES256' }],
    ['HS256 on an RSA key', { ...rsa.jwk, alg: 'HS256' }],
    ['an algorithm that is no text', { ...rsa.jwk, alg: ['RS256'] }],
    ['key_ops encrypt', { ...rsa.jwk, key_ops: ['encrypt'] }],
    ['key_ops that is no list', { ...rsa.jwk, key_ops: 'verify' }],
    ['1024 bits', rsaJwk(1024)],
    ['exponent 1', { ...rsa.jwk, e: 'AQ' }],
    ['an enormous exponent', { ...rsa.jwk, e: Buffer.alloc(32, 0xff).toString('base64url') }],
    ['a modulus that is no number', { ...rsa.jwk, n: '!' }],
    ['a point off the curve', { ...ec.jwk, y: ec.jwk.x }],
    ['a curve nobody asked for', { ...ec.jwk, crv: 'secp256k1' }],
    ['X25519', { ...createKey('EdDSA').jwk, crv: 'X25519' }],
    ['a private key', { ...ec.privateKey.export({ format: 'jwk' }), kid: 'private' }],
    ['no kid', { ...rsa.jwk, kid: undefined }],
    ['a kid that is no text', { ...rsa.jwk, kid: 7 }],
    ['an unknown type', { ...rsa.jwk, kty: 'toString' }],
    ['null', null],
    ['a text', 'key'],
  ];
  it.each(unused)('not %s', (_name, jwk) => {
    expect(() => setOf(jwk)).toThrow('no usable key');
    expect([...setOf(jwk, ec.jwk).keys()]).toEqual([ec.kid]);
  });
});

it.each([
  ['an HTML page', '<html>', /JSON/],
  ['null', 'null', /not a JWK Set/],
  ['a list', '[]', /not a JWK Set/],
  ['keys that are no list', '{"keys":{}}', /not a JWK Set/],
  ['no keys', '{"keys":[]}', /no usable key/],
  ['more keys than anybody needs', JSON.stringify({ keys: Array(101).fill(ec.jwk) }), /more than 100/],
])('refuses %s', (_name, document, message) => {
  expect(() => parseKeySet(document)).toThrow(message);
});

it('tells keys of one kid apart by algorithm, and takes the first of a type', () => {
  const keys = setOf(
    { ...rsa.jwk, kid: 'one' },
    { ...ec.jwk, kid: 'one' },
    { ...rsaJwk(2048), kid: 'one' },
  ).get('one')!;
  expect(suitableKey(keys, 'RS256')).toBe(keys[0]);
  expect(suitableKey(keys, 'ES256')).toBe(keys[1]);
  expect(suitableKey(keys, 'ES384')).toBeUndefined();
});

describe('when a key set follows another', () => {
  const [key] = setOf(rsa.jwk).get(rsa.kid)!;
  const previous = new Map([[rsa.kid, [key!]]]);

  it('keeps the keys that are in both', () => {
    const next = succeed(previous, setOf(ec.jwk, { ...rsa.jwk, x5t: 'a member that does not matter' }));
    expect(next.get(rsa.kid)![0]).toBe(key);
    expect(key!.retired).toBe(false);
  });

  it.each([
    ['is gone', ec.jwk],
    ['has other material', { ...rsaJwk(2048), kid: rsa.kid }],
    ['is narrowed to another algorithm', { ...rsa.jwk, alg: 'PS256' }],
  ])('retires one that %s', (_name, jwk) => {
    const [old] = setOf(rsa.jwk).get(rsa.kid)!;
    const next = succeed(new Map([[rsa.kid, [old!]]]), setOf(jwk));
    expect(old!.retired).toBe(true);
    expect([...next.values()].flat()).not.toContain(old);
  });
});
