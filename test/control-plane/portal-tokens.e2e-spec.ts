import { SignJWT } from 'jose';
import { keys } from '#libs/store';
import { waitFor } from '../support/children';
import { callAs, furnish, type Furnished } from './portal-calls';
import { describeStores, refusal, type Answer, type Stage } from './stage';

const GATEWAY_JWT_SECRET = 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-';

interface Issued {
  token: string;
  jti: string;
}

describeStores('a portal token', (start) => {
  let stage: Stage;
  let acme: Furnished;
  let other: Furnished;
  let issued: Issued;
  beforeAll(async () => {
    stage = await start({ env: { GATEWAY_JWT_SECRET } });
    acme = await furnish(stage, 'acme');
    other = await furnish(stage, 'other');
    issued = await issue('acme');
  });
  afterAll(() => stage.close());

  const issue = async (project: string, service = 'portal'): Promise<Issued> => {
    const answer = await stage.call('POST', '/admin/tokens', { project, service });
    expect(answer.status).toBe(201);
    return answer.body as Issued;
  };
  const revoke = async (jti: string): Promise<void> => {
    const answer = await stage.call('POST', `/admin/tokens/${jti}/revoke`, { reason: 'lost' });
    expect(answer.status).toBe(200);
  };
  const by = (token: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    callAs(stage, undefined)(method, path, body, { Authorization: `Bearer ${token}` });
  const mine = (method: string, path: string, body?: unknown) => by(issued.token, method, path, body);

  it('opens the portal of its tenant, as a key of the tenant does', async () => {
    const byKey = callAs(stage, acme.manager.key);
    for (const path of ['/me', '/services', '/api-keys', '/usage', '/billing', '/billing/statements']) {
      const [shown, expected] = [await mine('GET', path), await byKey('GET', path)];
      expect({ path, status: shown.status }).toEqual({ path, status: expected.status });
      if (path !== '/usage' && path !== '/billing') expect(shown.body).toEqual(expected.body);
    }
    expect((await mine('GET', '/me')).body).toMatchObject({ tenant_id: 'acme', role: 'tenant' });
    expect(refusal(await mine('GET', '/me/api-key'))).toMatchObject({
      status: 404,
      code: 'api_key_not_found',
    });
  });

  it('changes what is the tenant’s, and the audit log says which token did', async () => {
    const made = await mine('POST', '/api-keys', { name: 'by token' });
    expect(made.status).toBe(201);
    const { id, api_key: key } = made.body as { id: string; api_key: string };
    expect((await callAs(stage, key)('GET', '/me')).body).toMatchObject({ tenant_id: 'acme' });
    expect((await mine('DELETE', `/api-keys/${id}`)).status).toBeLessThan(300);
    const entries = await waitFor('both entries', async () => {
      const log = (await stage.call('GET', '/admin/audit?tenant=acme')).body as {
        entries: Array<{ actor: string; action: string }>;
      };
      const own = log.entries.filter(({ actor }) => actor === `token:${issued.jti}`);
      return own.length === 2 ? own : undefined;
    });
    for (const entry of entries) expect(entry.action).toMatch(/^api_key\./);
    expect(JSON.stringify(stage.lines())).not.toContain(issued.token.split('.')[2]);
  });

  it('reaches nothing of another tenant', async () => {
    const before = (await stage.call('GET', `${other.admin}/api-keys`)).text;
    const answers = [
      await mine('GET', `/services/${other.serviceId}`),
      await mine('PATCH', `/services/${other.serviceId}`, { name: 'x' }),
      await mine('DELETE', `/services/${other.serviceId}`),
      await mine('GET', `/api-keys/${other.manager.id}`),
      await mine('DELETE', `/api-keys/${other.manager.id}`),
      await mine('GET', `/usage/${other.serviceId}`),
    ];
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
    expect((await stage.call('GET', `${other.admin}/api-keys`)).text).toBe(before);
    // The owner names tenants so; a token has its own.
    expect((await mine('GET', '/me?tenant_id=other')).body).toMatchObject({ tenant_id: 'acme' });
  });

  it('opens no operation of the owner', async () => {
    for (const path of ['/admin/tenants', '/admin/tokens', '/admin/tenants/acme', '/admin/audit'])
      expect(refusal(await mine('GET', path))).toMatchObject({ status: 401, code: 'admin_unauthorized' });
  });

  it('is refused unless it was issued here for the portal, and is in force', async () => {
    const now = Math.floor(Date.now() / 1000);
    const signed = (claims: object, secret = GATEWAY_JWT_SECRET): Promise<string> =>
      new SignJWT({
        jti: issued.jti,
        project: 'acme',
        service: 'portal',
        iat: now,
        exp: now + 600,
        ...claims,
      })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(Buffer.from(secret));
    const revoked = await issue('acme');
    expect((await by(revoked.token, 'GET', '/me')).status).toBe(200);
    await revoke(revoked.jti);
    const broken = await issue('acme');
    await stage.foreignSet(keys.serviceToken(broken.jti), 'nonsense');
    const foreign = await issue('other');
    const rows: Array<[string, string]> = [
      ['of another service', (await issue('acme', 'web')).token],
      ['of a service that is spelt otherwise', (await issue('acme', 'Portal')).token],
      ['taken back', revoked.token],
      ['with a record that cannot be read', broken.token],
      ['signed elsewhere with the secret', await signed({ jti: 'made-elsewhere' })],
      ['with the id of another tenant’s token', await signed({ jti: foreign.jti })],
      ['with the id of another service’s token', await signed({ jti: (await issue('acme', 'api')).jti })],
      ['past', await signed({ exp: now - 1 })],
      ['signed by somebody else', await signed({}, 'x'.repeat(32))],
      ['that is none', 'nonsense'],
      ['that is empty', ''],
      ['that is too long', 'x'.repeat(9000)],
    ];
    for (const [what, token] of rows) {
      const answer = await by(token, 'GET', '/me');
      expect({ what, ...refusal(answer) }).toMatchObject({ what, status: 401, code: 'invalid_jwt' });
      expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
    }
    expect((await by(await signed({}), 'GET', '/me')).status).toBe(200);
  });

  it('is no way around the credentials that come before it', async () => {
    const authorization = { Authorization: `Bearer ${issued.token}` };
    const wrong = { ...authorization, 'X-Admin-Token': 'wrong' };
    expect(refusal(await callAs(stage, undefined)('GET', '/me', undefined, wrong)).status).toBe(401);
    const both = await callAs(stage, other.manager.key)('GET', '/me', undefined, authorization);
    expect(both.body).toMatchObject({ tenant_id: 'other' });
    expect((await callAs(stage, 'no key')('GET', '/me', undefined, authorization)).status).toBe(401);
  });

  it('is used from where the tenant may be called, as its keys are', async () => {
    const lists = (ipDeny: string[] | null) => stage.call('PATCH', '/admin/tenants/acme', { ipDeny });
    await lists(['127.0.0.0/8', '::1']);
    const byKey = callAs(stage, acme.manager.key);
    const closed = { status: 403, code: 'address_not_allowed' };
    await waitFor('the list', async () => (await mine('GET', '/me')).status === 403);
    expect(refusal(await mine('GET', '/me'))).toMatchObject(closed);
    expect(refusal(await byKey('GET', '/me'))).toMatchObject(closed);
    await lists(null);
    await waitFor('its end', async () => (await mine('GET', '/me')).status === 200);
  });

  it('waits while its tenant is suspended, and ends with it', async () => {
    const gone = await furnish(stage, 'gone');
    const { token } = await issue('gone');
    expect((await by(token, 'GET', '/me')).status).toBe(200);
    await stage.call('POST', `${gone.admin}/suspend`, {});
    await waitFor('the suspension', async () => (await by(token, 'GET', '/me')).status === 403);
    expect(refusal(await by(token, 'GET', '/me')).code).toBe('tenant_suspended');
    await stage.call('POST', `${gone.admin}/resume`, {});
    await waitFor('its end', async () => (await by(token, 'GET', '/me')).status === 200);
    await stage.call('DELETE', gone.admin);
    await furnish(stage, 'gone');
    expect(refusal(await by(token, 'GET', '/me')).code).toBe('invalid_jwt');
  });
});
