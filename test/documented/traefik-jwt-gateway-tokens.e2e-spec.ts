import { createHmac } from 'node:crypto';
import { keys } from '#libs/store';
import { waitFor } from '../support/children';
import { startGateway, type TestGateway } from '../support/gateway';

const GATEWAY_JWT_SECRET = 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-';

interface Issued {
  token: string;
  jti: string;
  expiresAt: string;
  project: string;
  service: string;
}

/**
 * The token management that users of the Traefik gateway know, step by step: generate, list those in force, revoke, clean
 * up. Their requests and answers are as documented there; SQL functions of a hosted database are operations of the
 * control plane.
 */
describe('the documented life of a service token', () => {
  let gateway: TestGateway;
  let issued: Issued;

  beforeAll(async () => {
    gateway = await startGateway({ GATEWAY_JWT_SECRET });
    await gateway.addTenant({ id: 'captionacc', upstreamBaseUrl: 'http://127.0.0.1:9' });
  });
  afterAll(() => gateway.close());

  it('is generated with the documented request and answer', async () => {
    const answer = await gateway.admin('POST', '/admin/tokens', {
      project: 'captionacc',
      service: 'modal',
      description: 'Modal GPU workers token',
      expiresInDays: 90,
    });
    issued = answer.body as Issued;
    expect(answer.status).toBe(201);
    expect(Object.keys(issued).sort()).toEqual(['expiresAt', 'jti', 'project', 'service', 'token']);
    expect(issued).toMatchObject({ project: 'captionacc', service: 'modal' });
    expect(issued.jti).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const days = (Date.parse(issued.expiresAt) - Date.now()) / 86_400_000;
    expect(days).toBeGreaterThan(89.9);
    expect(days).toBeLessThanOrEqual(90);
  });

  it('is HS256 by GATEWAY_JWT_SECRET, with the documented claims and no other', () => {
    const [header = '', payload = '', signature] = issued.token.split('.');
    expect(header.startsWith('eyJhbGciOiJIUzI1NiIs')).toBe(true);
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    expect(Object.keys(claims).sort()).toEqual(['exp', 'iat', 'jti', 'project', 'service']);
    expect(claims).toMatchObject({ jti: issued.jti, project: 'captionacc', service: 'modal' });
    const expected = createHmac('sha256', GATEWAY_JWT_SECRET)
      .update(`${header}.${payload}`)
      .digest('base64url');
    expect(signature).toBe(expected);
  });

  it('lives for 90 days by default and for 365 at most', async () => {
    const request = { project: 'captionacc', service: 'web' };
    const answer = await gateway.admin('POST', '/admin/tokens', request);
    const days = (Date.parse((answer.body as Issued).expiresAt) - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(90);
    const tooLong = await gateway.admin('POST', '/admin/tokens', { ...request, expiresInDays: 366 });
    expect(tooLong.status).toBe(400);
  });

  it('is listed while it is in force, with project, service, description and its times', async () => {
    const { body } = await gateway.admin('GET', '/admin/tokens?project=captionacc&service=modal');
    expect((body as { tokens: object[] }).tokens).toEqual([
      {
        jti: issued.jti,
        project: 'captionacc',
        service: 'modal',
        description: 'Modal GPU workers token',
        createdAt: expect.any(String) as string,
        expiresAt: issued.expiresAt,
        createdBy: 'owner',
        state: 'active',
      },
    ]);
  });

  it('is revoked by its jti, by whom and why, and is not in force any more', async () => {
    const revoked = await gateway.admin('POST', `/admin/tokens/${issued.jti}/revoke?wait=true`, {
      reason: 'Token compromised',
      actor: 'admin-username',
    });
    expect(revoked).toMatchObject({
      status: 200,
      body: {
        jti: issued.jti,
        state: 'revoked',
        revoked: { actor: 'admin-username', reason: 'Token compromised' },
        missing: [],
      },
    });
    expect((revoked.body as { confirmed: string[] }).confirmed).toHaveLength(1);
    const { body } = await gateway.admin('GET', '/admin/tokens?project=captionacc&service=modal');
    expect((body as { tokens: object[] }).tokens).toEqual([]);
  });

  it('is revoked also if another program had signed it with the same secret', async () => {
    const path = '/admin/tokens/jwt-id-here/revoke';
    expect((await gateway.admin('POST', path, { reason: 'x' })).status).toBe(404);
    const answer = await gateway.admin('POST', path, { reason: 'x', project: 'captionacc' });
    expect(answer).toMatchObject({ status: 200, body: { state: 'revoked', project: 'captionacc' } });
  });

  it('leaves nothing behind once it has expired and the records are cleaned up', async () => {
    const answer = await gateway.admin('POST', '/admin/tokens/cleanup');
    expect(answer).toMatchObject({ status: 200, body: { tokens: 0, revocations: 0, more: false } });
    // Those that have not expired are still known, revoked ones above all.
    const { body } = await gateway.admin('GET', '/admin/tokens?state=revoked');
    expect((body as { tokens: Issued[] }).tokens.map(({ jti }) => jti)).toContain(issued.jti);
  });

  it('is on record: who issued and revoked it, and why, never the token', async () => {
    const entry = await waitFor('the entry', async () => {
      const { body } = await gateway.admin('GET', '/admin/audit?action=token.revoke&tenant=captionacc');
      const { entries } = body as { entries: Array<{ target: string; details: object }> };
      return entries.find(({ target }) => target === issued.jti);
    });
    expect(entry).toMatchObject({
      actor: 'owner',
      details: { jti: issued.jti, project: 'captionacc', service: 'modal', reason: 'Token compromised' },
    });
    const everything = await gateway.admin('GET', '/admin/audit');
    expect(JSON.stringify(everything.body)).not.toContain(issued.token);
    expect(JSON.stringify(gateway.logs)).not.toContain(issued.token);
  });

  it('needs no key set while it is signed with the shared secret', async () => {
    const response = await fetch(`${gateway.url}/.well-known/jwks.json`);
    expect([response.status, await response.json()]).toEqual([200, { keys: [] }]);
    expect((await fetch(`${gateway.url}/.well-known/other`)).status).toBe(404);
  });
});

it('knows the key of a token by the documented name of its record', () => {
  expect(keys.serviceToken('jti')).toBe('tenant:token:jti');
});
