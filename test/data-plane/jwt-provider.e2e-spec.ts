import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto';
import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { startIdentityProvider, type TestIdentityProvider } from '../support/identity-provider';
import { startUpstream, type TestUpstream } from '../support/upstream';

// The tokens of a real OpenID provider, the whole way.
const audience = 'https://api.acme.test';

let gateway: TestGateway;
let upstream: TestUpstream;
let provider: TestIdentityProvider;
let tenants = 0;

beforeAll(async () => {
  [gateway, upstream, provider] = await Promise.all([
    startGateway(),
    startUpstream(),
    startIdentityProvider(),
  ]);
});
beforeEach(() => void (upstream.requests.length = 0));
afterAll(() => Promise.all([upstream.stop(), provider.stop()]));

/** Resolves to the status that a token gets; the URL of the key set is one that nobody has asked for yet. */
async function newTenant() {
  const id = `tenant-${++tenants}`;
  const { issuer, jwksUri } = provider;
  const apiKey = await gateway.addTenant({
    id,
    upstreamBaseUrl: upstream.url,
    allowedRoutes: [{ path: '/v1/users', auth: { jwt: true } }],
    idp: { issuer, jwksUri: `${jwksUri}?for=${id}`, audience },
  });
  return async (token: string): Promise<number> => {
    const headers = { 'X-API-Key': apiKey, Authorization: `Bearer ${token}` };
    const response = await fetch(`${gateway.url}/api/v1/users`, { headers });
    await response.arrayBuffer();
    return response.status;
  };
}

it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('an access token signed by %s passes', async (algorithm) => {
  const status = await newTenant();
  expect(await status(await provider.token({ audience, algorithm }))).toBe(200);
  expect(upstream.requests).toHaveLength(1);
});

it('an access token for another audience is refused', async () => {
  const status = await newTenant();
  expect(await status(await provider.token({ audience: `${audience}/` }))).toBe(401);
  expect(upstream.requests).toHaveLength(0);
});

it('an access token passes until it expires', async () => {
  const status = await newTenant();
  const token = await provider.token({ audience, expiresIn: 2 });
  expect(await status(token)).toBe(200);
  await waitFor('the token to expire', async () => (await status(token)) === 401);
});

it('an access token whose algorithm is turned into none or HS256 is refused', async () => {
  const status = await newTenant();
  const [header, payload, signature] = (await provider.token({ audience })).split('.') as [
    string,
    string,
    string,
  ];
  const parsed = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  const { keys } = (await (await fetch(provider.jwksUri)).json()) as { keys: JsonWebKey[] };
  const jwk = keys.find(({ kid }) => kid === parsed.kid)!;
  const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const withAlg = (alg: string) => Buffer.from(JSON.stringify({ ...parsed, alg })).toString('base64url');
  const input = `${withAlg('HS256')}.${payload}`;
  const forged = [
    `${withAlg('none')}.${payload}.`,
    `${withAlg('none')}.${payload}.${signature}`,
    `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`,
  ];
  for (const token of forged) expect(await status(token)).toBe(401);
  expect(upstream.requests).toHaveLength(0);
});

it('a rotation is followed at once, and tokens of the old key pass while it is published', async () => {
  const status = await newTenant();
  const old = await provider.token({ audience });
  expect(await status(old)).toBe(200);
  await provider.rotateKeys();
  expect(await status(await provider.token({ audience }))).toBe(200);
  expect(await status(old)).toBe(200);
});

it('tokens fall with their key, also those that passed before', async () => {
  const status = await newTenant();
  const old = await provider.token({ audience });
  expect(await status(old)).toBe(200);
  await provider.rotateKeys({ keepOld: false });
  expect(await status(await provider.token({ audience }))).toBe(200);
  expect(await status(old)).toBe(401);
});

it('known tokens outlive the provider', async () => {
  const mortal = await startIdentityProvider();
  const { issuer, jwksUri } = mortal;
  const idp = { issuer, jwksUri, audience };
  const key = await gateway.addTenant({ id: 'mortal', upstreamBaseUrl: upstream.url, idp });
  const token = await mortal.token({ audience });
  const call = () =>
    fetch(`${gateway.url}/api/x`, { headers: { 'X-API-Key': key, Authorization: `Bearer ${token}` } });
  expect((await call()).status).toBe(200);
  await mortal.stop();
  expect((await call()).status).toBe(200);
});
