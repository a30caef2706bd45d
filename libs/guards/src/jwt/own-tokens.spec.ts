import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { GatewayError } from '#libs/errors';
import { AddressPolicy, trustOf } from '#libs/tenants';
import { secretKeyId } from '#libs/tokens';
import { GATEWAY_SECRET, kidOf, serviceToken } from '../../../../test/support/own-token-attacks';
import { createKey, signCompact, type TestKey } from '../../../../test/support/token-signer';
import type { RevocationDirectory } from './own-tokens';
import { TokenVerifier } from './token-verifier';

const logger = { info: () => {}, warn: () => {} };
const trust = trustOf({});
const pair = createKey('ES256');
const verifiers: TokenVerifier[] = [];
afterEach(() => Promise.all(verifiers.splice(0).map((one) => one.close())));

function newVerifier(check: RevocationDirectory['check'] = () => false, keys: TestKey[] = [pair]) {
  const publicKeys = keys.map(({ kid, alg, privateKey }) => ({ kid, alg, key: createPublicKey(privateKey) }));
  const gateway = { secrets: [Buffer.from(GATEWAY_SECRET)], publicKeys };
  const own = { gateway, sharedSecret: undefined, revocations: { check } };
  const verifier = new TokenVerifier({ logger, addresses: new AddressPolicy(true), own });
  verifiers.push(verifier);
  return verifier;
}
const outcome = async (verifier: TokenVerifier, token: string): Promise<string> => {
  try {
    return (await verifier.verify(token, trust)).issuer;
  } catch (error) {
    return (error as GatewayError).publicDetail ?? (error as GatewayError).code;
  }
};

function signed(key: TestKey, claims: object = {}, header: object = {}): string {
  const own = JSON.parse(Buffer.from(serviceToken().split('.')[1]!, 'base64url').toString()) as object;
  const named = { alg: key.alg, kid: key.kid, ...header };
  return signCompact(JSON.stringify(named), JSON.stringify({ ...own, ...claims }), key.privateKey);
}

it('a secret is named by its digest, as whoever signs does it', () => {
  expect(secretKeyId(Buffer.from(GATEWAY_SECRET))).toBe(kidOf(GATEWAY_SECRET));
});

it('says what a service token says, and whose it is', async () => {
  const token = await newVerifier().verify(serviceToken({ exp: 9_000_000_000, sub: 'robot' }), trust);
  expect(token).toEqual({
    issuer: 'gateway',
    subject: 'robot',
    tokenId: 'token-1',
    project: 'acme',
    service: 'prefect',
    keyId: kidOf(GATEWAY_SECRET),
    expiresAt: 9_000_000_000_000,
    claims: expect.objectContaining({ jti: 'token-1' }) as object,
  });
});

describe('service tokens that are signed with a key pair', () => {
  const other = createKey('ES256');
  const wide = generateKeyPairSync('ec', { namedCurve: 'P-384' });

  it.each<[string, () => string, string]>([
    ['pass', () => signed(pair), 'gateway'],
    ['must name their key', () => signed(pair, {}, { kid: undefined }), 'the token names no key'],
    ['must name one that is known', () => signed(other), 'the token is signed by an unknown key'],
    ['must be signed with it', () => signed({ ...other, kid: pair.kid }), 'the signature does not match'],
    ['must use its algorithm', () => signed({ ...pair, alg: 'ES384', privateKey: wide.privateKey }), 'the algorithm is not accepted'],
    ['must say the same as others', () => signed(pair, { jti: undefined }), 'the token has no id'],
    ['may not be of an issuer', () => signed(pair, { iss: 'gateway' }), 'the token has another issuer'],
    ['do not lend their public key as a secret', () => signCompact(JSON.stringify({ alg: 'HS256', kid: pair.kid }), '{}', Buffer.from(createPublicKey(pair.privateKey).export({ type: 'spki', format: 'pem' }))), 'the token is signed by an unknown key'],
  ])('%s', async (_name, token, expected) => {
    expect(await outcome(newVerifier(), token())).toBe(expected);
  }); // prettier-ignore

  it('are not accepted for what calls itself a MAC', async () => {
    const named = createKey('ES256');
    expect(await outcome(newVerifier(undefined, [{ ...named, alg: 'HS256' }]), signed(named))).toBe(
      'the algorithm is not accepted',
    );
  });
});

describe('whether a service token was revoked', () => {
  it('is asked about every time it is presented, and only then', async () => {
    const asked: string[] = [];
    const revoked = new Set<string>();
    const verifier = newVerifier((jti) => {
      asked.push(jti);
      return revoked.has(jti);
    });
    const token = serviceToken({ jti: 'a' });
    expect([await outcome(verifier, token), await outcome(verifier, token)]).toEqual(['gateway', 'gateway']);
    expect(await outcome(verifier, serviceToken({ jti: 'a' }, {}, 'x'.repeat(32)))).toContain('signature');
    expect(asked).toEqual(['a', 'a']);
    revoked.add('a');
    expect(await outcome(verifier, token)).toBe('the token has been revoked');
    expect(await outcome(verifier, serviceToken({ jti: 'b' }))).toBe('gateway');
    revoked.delete('a');
    expect(await outcome(verifier, token)).toBe('gateway');
  });

  it.each([
    ['later', () => Promise.resolve(true), 'the token has been revoked'],
    ['later', () => Promise.resolve(false), 'gateway'],
    ['not at all', () => Promise.reject(new GatewayError('store_unavailable')), 'store_unavailable'],
    [
      'not at all, at once',
      () => {
        throw new GatewayError('store_unavailable');
      },
      'store_unavailable',
    ],
  ])('may be known %s', async (_when, check, expected) => {
    const verifier = newVerifier(check);
    const token = serviceToken();
    expect([await outcome(verifier, token), await outcome(verifier, token)]).toEqual([expected, expected]);
  });
});

it('nobody’s tokens count where there are no keys', async () => {
  const verifier = new TokenVerifier({ logger, addresses: new AddressPolicy(true) });
  verifiers.push(verifier);
  expect(await outcome(verifier, serviceToken())).toBe('tenant_misconfigured');
  expect(() => verifier.requireIssuer(trust)).toThrow(GatewayError);
});
