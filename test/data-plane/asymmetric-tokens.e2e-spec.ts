import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { scratchFolder, waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';
import { serviceToken } from '../support/own-token-attacks';
import { startUpstream, type TestUpstream } from '../support/upstream';

let upstream: TestUpstream;
beforeAll(async () => void (upstream = await startUpstream()));
afterAll(() => upstream.stop());

const PAIRS: Record<string, () => KeyObject> = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  EdDSA: () => generateKeyPairSync('ed25519').privateKey,
};

/** A key pair in files, as the settings name them. */
function keyFiles(alg: string) {
  const folder = scratchFolder('keys');
  const privateKey = PAIRS[alg]!();
  const publicKey = createPublicKey(privateKey);
  const files = { private: join(folder, 'private.pem'), public: join(folder, 'public.pem') };
  writeFileSync(files.private, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(files.public, publicKey.export({ type: 'spki', format: 'pem' }));
  return { publicKey, ...files };
}

async function call(gateway: TestGateway, path: string, token: string, apiKey?: string) {
  const response = await fetch(gateway.url + path, {
    headers: { Authorization: `Bearer ${token}`, ...(apiKey && { 'X-API-Key': apiKey }) },
  });
  const { detail } = (await response.json()) as { detail?: string };
  return { status: response.status, detail };
}

/** The tenant `acme` with a published route that asks for a token alone. */
async function publish(gateway: TestGateway): Promise<string> {
  const key = await gateway.addTenant({
    id: 'acme',
    upstreamBaseUrl: upstream.url,
    allowedRoutes: [{ path: '/', auth: { jwt: true } }],
  });
  const targets = [{ url: upstream.url }];
  const made = await gateway.admin('POST', '/admin/tenants/acme/services', { name: 's', targets });
  const backends = [{ service: (made.body as { id: string }).id }];
  const routes = [{ name: 'r', path: '/published', auth: { jwt: true, apiKey: false }, backends }];
  expect((await gateway.admin('PUT', '/admin/tenants/acme/publication', { routes })).status).toBe(200);
  await waitFor('the route', async () => (await call(gateway, '/published', 'x')).status === 401);
  return key;
}

async function issue(gateway: TestGateway, service = 'web') {
  const { body } = await gateway.admin('POST', '/admin/tokens', { project: 'acme', service });
  return body as { token: string; jti: string };
}

const verify = (gateway: TestGateway, token: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${gateway.adminUrl}/.well-known/jwks.json`)));

/** All that a stranger can take for the secret of HS256 who has read the public key. */
function secretsOf(publicKey: KeyObject): Array<string | Buffer> {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const jwk = publicKey.export({ format: 'jwk' });
  return [
    pem,
    pem.trimEnd(),
    publicKey.export({ type: 'spki', format: 'der' }),
    JSON.stringify(jwk),
    String(jwk.n ?? jwk.x),
    Buffer.from(String(jwk.n ?? jwk.x), 'base64url'),
  ];
}

describe.each(Object.keys(PAIRS))('service tokens that are signed with a private key (%s)', (alg) => {
  it('are accepted where tokens are asked for, and by whoever has the published key', async () => {
    const files = keyFiles(alg);
    const gateway = await startGateway({ GATEWAY_JWT_PRIVATE_KEY_FILE: files.private });
    const apiKey = await publish(gateway);
    const { token, jti } = await issue(gateway);
    expect(await call(gateway, '/published/x', token)).toMatchObject({ status: 200 });
    expect(await call(gateway, '/api/x', token, apiKey)).toMatchObject({ status: 200 });
    const { payload, protectedHeader } = await verify(gateway, token);
    expect([payload.jti, protectedHeader.alg]).toEqual([jti, alg]);

    for (const secret of secretsOf(files.publicKey))
      for (const header of [{}, { kid: protectedHeader.kid }, { kid: protectedHeader.kid, alg }]) {
        const forged = serviceToken({ jti }, header, secret);
        for (const path of ['/published/x', '/api/x'])
          expect(await call(gateway, path, forged, apiKey)).toMatchObject({ status: 401 });
      }
    await gateway.close();
  });

  it('go on while the key is a previous one, and no longer', async () => {
    const [old, next] = [keyFiles(alg), keyFiles('ES256')];
    const DATA_DIR = scratchFolder('rotated');
    const first = await startGateway({ DATA_DIR, GATEWAY_JWT_PRIVATE_KEY_FILE: old.private });
    const apiKey = await publish(first);
    const before = await issue(first);
    expect(await call(first, '/published/x', before.token)).toMatchObject({ status: 200 });
    await first.close();

    const GATEWAY_JWT_PRIVATE_KEY_FILE = next.private;
    const GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES = old.public;
    const second = await startGateway({
      DATA_DIR,
      GATEWAY_JWT_PRIVATE_KEY_FILE,
      GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES,
    });
    const after = await issue(second);
    for (const { token } of [before, after]) {
      expect(await call(second, '/published/x', token)).toMatchObject({ status: 200 });
      expect(await call(second, '/api/x', token, apiKey)).toMatchObject({ status: 200 });
      await verify(second, token);
    }
    expect((await verify(second, after.token)).protectedHeader.alg).toBe('ES256');
    const revoked = await second.admin('POST', `/admin/tokens/${before.jti}/revoke`, { reason: 'x' });
    expect(revoked.status).toBe(200);
    await waitFor('the end', async () => (await call(second, '/published/x', before.token)).status === 401);
    await second.close();

    const third = await startGateway({ DATA_DIR, GATEWAY_JWT_PRIVATE_KEY_FILE });
    expect(await call(third, '/published/x', after.token)).toMatchObject({ status: 200 });
    const last = await call(third, '/published/x', before.token);
    expect(last.status).toBe(401);
    expect(last.detail).not.toBe('the token has been revoked');
    await third.close();
  });
});

it('a portal token opens no route, whatever the route asks for', async () => {
  const gateway = await startGateway({ GATEWAY_JWT_PRIVATE_KEY_FILE: keyFiles('EdDSA').private });
  const apiKey = await publish(gateway);
  const path = { path: '/wide', auth: { jwt: true, claims: { project: ['acme'], service: ['portal'] } } };
  expect((await gateway.admin('POST', '/admin/tenants/acme/routes', path)).status).toBe(201);
  const { token } = await issue(gateway, 'portal');
  for (const at of ['/published/x', '/api/x', '/api/wide'])
    expect(await call(gateway, at, token, apiKey)).toEqual({
      status: 401,
      detail: 'the token is for the portal',
    });
  const me = await fetch(`${gateway.adminUrl}/me`, { headers: { Authorization: `Bearer ${token}` } });
  expect(await me.json()).toMatchObject({ tenant_id: 'acme' });
  await gateway.close();
});
