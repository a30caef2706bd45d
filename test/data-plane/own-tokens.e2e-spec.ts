import { keys } from '#libs/store';
import { startGateway, writeTenant, type TestGateway } from '../support/gateway';
import { waitFor } from '../support/children';
import {
  GATEWAY_SECRET,
  PREVIOUS_SECRET,
  SHARED_SECRET,
  serviceToken,
  sharedToken,
} from '../support/own-token-attacks';
import { describeRedis, startRedis } from '../support/redis';
import { startUpstream, type TestUpstream } from '../support/upstream';

let upstream: TestUpstream;
beforeAll(async () => void (upstream = await startUpstream()));
beforeEach(() => void (upstream.requests.length = 0));
afterAll(() => upstream.stop());

const PROTECTED = { allowedRoutes: [{ path: '/', auth: { jwt: true } }] };

async function call(gateway: TestGateway, apiKey: string, token?: string) {
  const authorization: Record<string, string> =
    token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const response = await fetch(`${gateway.url}/api/x`, {
    headers: { 'X-API-Key': apiKey, ...authorization },
  });
  const { code, detail } = (await response.json()) as { code?: string; detail?: string };
  return { status: response.status, code, detail };
}

describe('which of the gateway’s own tokens count', () => {
  const rows: Array<[string, Record<string, string>, string, number]> = [
    ['service tokens with their secret', { GATEWAY_JWT_SECRET: GATEWAY_SECRET }, 'service', 200],
    [
      'service tokens with a previous secret alone',
      { GATEWAY_JWT_PREVIOUS_SECRETS: GATEWAY_SECRET },
      'service',
      200,
    ],
    ['service tokens without their secret', { JWT_SECRET_KEY: SHARED_SECRET }, 'service', 401],
    ['tokens of the shared secret with it', { JWT_SECRET_KEY: SHARED_SECRET }, 'shared', 200],
    ['tokens of the shared secret without it', { GATEWAY_JWT_SECRET: PREVIOUS_SECRET }, 'shared', 401],
  ];
  it.each(rows)('%s', async (_name, env, kind, status) => {
    const gateway = await startGateway(env);
    const apiKey = await gateway.addTenant({ id: 'acme', upstreamBaseUrl: upstream.url, ...PROTECTED });
    const token = kind === 'service' ? serviceToken() : sharedToken();
    for (let i = 0; i < 2; i++) expect((await call(gateway, apiKey, token)).status).toBe(status);
    expect((await call(gateway, apiKey)).code).toBe('missing_jwt');
    expect(upstream.requests).toHaveLength(status === 200 ? 2 : 0);
    await gateway.close();
  });

  it('issuers of a policy can name each', async () => {
    const gateway = await startGateway({ GATEWAY_JWT_SECRET: GATEWAY_SECRET, JWT_SECRET_KEY: SHARED_SECRET });
    const apiKey = await gateway.addTenant({
      id: 'acme',
      upstreamBaseUrl: upstream.url,
      allowedRoutes: [{ path: '/', auth: { jwt: true, issuers: ['shared-secret'] } }],
    });
    expect((await call(gateway, apiKey, sharedToken())).status).toBe(200);
    expect(await call(gateway, apiKey, serviceToken())).toMatchObject({
      status: 403,
      code: 'token_not_allowed',
    });
    await gateway.close();
  });
});

describeRedis('a revoked service token', () => {
  it('is refused at its next request, also where it was just let through, and others are not', async () => {
    const redis = await startRedis();
    const gateway = await startGateway({ REDIS_URL: redis.url, GATEWAY_JWT_SECRET: GATEWAY_SECRET });
    await writeTenant(redis, 'acme', { name: 'ACME', upstreamBaseUrl: upstream.url, ...PROTECTED }, 'a-key');
    const [token, another] = [serviceToken({ jti: 'revoked' }), serviceToken({ jti: 'kept' })];
    expect((await call(gateway, 'a-key', token)).status).toBe(200);
    expect((await call(gateway, 'a-key', another)).status).toBe(200);
    const record = { jti: 'revoked', project: 'acme', revoked: { at: new Date().toISOString() } };
    await redis.cli('SET', keys.serviceToken('revoked'), JSON.stringify(record));
    await waitFor('the revocation', async () => (await call(gateway, 'a-key', token)).status === 401);
    expect(await call(gateway, 'a-key', token)).toMatchObject({ detail: 'the token has been revoked' });
    expect((await call(gateway, 'a-key', another)).status).toBe(200);
    // Nor is one that was never seen before, or whose record cannot be read.
    await redis.cli('SET', keys.serviceToken('broken'), 'nonsense');
    expect((await call(gateway, 'a-key', serviceToken({ jti: 'broken' }))).status).toBe(401);
    await redis.cli('SET', keys.serviceToken('sound'), JSON.stringify({ jti: 'sound', project: 'acme' }));
    expect((await call(gateway, 'a-key', serviceToken({ jti: 'sound' }))).status).toBe(200);
    await gateway.close();
    await redis.stop();
  });
});
