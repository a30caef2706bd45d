import {
  constants,
  createHash,
  createPublicKey,
  generateKeyPairSync,
  sign,
  type KeyObject,
} from 'node:crypto';
import type { TokenAttack } from './token-attacks';
import { createKey, createSigner, signCompact, type TestKey, type TokenSigner } from './token-signer';

type Row = [name: string, token: string, reason: string];

const UNSOUND = 'the signature does not match';
const UNKNOWN_KEY = 'the token is signed by an unknown key';
/** Orders of P-256 and of Ed25519. */
const P256_ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const ED25519_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** An issuer that publishes keys of all types under one name, unfit ones too. */
export interface ManyKeys {
  signer: TokenSigner;
  rsa: TestKey;
  ec: TestKey;
  ed: TestKey;
  unfit: Array<[name: string, key: TestKey, alg: string]>;
}

export function createManyKeys(): ManyKeys {
  const signer = createSigner('api.test', 'RS256');
  signer.issuer = 'https://many-keys.test';
  const [ec, ed, p384] = [createKey('ES256'), createKey('EdDSA'), createKey('ES384')];
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const weak: TestKey = {
    alg: 'RS256',
    kid: 'weak',
    privateKey: small.privateKey,
    jwk: { ...small.publicKey.export({ format: 'jwk' }), kid: 'weak' },
  };
  const k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
  const bitcoin: TestKey = {
    alg: 'ES256',
    kid: 'k1',
    privateKey: k1.privateKey,
    jwk: { ...k1.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256' },
  };
  const encrypting = createKey('RS256', { use: 'enc' });
  const mislabelled: TestKey = { ...p384, alg: 'ES256', jwk: { ...p384.jwk, alg: 'ES256' } };
  const unfit: ManyKeys['unfit'] = [
    ['RSA of 1024 bits', weak, 'RS256'],
    ['another curve of the same size', bitcoin, 'ES256'],
    ['a key for encryption', encrypting, 'RS256'],
    ['P-384 that calls itself ES256', mislabelled, 'ES256'],
  ];
  const oct = { kty: 'oct', k: Buffer.from('s'.repeat(32)).toString('base64url'), kid: 'oct', alg: 'HS256' };
  signer.jwks.keys.push(ec.jwk, ed.jwk, oct, ...unfit.map(([, { jwk }]) => jwk));
  return { signer, rsa: signer.key, ec, ed, unfit };
}

/** Signatures that are wrong in the ways of Project Wycheproof's vectors, over tokens that are right in everything else. */
export function signatureAttacks(keys: ManyKeys): TokenAttack[] {
  return [
    ...ecdsaAttacks(keys),
    ...eddsaAttacks(keys),
    ...rsaAttacks(keys),
    ...pssAttacks(keys),
    ...keyAttacks(keys),
  ].map(([name, token, reason]) => ({ name, token, reason }));
}

const bytesOf = (value: bigint, length: number): Buffer =>
  Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex');
const numberIn = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);

/** The signed part of a token, its signature, and a way to put another in its place. */
function taken(token: string) {
  const end = token.lastIndexOf('.');
  return {
    signed: token.slice(0, end),
    signature: Buffer.from(token.slice(end + 1), 'base64url'),
    with: (signature: Buffer) => `${token.slice(0, end)}.${signature.toString('base64url')}`,
  };
}

/** RFC 7518 §3.4: two numbers of 32 bytes each, neither 0 nor the order or above. */
function ecdsaAttacks({ signer, ec }: ManyKeys): Row[] {
  const token = taken(signer.sign({}, {}, ec));
  const [r, s] = [token.signature.subarray(0, 32), token.signature.subarray(32)];
  const [zero, order, most] = [Buffer.alloc(32), bytesOf(P256_ORDER, 32), Buffer.alloc(32, 255)];
  const input = Buffer.from(token.signed);
  const der = sign('sha256', input, ec.privateKey);
  const one = bytesOf(1n, 32);
  const variants: Array<[string, Buffer]> = [
    ['r = s = 0 (CVE-2022-21449)', Buffer.concat([zero, zero])],
    ['r = 0', Buffer.concat([zero, s])],
    ['s = 0', Buffer.concat([r, zero])],
    ['r = s = 1', Buffer.concat([one, one])],
    ['r is the order', Buffer.concat([order, s])],
    ['s is the order', Buffer.concat([r, order])],
    ['r and s are the order', Buffer.concat([order, order])],
    ['r is the order, s is 0', Buffer.concat([order, zero])],
    ['r above the order', Buffer.concat([most, s])],
    ['s above the order', Buffer.concat([r, most])],
    [
      's plus the order, which wraps',
      Buffer.concat([r, bytesOf((numberIn(s) + P256_ORDER) % 2n ** 256n, 32)]),
    ],
    ['r and s exchanged', Buffer.concat([s, r])],
    ['DER in the place of two numbers', der],
    ['a byte short', token.signature.subarray(0, 63)],
    ['r alone', r],
    ['a byte long', Buffer.concat([token.signature, Buffer.alloc(1)])],
    ['a zero before it', Buffer.concat([Buffer.alloc(1), token.signature])],
    ['a zero before each number', Buffer.concat([Buffer.alloc(1), r, Buffer.alloc(1), s])],
    ['numbers of 48 bytes', Buffer.concat([Buffer.alloc(16), r, Buffer.alloc(16), s])],
    ['one byte', Buffer.alloc(1)],
    ['over SHA-384', sign('sha384', input, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })],
    ['over SHA-1', sign('sha1', input, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })],
  ];
  return variants.map(([name, signature]) => [`ES256, ${name}`, token.with(signature), UNSOUND]);
}

/** RFC 8032 §5.1.7. */
function eddsaAttacks({ signer, ed }: ManyKeys): Row[] {
  const token = taken(signer.sign({}, {}, ed));
  const [r, s] = [token.signature.subarray(0, 32), token.signature.subarray(32)];
  const wrapped = bytesOf(numberIn(Buffer.from(s).reverse()) + ED25519_ORDER, 32).reverse();
  const variants: Array<[string, Buffer]> = [
    ['s plus the order: the same signature in another spelling', Buffer.concat([r, wrapped])],
    ['s = 0', Buffer.concat([r, Buffer.alloc(32)])],
    ['zeros', Buffer.alloc(64)],
    ['r of small order', Buffer.concat([Buffer.from([1, ...Buffer.alloc(31)]), s])],
    ['a byte short', token.signature.subarray(0, 63)],
    ['a byte long', Buffer.concat([token.signature, Buffer.alloc(1)])],
    ['bits set above the number', Buffer.concat([r, s.subarray(0, 31), Buffer.from([s[31]! | 0xe0])])],
  ];
  return variants.map(([name, signature]) => [`EdDSA, ${name}`, token.with(signature), UNSOUND]);
}

/** RFC 8017 §8.2.2. */
function rsaAttacks({ signer, rsa }: ManyKeys): Row[] {
  const token = taken(signer.sign({}, {}, rsa));
  const { signature } = token;
  const input = Buffer.from(token.signed);
  const modulus = numberIn(Buffer.from(String(rsa.jwk.n), 'base64url'));
  const raw = (bytes: Buffer): Buffer => privately(rsa.privateKey, bytes);
  const digestOnly = Buffer.concat([
    Buffer.from([0, 1]), Buffer.alloc(221, 255), Buffer.from([0]), createHash('sha256').update(input).digest(),
  ]); // prettier-ignore
  const variants: Array<[string, Buffer]> = [
    ['a byte short', signature.subarray(0, 255)],
    ['a byte long', Buffer.concat([signature, Buffer.alloc(1)])],
    ['a zero before it', Buffer.concat([Buffer.alloc(1), signature])],
    ['1', bytesOf(1n, 256)],
    ['the modulus', bytesOf(modulus, 256)],
    ['the modulus less 1', bytesOf(modulus - 1n, 256)],
    ['plus the modulus', bytesOf(numberIn(signature) + modulus, 257)],
    ['all bits', Buffer.alloc(256, 255)],
    ['over SHA-1', sign('sha1', input, rsa.privateKey)],
    ['over SHA-512', sign('sha512', input, rsa.privateKey)],
    ['a digest without its name', raw(digestOnly)],
    ['padding of the other type', raw(Buffer.concat([Buffer.from([0, 2]), digestOnly.subarray(2)]))],
  ];
  return variants.map(([name, bytes]) => [`RS256, ${name}`, token.with(bytes), UNSOUND]);
}

/** What a signature is before it is padded. */
function privately(key: KeyObject, block: Buffer): Buffer {
  const { n, d } = key.export({ format: 'jwk' });
  const [modulus, exponent] = [n, d].map((part) => numberIn(Buffer.from(part!, 'base64url'))) as [
    bigint,
    bigint,
  ];
  let [result, base] = [1n, numberIn(block)];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * base) % modulus;
    base = (base * base) % modulus;
  }
  return bytesOf(result, 256);
}

/** RFC 7518 §3.5: the salt is as long as the hash. */
function pssAttacks({ signer, rsa }: ManyKeys): Row[] {
  const token = taken(signer.sign({}, {}, { ...rsa, alg: 'PS256' }));
  const input = Buffer.from(token.signed);
  const pss = (hash: string, saltLength: number): Buffer =>
    sign(hash, input, { key: rsa.privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  const variants: Array<[string, Buffer]> = [
    ['no salt', pss('sha256', 0)],
    ['a salt of 20 bytes', pss('sha256', 20)],
    ['the longest salt', pss('sha256', constants.RSA_PSS_SALTLEN_MAX_SIGN)],
    ['over SHA-384', pss('sha384', 48)],
    ['over SHA-1', pss('sha1', 20)],
    ['PKCS #1 padding', sign('sha256', input, rsa.privateKey)],
    ['zeros', Buffer.alloc(256)],
  ];
  return variants.map(([name, bytes]) => [`PS256, ${name}`, token.with(bytes), UNSOUND]);
}

function keyAttacks({ signer, rsa, ec, ed, unfit }: ManyKeys): Row[] {
  const signed = (key: TestKey, alg: string): string => signer.sign({}, { alg, kid: key.kid }, key);
  const header = (alg: string, kid: string): string => JSON.stringify({ alg, kid });
  const now = Math.floor(Date.now() / 1000);
  const payload = JSON.stringify({ iss: signer.issuer, aud: 'api.test', exp: now + 600 });
  const notAccepted = 'the algorithm is not accepted';
  const publicKey = createPublicKey(ec.privateKey);
  const secrets: Array<[string, string | Buffer]> = [
    ['PEM', publicKey.export({ type: 'spki', format: 'pem' })],
    ['DER', publicKey.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(ec.jwk)],
    ['x', Buffer.from(String(ec.jwk.x), 'base64url')],
  ];
  return [
    ...unfit.map(([name, key, alg]): Row => [`published, but unfit: ${name}`, signed(key, alg), UNKNOWN_KEY]),
    ...secrets.map(([form, secret]): Row => [
      `HS256 with the EC key as secret (${form})`,
      signCompact(header('HS256', ec.kid), payload, Buffer.from(secret)),
      notAccepted,
    ]),
    [
      'HS256 with a secret that the issuer published',
      signCompact(header('HS256', 'oct'), payload, Buffer.from('s'.repeat(32))),
      notAccepted,
    ],
    ['EC signature under the RSA key’s name', signer.sign({}, { kid: rsa.kid }, ec), 'the key is not for this algorithm'],
    ['RSA signature under the EC key’s name', signer.sign({}, { kid: ec.kid }, rsa), 'the key is not for this algorithm'],
    ['ES256 by the Ed25519 key’s name', signer.sign({}, { kid: ed.kid }, ec), 'the key is not for this algorithm'],
    ['ES384 by a P-256 key', signer.sign({}, { alg: 'ES384' }, ec), 'the key is not for this algorithm'],
    ['a deep forgery', signCompact(header('RS256', rsa.kid), deep(payload), createKey('RS256').privateKey), 'the token is nested too deeply'],
  ]; // prettier-ignore
}

/** As deep as a token may be long. */
function deep(payload: string): string {
  return payload.replace('}', `,"x":${'['.repeat(1500)}${']'.repeat(1500)}}`);
}
