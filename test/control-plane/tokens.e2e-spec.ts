import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { keys } from '#libs/store';
import { scratchFolder } from '../support/children';
import { OWNER_TOKEN, describeStores, refusal, startStage, tenantDocument, type Stage } from './stage';

const GATEWAY_JWT_SECRET = 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-';

interface Issued {
  token: string;
  jti: string;
  project: string;
  service: string;
  expiresAt: string;
}

describeStores('service tokens', (start) => {
  let stage: Stage;
  beforeEach(async () => {
    stage = await start({ env: { GATEWAY_JWT_SECRET } });
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
  });
  afterEach(() => stage.close());

  const issue = async (project: string, service = 'web', more: object = {}): Promise<Issued> => {
    const answer = await stage.call('POST', '/admin/tokens', { project, service, ...more });
    expect(answer.status).toBe(201);
    return answer.body as Issued;
  };
  const revoke = (jti: string, body: object = { reason: 'lost' }, query = '') =>
    stage.call('POST', `/admin/tokens/${encodeURIComponent(jti)}/revoke${query}`, body);
  const list = async (query = ''): Promise<string[]> => {
    const answer = await stage.call('GET', `/admin/tokens${query}`);
    return (answer.body as { tokens: Issued[] }).tokens.map(({ jti }) => jti);
  };

  it('are issued once, for ninety days, and are valid by the secret', async () => {
    const answer = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'web' });
    const { token, ...rest } = answer.body as Issued;
    expect(answer.status).toBe(201);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('location')).toBe(`/admin/tokens/${rest.jti}`);
    const { payload } = await jwtVerify(token, Buffer.from(GATEWAY_JWT_SECRET), { algorithms: ['HS256'] });
    expect(payload).toEqual({
      jti: rest.jti,
      project: 'acme',
      service: 'web',
      iat: expect.any(Number) as number,
      exp: Date.parse(rest.expiresAt) / 1000,
    });
    expect(payload.exp! - payload.iat!).toBe(90 * 86_400);
    expect(rest).toEqual({ jti: payload.jti, project: 'acme', service: 'web', expiresAt: rest.expiresAt });

    const shown = await stage.call('GET', `/admin/tokens/${rest.jti}`);
    expect(shown.body).toEqual({
      ...rest,
      createdAt: expect.any(String) as string,
      createdBy: 'owner',
      state: 'active',
    });
    const signature = token.split('.')[2] ?? '';
    for (const place of ['tenant:', 'gatehouse:']) {
      for await (const key of stage.store.documents.scan(place))
        expect(await stage.store.documents.get(key).catch(() => '')).not.toContain(signature);
    }
    expect(JSON.stringify(stage.lines())).not.toContain(signature);
  });

  it('last as long as they are asked to', async () => {
    for (const expiresInDays of [1, 365]) {
      const { expiresAt, jti } = await issue('acme', 'web', { expiresInDays, description: 'a text' });
      const days = (Date.parse(expiresAt) - Date.now()) / 86_400_000;
      expect(Math.abs(days - expiresInDays)).toBeLessThan(0.01);
      expect((await stage.call('GET', `/admin/tokens/${jti}`)).body).toMatchObject({ description: 'a text' });
    }
  });

  it('are listed by project, service and state, page by page', async () => {
    const made = [await issue('acme', 'web'), await issue('acme', 'modal'), await issue('other', 'web')];
    const [web, modal, others] = made.map(({ jti }) => jti) as [string, string, string];
    await revoke(modal);
    expect((await list()).sort()).toEqual([web, others].sort());
    expect(await list('?project=acme')).toEqual([web]);
    expect(await list('?state=revoked')).toEqual([modal]);
    expect(await list('?state=expired')).toEqual([]);
    expect(await list('?state=all&service=modal')).toEqual([modal]);
    expect(await list('?state=all&project=nobody')).toEqual([]);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await stage.call('GET', `/admin/tokens?state=all&limit=1${cursor && `&cursor=${cursor}`}`);
      const { tokens, nextCursor } = page.body as { tokens: Issued[]; nextCursor: string | null };
      seen.push(...tokens.map(({ jti }) => jti));
      cursor = nextCursor;
    }
    expect(seen.sort()).toEqual([web, modal, others].sort());
  });

  it('are taken back once: who was first, when and why stays', async () => {
    const { jti } = await issue('acme');
    const first = await revoke(jti, { reason: 'Token compromised', actor: 'alice' });
    expect(first).toMatchObject({
      status: 200,
      body: { jti, state: 'revoked', revoked: { actor: 'alice', reason: 'Token compromised' } },
    });
    expect(first.body).not.toHaveProperty('confirmed');
    const second = await revoke(jti, { reason: 'again' });
    expect(second).toMatchObject({ status: 200, body: first.body as object });
    expect((await stage.call('GET', `/admin/tokens/${jti}`)).body).toEqual(first.body);
  });

  it('are taken back by whoever is acting, unless another is named, and say who has followed', async () => {
    const { jti } = await issue('acme');
    const answer = await revoke(jti, { reason: 'lost' }, '?wait=true');
    expect(answer.body).toMatchObject({ revoked: { actor: 'owner' }, confirmed: [], missing: [] });
  });

  it('that were signed elsewhere are taken back by their jti, if it is said whose they are', async () => {
    const jti = 'urn:elsewhere/1';
    expect(refusal(await revoke(jti))).toMatchObject({ status: 404, code: 'token_not_found' });
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    const answer = await revoke(jti, { reason: 'lost', project: 'acme', service: 'web', expiresAt });
    expect(answer).toMatchObject({
      status: 200,
      body: { jti, project: 'acme', state: 'revoked', expiresAt },
    });
    expect(await list('?state=revoked')).toEqual([jti]);
    expect((await stage.call('GET', `/admin/tokens/${encodeURIComponent(jti)}`)).status).toBe(200);
  });

  it('of another project are not found under a wrong name', async () => {
    const { jti } = await issue('other');
    expect(refusal(await revoke(jti, { reason: 'x', project: 'acme' }))).toMatchObject({
      status: 404,
      code: 'token_not_found',
    });
    expect(await list('?project=other')).toEqual([jti]);
  });

  it('of a deleted tenant do not open its successor', async () => {
    const [mine, theirs] = [await issue('acme'), await issue('other')];
    expect((await stage.call('DELETE', '/admin/tenants/acme')).status).toBe(204);
    expect((await stage.call('POST', '/admin/tenants', tenantDocument('acme'))).status).toBe(201);
    const reborn = await issue('acme');
    expect(await list('?project=acme')).toEqual([reborn.jti]);
    expect((await stage.call('GET', `/admin/tokens/${mine.jti}`)).body).toMatchObject({
      state: 'revoked',
      revoked: { reason: 'the tenant was deleted' },
    });
    expect(await list('?project=other')).toEqual([theirs.jti]);
  });

  it('of a tenant that another program has deleted do not open its successor either', async () => {
    const { jti } = await issue('acme');
    await stage.foreignDelete(keys.tenant('acme'));
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    expect((await stage.call('GET', `/admin/tokens/${jti}`)).body).toMatchObject({ state: 'revoked' });
  });

  it('are forgotten when they have expired, revoked or not', async () => {
    const { jti } = await issue('acme');
    const record = JSON.parse((await stage.store.documents.get(keys.serviceToken(jti))) ?? '') as object;
    for (const [id, expiresAt] of [
      ['old-1', '2020-01-01T00:00:00.000Z'],
      ['old-2', '2020-01-02T00:00:00.000Z'],
    ] as const) {
      const old = {
        ...record,
        jti: id,
        expiresAt,
        ...(id === 'old-2' ? { revoked: { at: expiresAt } } : {}),
      };
      const entry = `${String(Date.parse(expiresAt) / 1000).padStart(12, '0')}:${id}`;
      await stage.store.documents.put(keys.serviceToken(id), JSON.stringify(old), 'any');
      await stage.store.documents.indexAdd(keys.serviceTokenIndex('acme'), entry);
    }
    expect((await list('?state=all')).sort()).toEqual([jti, 'old-1', 'old-2'].sort());
    const answer = await stage.call('POST', '/admin/tokens/cleanup');
    expect(answer).toMatchObject({ status: 200, body: { tokens: 1, revocations: 1, more: false } });
    expect(await list('?state=all')).toEqual([jti]);
    expect(await stage.store.documents.get(keys.serviceToken('old-2'))).toBeUndefined();
  });

  it.each(['', '?state=all', '/x'])('are shown to the owner only (GET /admin/tokens%s)', async (path) => {
    const answer = await stage.call('GET', `/admin/tokens${path}`, undefined, { 'X-Admin-Token': 'wrong' });
    expect(refusal(answer)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
  });

  it('are issued and taken back by the owner only', async () => {
    const { jti } = await issue('acme');
    for (const [path, body] of [
      ['', { project: 'acme', service: 'web' }],
      [`/${jti}/revoke`, { reason: 'x' }],
      ['/cleanup', undefined],
    ] as const) {
      const answer = await stage.call('POST', `/admin/tokens${path}`, body, { 'X-Admin-Token': 'wrong' });
      expect(refusal(answer)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
    }
    expect(await list('?state=all')).toEqual([jti]);
  });
});

describe('without a key to sign with', () => {
  it('no token is issued, others are still taken back, and no key is published', async () => {
    const stage = await startStage();
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const answer = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'web' });
    expect(refusal(answer)).toMatchObject({ status: 503, code: 'signing_not_configured' });
    const revoked = await stage.call('POST', '/admin/tokens/x/revoke', { reason: 'y', project: 'acme' });
    expect(revoked.status).toBe(200);
    const response = await fetch(`${stage.url}/.well-known/jwks.json`);
    expect([response.status, await response.json()]).toEqual([200, { keys: [] }]);
    await stage.close();
  });
});

describe('with a private key', () => {
  it('tokens are verified by what everybody may fetch and keep for a while', async () => {
    const folder = scratchFolder('token-keys');
    const file = (name: string, text: string | Buffer): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [now, before] = [
      generateKeyPairSync('ed25519'),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    ];
    const stage = await startStage({
      env: {
        GATEWAY_JWT_SECRET,
        GATEWAY_JWT_PRIVATE_KEY_FILE: file(
          'now.pem',
          now.privateKey.export({ type: 'pkcs8', format: 'pem' }),
        ),
        GATEWAY_JWT_PREVIOUS_PUBLIC_KEY_FILES: file(
          'before.pem',
          before.publicKey.export({ type: 'spki', format: 'pem' }),
        ),
      },
    });
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const { body } = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'web' });
    const url = new URL('/.well-known/jwks.json', stage.url);
    const { payload, protectedHeader } = await jwtVerify((body as Issued).token, createRemoteJWKSet(url));
    expect(payload).toMatchObject({ project: 'acme', service: 'web' });
    expect(protectedHeader.alg).toBe('EdDSA');
    const response = await fetch(url);
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    const published = (await response.json()) as { keys: object[] };
    expect(published.keys).toMatchObject([{ alg: 'EdDSA', kid: protectedHeader.kid }, { alg: 'ES256' }]);
    expect(JSON.stringify(published)).not.toMatch(/"d":/);
    expect(JSON.stringify(published) + JSON.stringify(stage.lines())).not.toContain(OWNER_TOKEN);
    await stage.close();
  });
});
