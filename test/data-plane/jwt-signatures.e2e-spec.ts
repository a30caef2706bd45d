import { startGateway, type TestGateway } from '../support/gateway';
import { startFakeIssuer, type FakeIssuer } from '../support/identity-provider';
import {
  GATEWAY_SECRET,
  PREVIOUS_SECRET,
  SHARED_SECRET,
  kidOf,
  ownTokenAttacks,
  serviceToken,
  sharedToken,
} from '../support/own-token-attacks';
import { createManyKeys, signatureAttacks } from '../support/signature-attacks';
import { signCompact } from '../support/token-signer';
import { startUpstream, type TestUpstream } from '../support/upstream';

const keys = createManyKeys();
const PARTNER_SECRET = 'Rw6Tn2Kc9VxB4mQz8JhL5sYd3PfG7uAe';
const PARTNER = 'https://partner.test';

let gateway: TestGateway;
let upstream: TestUpstream;
let issuer: FakeIssuer;
/** Keys of a tenant with providers, of one without, and of one with both kinds of tokens. */
let withProviders: string;
let without: string;
let withBoth: string;

beforeAll(async () => {
  [gateway, upstream, issuer] = await Promise.all([
    startGateway({
      GATEWAY_JWT_SECRET: GATEWAY_SECRET,
      GATEWAY_JWT_PREVIOUS_SECRETS: PREVIOUS_SECRET,
      JWT_SECRET_KEY: SHARED_SECRET,
      GATEWAY_SECRET_PARTNER: PARTNER_SECRET,
    }),
    startUpstream(),
    startFakeIssuer(keys.signer),
  ]);
  const allowedRoutes = [{ path: '/', auth: { jwt: true } }];
  const rateLimit = { windowSeconds: 60, maxRequests: 1_000_000 };
  const common = { upstreamBaseUrl: upstream.url, allowedRoutes, rateLimit };
  const idps = [
    { issuer: issuer.issuer, jwksUri: issuer.jwksUri, audience: 'api.test' },
    { issuer: PARTNER, audience: 'api.test', secrets: [{ env: 'GATEWAY_SECRET_PARTNER' }] },
  ];
  withProviders = await gateway.addTenant({ id: 'providers', ...common, idps });
  without = await gateway.addTenant({ id: 'acme', ...common });
  withBoth = await gateway.addTenant({ id: 'both', ...common, idps, serviceTokens: true });
});
beforeEach(() => void (upstream.requests.length = 0));
afterAll(() => Promise.all([upstream.stop(), issuer.stop()]));

async function call(token: string, apiKey: string) {
  const headers = { 'X-API-Key': apiKey, Authorization: `Bearer ${token}` };
  const response = await fetch(`${gateway.url}/api/x`, { headers });
  const { code, detail } = (await response.json()) as { code?: string; detail?: string };
  return { status: response.status, code, detail };
}
const refused = (detail: string) => ({ status: 401, code: 'invalid_jwt', detail });
const passed = { status: 200, code: undefined, detail: undefined };

function partnerToken(claims: object = {}, header: object = {}, secret = PARTNER_SECRET): string {
  const exp = Math.floor(Date.now() / 1000) + 600;
  return signCompact(
    JSON.stringify({ alg: 'HS256', ...header }),
    JSON.stringify({ iss: PARTNER, aud: 'api.test', exp, ...claims }),
    Buffer.from(secret),
  );
}

describe('sound tokens pass', () => {
  it.each([
    ['RS256', () => keys.signer.sign()],
    ['PS256', () => keys.signer.sign({}, {}, { ...keys.rsa, alg: 'PS256' })],
    ['ES256', () => keys.signer.sign({}, {}, keys.ec)],
    ['EdDSA', () => keys.signer.sign({}, {}, keys.ed)],
    ['a shared secret', () => partnerToken()],
    ['a shared secret that they name', () => partnerToken({}, { kid: kidOf(PARTNER_SECRET) })],
    ['a shared secret that they name as the issuer likes', () => partnerToken({}, { kid: 'key of May' })],
  ])('signed by %s', async (_name, token) => {
    expect(await call(token(), withProviders)).toEqual(passed);
  });

  it.each([
    ['the secret of the gateway', () => serviceToken()],
    ['the secret of the gateway, by its name', () => serviceToken({}, { kid: kidOf(GATEWAY_SECRET) })],
    ['a previous secret', () => serviceToken({}, {}, PREVIOUS_SECRET)],
    ['a previous secret, by its name', () => serviceToken({}, { kid: kidOf(PREVIOUS_SECRET) }, PREVIOUS_SECRET)],
    ['the shared secret', () => sharedToken()],
    ['the shared secret, by its name', () => sharedToken({}, { kid: kidOf(SHARED_SECRET) })],
    // Whose a token is, the key says: these claims are just claims.
    ['the shared secret, claims of a foreign service token', () => sharedToken({ jti: 'x', project: 'other', service: 's' })],
  ])('without an issuer, signed by %s', async (_name, token) => {
    expect(await call(token(), without)).toEqual(passed);
  }); // prettier-ignore
});

describe('signatures that are almost right', () => {
  it.each(signatureAttacks(keys))(
    'are refused before touching the upstream: $name',
    async ({ token, reason }) => {
      expect(await call(token, withProviders)).toEqual(refused(reason));
      expect(upstream.requests).toHaveLength(0);
    },
  );
});

describe('tokens that name no issuer', () => {
  it.each(ownTokenAttacks(keys.signer.issuer))('are refused: $name', async ({ token, reason }) => {
    expect(await call(token, without)).toEqual(refused(reason));
    expect(upstream.requests).toHaveLength(0);
  });

  it.each(['service token', 'token of the shared secret'])(
    'are nobody’s where there are identity providers: %s',
    async (kind) => {
      const token = kind === 'service token' ? serviceToken({ project: 'providers' }) : sharedToken();
      expect(await call(token, withProviders)).toEqual(refused('the token has another issuer'));
    },
  );

  it('count beside identity providers where the tenant says so, but not those of the shared secret', async () => {
    expect(await call(serviceToken({ project: 'both' }), withBoth)).toEqual(passed);
    expect(await call(keys.signer.sign(), withBoth)).toEqual(passed);
    expect(await call(sharedToken(), withBoth)).toEqual(refused('the signature does not match'));
    expect(await call(serviceToken(), withBoth)).toEqual(refused('the token is for another project'));
  });
});

describe('a secret and a key pair never meet', () => {
  it.each<[string, () => string, string]>([
    ['the secret of the gateway for a provider', () => partnerToken({}, {}, GATEWAY_SECRET), 'the signature does not match'],
    ['the shared secret for a provider', () => partnerToken({}, {}, SHARED_SECRET), 'the signature does not match'],
    ['an empty secret', () => partnerToken({}, {}, ''), 'the signature does not match'],
    ['the name of the variable', () => partnerToken({}, {}, 'GATEWAY_SECRET_PARTNER'), 'the signature does not match'],
    ['HS512 with a secret that is too short for it', () => partnerToken({}, { alg: 'HS512' }), 'the signature does not match'],
    ['HS384 with a secret that is too short for it', () => partnerToken({}, { alg: 'HS384' }), 'the signature does not match'],
    ['RS256 for who has secrets', () => keys.signer.sign({ iss: PARTNER }), 'the algorithm is not accepted'],
    ['ES256 for who has secrets', () => keys.signer.sign({ iss: PARTNER }, {}, keys.ec), 'the algorithm is not accepted'],
    ['none for who has secrets', () => partnerToken({}, { alg: 'none' }), 'the algorithm is not accepted'],
    ['a secret for who has keys', () => partnerToken({ iss: keys.signer.issuer }), 'the algorithm is not accepted'],
    ['the secret of the gateway for who has keys', () => partnerToken({ iss: keys.signer.issuer }, {}, GATEWAY_SECRET), 'the algorithm is not accepted'],
    ['another audience', () => partnerToken({ aud: ['api.tes', 'other'] }), 'the token is for another audience'],
    ['an issuer with a slash', () => partnerToken({ iss: `${PARTNER}/` }), 'the token has another issuer'],
    ['an issuer in upper case', () => partnerToken({ iss: PARTNER.toUpperCase() }), 'the token has another issuer'],
    ['an issuer with a letter of another script', () => partnerToken({ iss: PARTNER.replace('a', '\u0430') }), 'the token has another issuer'],
    ['an issuer with a character of no width', () => partnerToken({ iss: `${PARTNER}\u200b` }), 'the token has another issuer'],
    ['an issuer that every object has', () => partnerToken({ iss: 'constructor' }), 'the token has another issuer'],
    ['an issuer in a list', () => partnerToken({ iss: [PARTNER] }), 'the token has another issuer'],
  ])('%s', async (_name, token, reason) => {
    expect(await call(token(), withProviders)).toEqual(refused(reason));
    expect(upstream.requests).toHaveLength(0);
  }); // prettier-ignore
});

describe('a tenant that asks for tokens which nobody can sign', () => {
  it('is refused when it is written, and as misconfigured when somebody wrote it by hand', async () => {
    const other = await startGateway();
    const document = {
      id: 'lost',
      name: 'Lost',
      upstreamBaseUrl: upstream.url,
      allowedRoutes: [{ path: '/' }],
    };
    const answer = await other.admin('POST', '/admin/tenants', { ...document, auth: { jwt: true } });
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ errors: [{ field: 'auth.jwt' }] });
    const mentioning = {
      ...document,
      idps: [{ issuer: PARTNER, audience: 'a', secrets: [{ env: 'GATEWAY_SECRET_GONE' }] }],
    };
    const key = await other.addTenant(mentioning);
    const headers = { 'X-API-Key': key, Authorization: `Bearer ${partnerToken({ aud: 'a' })}` };
    const refusal = await fetch(`${other.url}/api/x`, { headers });
    expect(refusal.status).toBe(503);
    expect(await refusal.json()).toMatchObject({ code: 'tenant_misconfigured' });
    expect(upstream.requests).toHaveLength(0);
  });
});
