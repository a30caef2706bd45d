import type { GatewayError } from '#libs/errors';
import {
  AddressPolicy,
  TOKEN_ALGORITHMS,
  trustOf,
  type IdentityProvider,
  type TokenTrust,
} from '#libs/tenants';
import { startFakeIssuer, type FakeIssuer } from '../../../../test/support/identity-provider';
import { tokenAttacks } from '../../../../test/support/token-attacks';
import { createSigner } from '../../../../test/support/token-signer';
import { TokenVerifier, type TokenVerifierOptions } from './token-verifier';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const signer = createSigner();
const { audience } = signer;
const logger = { info: () => {}, warn: () => {} } as unknown as TokenVerifierOptions['logger'];

let issuer: FakeIssuer;
let idp: IdentityProvider;
/** A fresh one for each test; `clock` moves its time. */
let verifier: TokenVerifier;
let clock: number;

beforeAll(async () => {
  issuer = await startFakeIssuer(signer);
  idp = { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience };
});
beforeEach(() => {
  clock = 0;
  verifier = newVerifier();
  issuer.behave('ok');
  issuer.fetches = 0;
});
afterEach(() => verifier.close());
afterAll(() => issuer.stop());

function newVerifier(options: Partial<TokenVerifierOptions> = {}): TokenVerifier {
  const now = (): number => Date.now() + clock;
  return new TokenVerifier({
    logger,
    addresses: new AddressPolicy(true),
    now,
    fetchTimeoutMs: 1000,
    ...options,
  });
}

/** The trust of a tenant that has one identity provider. */
const trusting = (by: IdentityProvider): TokenTrust => trustOf({ idp: by });
/** Throwing and rejecting are one to the caller. */
const verify = async (token: string, by = idp) => verifier.verify(token, trusting(by));
const refusalOf = async (token: string, by = idp): Promise<Partial<GatewayError>> =>
  verify(token, by).then(
    () => ({ message: 'let in' }),
    ({ code, publicDetail, headers }: GatewayError) => ({ code, publicDetail, headers }),
  );

describe('a valid token', () => {
  it('proves its subject', async () => {
    const exp = Math.floor(Date.now() / 1000) + 100;
    await expect(verify(issuer.sign({ exp, role: 'reader' }))).resolves.toEqual({
      subject: 'somebody',
      issuer: issuer.issuer,
      expiresAt: exp * 1000,
      claims: expect.objectContaining({ role: 'reader', aud: audience }) as object,
      keyId: issuer.key.kid,
    });
  });

  it.each(TOKEN_ALGORITHMS)('is accepted with %s, unless the tenant leaves that out', async (algorithm) => {
    const own = await startFakeIssuer(createSigner(audience, algorithm));
    const by = { ...idp, jwksUri: own.jwksUri };
    await expect(verify(own.sign(), by)).resolves.toMatchObject({ keyId: own.key.kid });
    const others = TOKEN_ALGORITHMS.filter((other) => other !== algorithm);
    await expect(verify(own.sign(), { ...by, algorithms: others })).rejects.toThrow('algorithm');
    await own.stop();
  });

  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['one audience of several', { aud: ['other', audience] }, {}],
    ['no subject', { sub: undefined }, {}],
    ['clocks a little apart', { nbf: Date.now() / 1000 + 4, iat: Date.now() / 1000 + 4 }, {}],
    ['no type', {}, { typ: undefined }],
    ['the type of an access token (RFC 9068)', {}, { typ: 'at+jwt' }],
    ['a certificate thumbprint', {}, { x5t: 'AAAA' }],
    ['claims of one name at different depths', { act: { sub: 'a', act: { sub: 'b' } } }, {}],
    ['text that looks like members', { note: '{"sub":"a","sub":"b"}\\' }, {}],
    ['a subject in another script', { sub: 'Жанна ☃' }, {}],
  ])('may have %s', async (_name, claims, header) => {
    await expect(verify(issuer.sign(claims, header))).resolves.toBeDefined();
  });
});

describe('a forged or unfit token is refused', () => {
  it.each(tokenAttacks(signer))('$name', async ({ token, reason }) => {
    expect(await refusalOf(token)).toEqual({
      code: 'invalid_jwt',
      publicDetail: reason,
      headers: { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${reason}"` },
    });
    expect(issuer.fetches).toBeLessThanOrEqual(1);
    // A refusal leaves no verdict behind.
    expect(await refusalOf(token)).toMatchObject({ code: 'invalid_jwt' });
  });

  it('without a fetch when nothing could make it valid', async () => {
    for (const token of [
      '',
      'a.b.c',
      issuer.sign({ aud: 'other' }),
      issuer.sign({ exp: 1 }),
      issuer.sign({}, { kid: '' }),
    ]) {
      expect(await refusalOf(token)).toMatchObject({ code: 'invalid_jwt' });
    }
    expect(issuer.fetches).toBe(0);
  });

  it('when the settings name an algorithm that nobody should', async () => {
    const algorithms = ['none', 'HS256'];
    expect(await refusalOf(issuer.sign(), { ...idp, algorithms })).toMatchObject({ code: 'invalid_jwt' });
  });
});

describe('a known token', () => {
  it('is answered at once, for equal settings only', async () => {
    const token = issuer.sign();
    const verified = await verify(token);
    expect(verifier.verify(token, trusting(idp))).toBe(verified);
    expect(verifier.verify(token, trusting({ ...idp }))).toBe(verified);
    const others = { audience: 'other', issuer: 'other', algorithms: ['ES256'] };
    for (const [field, value] of Object.entries(others)) {
      expect(await refusalOf(token, { ...idp, [field]: value })).toMatchObject({ code: 'invalid_jwt' });
    }
    const dead = { ...idp, jwksUri: `${issuer.jwksUri}?other` };
    issuer.behave('error');
    expect(await refusalOf(token, dead)).toMatchObject({ code: 'jwks_unavailable' });
    expect(verifier.verify(token, trusting(idp))).toBe(verified);
  });

  it('is verified once for all who present it at the same time', async () => {
    const token = issuer.sign();
    const verified = await Promise.all(Array.from({ length: 100 }, () => verify(token)));
    expect(new Set(verified).size).toBe(1);
    expect(issuer.fetches).toBe(1);
  });

  it('ends with its expiry, to the millisecond', async () => {
    let now = Date.now();
    const punctual = newVerifier({ now: () => now });
    const exp = Math.floor(now / 1000) + 100;
    const token = issuer.sign({ exp });
    const verified = await punctual.verify(token, trusting(idp));
    now = exp * 1000 - 1;
    expect(punctual.verify(token, trusting(idp))).toBe(verified);
    now += 1;
    expect(() => punctual.verify(token, trusting(idp))).toThrow('the token has expired');
    await expect((async () => punctual.verify(token, trusting(idp)))()).rejects.toThrow(
      'the token has expired',
    );
    await punctual.close();
  });

  it('goes on while the endpoint is away, for one hour', async () => {
    const token = issuer.sign({ exp: Math.floor(Date.now() / 1000) + 7200 });
    await verify(token);
    issuer.behave('error');
    clock = 59 * MINUTE;
    await expect(verify(token)).resolves.toBeDefined();
    clock = 60 * MINUTE;
    expect(await refusalOf(token)).toMatchObject({
      code: 'jwks_unavailable',
      headers: { 'Retry-After': '1' },
    });
    clock = 61 * MINUTE;
    issuer.behave('ok');
    await expect(verify(token)).resolves.toBeDefined();
  });

  it('falls with its key, and a token of the next key stands', async () => {
    const token = issuer.sign();
    await verify(token);
    issuer.rotateKeys({ keepOld: false });
    await expect(verify(issuer.sign())).resolves.toMatchObject({ keyId: issuer.key.kid });
    expect(await refusalOf(token)).toMatchObject({ publicDetail: 'the token is signed by an unknown key' });
    expect(issuer.fetches).toBe(2);
  });

  it('is verified anew when its issuer was pushed out by others', async () => {
    const small = newVerifier({ maxSources: 1 });
    const token = issuer.sign();
    const verified = await small.verify(token, trusting(idp));
    await small.verify(token, trusting({ ...idp, jwksUri: `${issuer.jwksUri}?other` }));
    await expect(small.verify(token, trusting(idp))).resolves.toEqual(verified);
    expect(issuer.fetches).toBe(3);

    // A source that begins anew knows only what is published now; it cannot vouch for what its predecessor saw.
    await small.verify(token, trusting({ ...idp, jwksUri: `${issuer.jwksUri}?other` }));
    issuer.rotateKeys({ keepOld: false });
    await small.verify(issuer.sign(), trusting(idp));
    await expect((async () => small.verify(token, trusting(idp)))()).rejects.toThrow('unknown key');
    await small.close();
  });

  it('is forgotten when there are too many, and verified anew', async () => {
    const small = newVerifier({ maxCached: 2 });
    const tokens = [1, 2, 3].map((id) => issuer.sign({ id }));
    const [first] = await Promise.all(tokens.map(async (token) => small.verify(token, trusting(idp))));
    const again = await small.verify(tokens[0]!, trusting(idp));
    expect(again).toEqual(first);
    expect(again).not.toBe(first);
    await small.close();
  });
});

describe('while no keys can be had', () => {
  const refusal = { code: 'jwks_unavailable', headers: { 'Retry-After': '1' } };

  it.each(['error', 'redirect', 'huge', 'empty', 'garbage'] as const)(
    'nobody gets in (endpoint: %s), and everybody a second after they can',
    async (behaviour) => {
      issuer.behave(behaviour);
      const tokens = [1, 2, 3].map((id) => issuer.sign({ id }));
      for (const outcome of await Promise.all(tokens.map((token) => refusalOf(token)))) {
        expect(outcome).toMatchObject(refusal);
      }
      expect(issuer.fetches).toBe(1);
      issuer.behave('ok');
      clock = SECOND;
      await expect(verify(tokens[0]!)).resolves.toBeDefined();
    },
  );

  it.each(['hang', 'drip'] as const)(
    'nobody gets in, nor waits for ever (endpoint: %s)',
    async (behaviour) => {
      issuer.behave(behaviour);
      const hasty = newVerifier({ fetchTimeoutMs: 150 });
      const refused = [1, 2, 3].map(async (id) => hasty.verify(issuer.sign({ id }), trusting(idp)));
      for (const outcome of await Promise.allSettled(refused))
        expect(outcome).toMatchObject({ reason: refusal });
      expect(issuer.fetches).toBeLessThanOrEqual(1);
      await hasty.close();
    },
  );

  it('nobody gets in (nothing listens, forbidden address)', async () => {
    const gone = await startFakeIssuer(createSigner(audience, 'ES256'));
    await gone.stop();
    expect(await refusalOf(gone.sign(), { ...idp, jwksUri: gone.jwksUri })).toMatchObject({
      code: 'jwks_unavailable',
    });
    const strict = newVerifier({ addresses: new AddressPolicy(false) });
    await expect((async () => strict.verify(issuer.sign(), trusting(idp)))()).rejects.toThrow(
      'cannot be reached',
    );
    expect(issuer.fetches).toBe(0);
    await strict.close();
  });
});
