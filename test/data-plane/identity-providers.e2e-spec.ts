import { AddressPolicy, trustOf, type IdentityProvider, type Tenant } from '#libs/tenants';
import { TokenVerifier } from '#libs/guards';
import { waitFor } from '../support/children';
import { openConnection, requestHead } from '../support/connection';
import { startGateway, type TestGateway } from '../support/gateway';
import { startFakeIssuer, type Behaviour, type FakeIssuer } from '../support/identity-provider';
import { createSigner } from '../support/token-signer';
import { startUpstream, type TestUpstream } from '../support/upstream';

const MINUTE = 60_000;

let gateway: TestGateway;
let upstream: TestUpstream;
const issuers: FakeIssuer[] = [];
let tenants = 0;

beforeAll(async () => {
  [gateway, upstream] = await Promise.all([
    startGateway({ GATEWAY_SECRET_CLIENT: 'p&ss:word' }),
    startUpstream(),
  ]);
});
beforeEach(() => void (upstream.requests.length = 0));
afterEach(() => Promise.all(issuers.splice(0).map((issuer) => issuer.stop())));
afterAll(() => upstream.stop());

/** A fake of its own for each test, whose name is its address. */
async function newIssuer(): Promise<FakeIssuer> {
  const issuer = await startFakeIssuer(createSigner('api.test', 'ES256'));
  issuer.issuer = issuer.url;
  issuers.push(issuer);
  return issuer;
}

const published = ({ issuer, jwksUri }: FakeIssuer): IdentityProvider => ({
  issuer,
  jwksUri,
  audience: 'api.test',
});

async function newTenant(idps: IdentityProvider[], more: Partial<Tenant> = {}) {
  const id = `tenant-${++tenants}`;
  const apiKey = await gateway.addTenant({ id, upstreamBaseUrl: upstream.url, idps, ...more });
  return async (token: string) => {
    const headers = { 'X-API-Key': apiKey, Authorization: `Bearer ${token}` };
    const response = await fetch(`${gateway.url}/api/x`, { headers });
    const { code, detail } = (await response.json()) as { code?: string; detail?: string };
    return { status: response.status, code, detail, retryAfter: response.headers.get('retry-after') };
  };
}

const passed = expect.objectContaining({ status: 200 }) as object;
const refused = (detail: string) =>
  expect.objectContaining({ status: 401, code: 'invalid_jwt', detail }) as object;
const unavailable = expect.objectContaining({ status: 503, code: 'jwks_unavailable' }) as object;

/** How often it says that nobody has published the key. */
const refusalsIn = (received: string): number =>
  received.split('"detail":"the token is signed by an unknown key"').length - 1;

/** A token that names a key nobody has; whoever looks for the key never gets to the signature. */
function inventions(issuer: FakeIssuer, count: number): string[] {
  const [, payload, signature] = issuer.sign().split('.') as [string, string, string];
  return Array.from({ length: count }, (_unused, i) => {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', kid: `invented-${i}` })).toString('base64url');
    return `${header}.${payload}.${signature}`;
  });
}

describe('several identity providers', () => {
  it('each vouch for their own tokens, and for nobody else’s', async () => {
    const [first, second, stranger] = await Promise.all([newIssuer(), newIssuer(), newIssuer()]);
    const call = await newTenant([published(second)], { idp: published(first) });
    expect(await call(first.sign())).toEqual(passed);
    expect(await call(second.sign())).toEqual(passed);
    expect(await call(stranger.sign())).toEqual(refused('the token has another issuer'));
    // The key of one, the name of the other.
    expect(await call(second.sign({ iss: first.issuer }))).toEqual(
      refused('the token is signed by an unknown key'),
    );
    expect(await call(second.sign({ iss: first.issuer }, { kid: first.key.kid }))).toEqual(
      refused('the signature does not match'),
    );
    expect(stranger.fetches).toBe(0);
    expect(upstream.requests).toHaveLength(2);
  });

  it('have audiences, tolerances and required claims of their own', async () => {
    const [first, second] = await Promise.all([newIssuer(), newIssuer()]);
    const call = await newTenant([
      { ...published(first), audience: ['a', 'b'], clockToleranceSeconds: 120 },
      { ...published(second), requiredClaims: { tier: ['gold', '1'] } },
    ]);
    const soon = Math.floor(Date.now() / 1000) + 60;
    expect(await call(first.sign({ aud: 'b', nbf: soon, iat: soon }))).toEqual(passed);
    expect(await call(first.sign({ aud: ['x', 'a'] }))).toEqual(passed);
    expect(await call(first.sign())).toEqual(refused('the token is for another audience'));
    expect(await call(second.sign({ nbf: soon, tier: 'gold' }))).toEqual(
      refused('the token is not valid yet'),
    );
    for (const tier of ['gold', ['x', 'gold'], 1]) expect(await call(second.sign({ tier }))).toEqual(passed);
    for (const tier of [undefined, 'silver', ['x'], [['gold']], { gold: true }, true])
      expect(await call(second.sign({ tier }))).toEqual(
        refused('the token does not have a claim that its issuer must put there'),
      );
  });

  it.each<Behaviour>([
    'hang',
    'error',
    'empty',
    'garbage',
    'huge',
    'enormous',
    'redirect',
    'redirect inside',
  ])('do not feel each other’s trouble (%s)', async (behaviour) => {
    const [sound, broken] = await Promise.all([newIssuer(), newIssuer()]);
    broken.behave(behaviour);
    const call = await newTenant([published(sound), published(broken)]);
    const other = await newTenant([published(sound)]);
    const stuck = Promise.all(inventions(broken, 20).map(call));
    expect(await call(sound.sign())).toEqual(passed);
    expect(await other(sound.sign())).toEqual(passed);
    // One that never answers is asked no second time before it has timed out.
    expect(broken.fetches).toBeLessThanOrEqual(1);
    if (behaviour !== 'hang') for (const answer of await stuck) expect(answer).toEqual(unavailable);
    else {
      await broken.stop();
      issuers.splice(issuers.indexOf(broken), 1);
      for (const answer of await stuck) expect(answer).toEqual(unavailable);
    }
    expect(upstream.requests).toHaveLength(2);
  });
});

describe('invented key ids', () => {
  it('cost one fetch, ten thousand of them, and known tokens go on', async () => {
    const issuer = await newIssuer();
    const quiet = await startGateway({ LOG_LEVEL: 'silent' });
    const key = await quiet.addTenant({
      id: 'acme',
      upstreamBaseUrl: upstream.url,
      idps: [published(issuer)],
    });
    const call = (token: string): Promise<Response> =>
      fetch(`${quiet.url}/api/x`, { headers: { 'X-API-Key': key, Authorization: `Bearer ${token}` } });
    const known = issuer.sign();
    expect((await call(known)).status).toBe(200);
    issuer.fetches = 0;
    const tokens = inventions(issuer, 10_000);
    // One behind the other on a few connections: what takes the time is the gateway.
    const flood = async (): Promise<number> => {
      const connection = await openConnection(quiet.port);
      let refusals = 0;
      for (let batch = tokens.splice(0, 100); batch.length > 0; batch = tokens.splice(0, 100)) {
        const head = (token: string): string =>
          requestHead('GET /api/x', { 'X-API-Key': key, Authorization: `Bearer ${token}` });
        await connection.send(batch.map(head).join(''));
        refusals += batch.length;
        await waitFor('the refusals', () => refusalsIn(connection.received()) === refusals, 10_000, 5);
      }
      connection.destroy();
      return refusals;
    };
    const counts = await Promise.all([1, 2, 3, 4].map(flood));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(issuer.fetches).toBeLessThanOrEqual(1);
    expect((await call(known)).status).toBe(200);
    expect((await call(issuer.sign({ sub: 'new' }))).status).toBe(200);
    await quiet.close();
  }, 30_000);

  it.each<Behaviour>(['ok', 'error', 'empty', 'redirect inside', 'enormous', 'hang'])(
    'ten thousand of them cost one fetch in thirty seconds, whatever the endpoint does (%s)',
    async (behaviour) => {
      const issuer = await newIssuer();
      let clock = 0;
      const verifier = new TokenVerifier({
        logger: { info: () => {}, warn: () => {} },
        addresses: new AddressPolicy(true),
        now: () => Date.now() + clock,
        fetchTimeoutMs: 500,
      });
      const trust = trustOf({ idp: published(issuer) });
      const outcome = async (token: string): Promise<string> => {
        try {
          await verifier.verify(token, trust);
          return 'passed';
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      const exp = Math.floor(Date.now() / 1000) + 86_400;
      const known = issuer.sign({ exp });
      expect(await outcome(known)).toBe('passed');
      issuer.fetches = 0;
      issuer.behave(behaviour);
      const tokens = inventions(issuer, 10_000);
      const halves = [tokens.slice(0, 5_000), tokens.slice(5_000)];
      for (const [position, half] of halves.entries()) {
        const outcomes = new Set<string>();
        for (const token of half) outcomes.add(await outcome(token));
        expect([...outcomes]).toEqual([behaviour === 'ok' ? 'invalid_jwt' : 'jwks_unavailable']);
        expect(issuer.fetches).toBe(position + 1);
        expect(await outcome(known)).toBe('passed');
        clock += 31_000;
      }
      // Tokens of known keys, also new ones, go on for the hour that the last set is trusted, and no longer.
      clock = 50 * MINUTE;
      expect(await outcome(issuer.sign({ sub: 'new', exp }))).toBe('passed');
      clock = 62 * MINUTE;
      if (behaviour !== 'ok') expect(await outcome(known)).toBe('jwks_unavailable');
      await verifier.close();
    },
  );
});

describe('an issuer that says itself where its keys are', () => {
  const discovered = ({ issuer }: FakeIssuer): IdentityProvider => ({ issuer, audience: 'api.test' });

  it('is believed, and followed when it rotates', async () => {
    const issuer = await newIssuer();
    const call = await newTenant([discovered(issuer)]);
    const old = issuer.sign();
    expect(await call(old)).toEqual(passed);
    issuer.rotateKeys({ keepOld: false });
    expect(await call(issuer.sign())).toEqual(passed);
    expect(await call(old)).toEqual(refused('the token is signed by an unknown key'));
    expect(issuer.fetches).toBe(2);
  });

  it.each<[string, (issuer: FakeIssuer) => Record<string, unknown>]>([
    ['of another issuer', ({ jwksUri }) => ({ issuer: 'https://evil.test', jwks_uri: jwksUri })],
    ['of its own name with a slash', ({ url, jwksUri }) => ({ issuer: `${url}/`, jwks_uri: jwksUri })],
    ['without an issuer', ({ jwksUri }) => ({ jwks_uri: jwksUri })],
    ['without keys', ({ url }) => ({ issuer: url })],
    ['with keys at a metadata service', ({ url }) => ({ issuer: url, jwks_uri: 'http://169.254.169.254/jwks' })],
    ['with keys in a file', ({ url }) => ({ issuer: url, jwks_uri: 'file:///etc/passwd' })],
    ['with keys behind a password', ({ url, jwksUri }) => ({ issuer: url, jwks_uri: jwksUri.replace('//', '//me:pw@') })],
  ])('is not believed with a document %s', async (_name, configuration) => {
    const issuer = await newIssuer();
    issuer.configuration = configuration(issuer);
    const call = await newTenant([discovered(issuer)]);
    const answer = await call(issuer.sign());
    expect(answer).toEqual(unavailable);
    expect(answer.retryAfter).toBe('1');
    expect(issuer.fetches).toBe(0);
    expect(upstream.requests).toHaveLength(0);
  }); // prettier-ignore
});

describe('opaque tokens', () => {
  const asked = ({ issuer, introspectionUri }: FakeIssuer): IdentityProvider => ({
    issuer,
    introspection: {
      endpoint: introspectionUri,
      clientId: 'gate house',
      clientSecret: { env: 'GATEWAY_SECRET_CLIENT' },
    },
  });
  const later = () => Math.floor(Date.now() / 1000) + 600;

  it('are asked about once, as the configured client', async () => {
    const issuer = await newIssuer();
    issuer.opaque.set('opaque-1', { active: true, exp: later(), sub: 'somebody', scope: 'a b' });
    const call = await newTenant([asked(issuer)]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => call('opaque-1')));
    for (const answer of answers) expect(answer).toEqual(passed);
    // RFC 6749 §2.3.1: both halves are encoded as in a form.
    const authorization = `Basic ${Buffer.from('gate+house:p%26ss%3Aword').toString('base64')}`;
    expect(issuer.questions).toEqual([{ token: 'opaque-1', authorization }]);
  });

  it('that are not active are refused, and not asked about again at once', async () => {
    const issuer = await newIssuer();
    const call = await newTenant([asked(issuer)]);
    for (let i = 0; i < 5; i++) expect(await call('unknown')).toEqual(refused('the token is not active'));
    expect(issuer.questions).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['past', { exp: 1 }, 'the token has expired'],
    ['not valid yet', { nbf: 9_000_000_000 }, 'the token is not valid yet'],
    ['of another issuer', { iss: 'https://evil.test' }, 'the token has another issuer'],
    ['for another audience', { aud: 'other' }, 'the token is for another audience'],
    ['for no audience', { aud: undefined }, 'the token is for another audience'],
    ['bound to a key', { token_type: 'DPoP' }, 'the token is not an access token'],
    ['for refreshing', { token_type: 'refresh_token' }, 'the token is not an access token'],
    ['only nearly active', { active: false }, 'the token is not active'],
  ])('that are %s are refused', async (_name, claims, reason) => {
    const issuer = await newIssuer();
    issuer.opaque.set('opaque', { active: true, exp: later(), aud: 'api.test', ...claims });
    const call = await newTenant([{ ...asked(issuer), audience: 'api.test' }]);
    expect(await call('opaque')).toEqual(refused(reason));
    expect(upstream.requests).toHaveLength(0);
  });

  it.each<[string, Behaviour | Record<string, unknown>]>([
    ['hangs up', 'error'],
    ['redirects', 'redirect inside'],
    ['talks too much', 'enormous'],
    ['talks nonsense', 'garbage'],
    ['says yes in other words', { active: 'true' }],
    ['says something else', { exp: 1 }],
  ])('cannot be judged while the endpoint %s, but known ones pass', async (_name, behaviour) => {
    const issuer = await newIssuer();
    issuer.opaque.set('known', { active: true, exp: later() });
    const call = await newTenant([asked(issuer)]);
    expect(await call('known')).toEqual(passed);
    if (typeof behaviour === 'string') issuer.behave(behaviour);
    else issuer.opaque.set('new', behaviour);
    expect(await call('new')).toEqual(unavailable);
    expect(await call('known')).toEqual(passed);
    // And a JWT of nobody asks nobody.
    const before = issuer.questions.length;
    expect(await call((await newIssuer()).sign())).toEqual(refused('the token has another issuer'));
    expect(issuer.questions).toHaveLength(before);
  });

  it('that somebody invents cost the endpoint a bounded number of questions', async () => {
    const issuer = await newIssuer();
    const call = await newTenant([asked(issuer)]);
    const statuses = new Set<number>();
    const startedAt = performance.now();
    for (let round = 0; round < 20; round++) {
      const answers = await Promise.all(Array.from({ length: 50 }, (_unused, i) => call(`x-${round}-${i}`)));
      for (const { status } of answers) statuses.add(status);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    expect([...statuses].sort()).toEqual([401, 503]);
    // Two hundred, and fifty more each second.
    expect(issuer.questions.length).toBeLessThanOrEqual(201 + 50 * seconds);
  });

  it('go to nobody where nobody can be asked', async () => {
    const issuer = await newIssuer();
    const call = await newTenant([published(issuer)]);
    expect(await call('opaque')).toEqual(refused('the token does not have three parts'));
    expect(issuer.questions).toHaveLength(0);
  });
});

it('says how old the key sets in use are', async () => {
  const issuer = await newIssuer();
  const call = await newTenant([published(issuer)]);
  expect(await call(issuer.sign())).toEqual(passed);
  const { body } = await gateway.admin('GET', '/metrics');
  const line = (body as string)
    .split('\n')
    .find((one) => one.startsWith(`jwks_age_seconds{issuer="${issuer.url}"}`));
  const age = Number(line?.split(' ')[1]);
  expect(age).toBeGreaterThanOrEqual(0);
  expect(age).toBeLessThan(60);
});
