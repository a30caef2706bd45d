import { keys } from '#libs/store';
import { waitFor } from '../support/children';
import { openBrowser, type Browser } from './browser';
import { furnish, type Furnished } from './portal-calls';
import { OWNER_TOKEN, describeStores, refusal, startStage, tenantDocument, type Stage } from './stage';

const GATEWAY_JWT_SECRET = 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-';
/** Each browser comes from an address of its own, so that what one gets wrong is not counted for the others. */
const PROXIED = { TRUSTED_PROXIES: 'loopback' };
let lastAddress = 0;
const ownAddress = (): Record<string, string> => ({ 'X-Forwarded-For': `198.51.100.${++lastAddress}` });

async function signedIn(stage: Stage, token: string): Promise<Browser> {
  const browser = openBrowser(stage);
  expect((await browser.signIn(token)).status).toBe(200);
  return browser;
}

describeStores('a session of the dashboard', (start) => {
  let stage: Stage;
  let acme: Furnished;
  let other: Furnished;
  beforeAll(async () => {
    stage = await start({ env: { GATEWAY_JWT_SECRET, ...PROXIED, GATEWAY_URL: 'https://api.example.com/' } });
    acme = await furnish(stage, 'acme');
    other = await furnish(stage, 'other');
  });
  afterAll(() => stage.close());

  it('of the owner opens what the admin token opens, and says who is signed in', async () => {
    const browser = openBrowser(stage);
    const answer = await browser.signIn(OWNER_TOKEN);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const session = {
      role: 'owner',
      adminRole: 'owner',
      name: null,
      operations: expect.arrayContaining(['Backup.restore', 'Tenants.list']) as string[],
      tenantId: null,
      tenantName: null,
      serviceId: null,
      credential: 'admin_token',
      idleSeconds: 3600,
      gatewayUrl: 'https://api.example.com',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      csrfToken: expect.stringMatching(/^[\w-]{43}$/) as string,
      expiresAt: expect.any(String) as string,
    };
    expect(answer.body).toEqual(session);
    expect((await browser.call('GET', '/dashboard/session')).body).toEqual(answer.body);
    expect((await browser.call('GET', '/admin/tenants')).status).toBe(200);
    expect((await browser.call('GET', '/me?tenant_id=acme')).body).toMatchObject({ role: 'owner' });
    const made = await browser.call('POST', '/admin/tenants', tenantDocument('by-cookie'));
    expect(made.status).toBe(201);
    const entry = await waitFor('the entry', async () => {
      const log = await stage.call('GET', '/admin/audit?tenant=by-cookie');
      return (log.body as { entries: Array<{ actor: string }> }).entries[0];
    });
    expect(entry).toMatchObject({ actor: 'owner', action: 'tenant.create' });
  });

  it('of a tenant opens its portal and nothing of others, by key and by portal token', async () => {
    const issued = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'portal' });
    const { token } = issued.body as { token: string };
    for (const [credential, kind] of [
      [acme.manager.key, 'api_key'],
      [token, 'portal_token'],
    ] as const) {
      const browser = await signedIn(stage, credential);
      const shown = await browser.call('GET', '/dashboard/session');
      expect(shown.body).toMatchObject({ role: 'tenant', tenantId: 'acme', tenantName: 'Tenant acme', credential: kind }); // prettier-ignore
      expect((await browser.call('GET', '/me')).body).toMatchObject({ tenant_id: 'acme' });
      expect((await browser.call('GET', '/me?tenant_id=other')).body).toMatchObject({ tenant_id: 'acme' });
      expect((await browser.call('POST', '/api-keys', { name: 'by cookie' })).status).toBe(201);
      expect(refusal(await browser.call('GET', '/admin/tenants'))).toMatchObject({ status: 401 });
      const foreign = [
        `/services/${other.serviceId}`,
        `/api-keys/${other.manager.id}`,
        `/usage/${other.serviceId}`,
      ];
      for (const path of foreign) expect((await browser.call('GET', path)).status).toBe(404);
    }
  });

  it('has a cookie that no script reads and no other site sends', async () => {
    const plain = await openBrowser(stage).call('POST', '/dashboard/session', { token: OWNER_TOKEN });
    expect(plain.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^gatehouse-session=a\.[\w-]{43}; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Strict$/,
      ),
    ]);
    const https = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '198.51.100.200' };
    const browser = openBrowser(stage);
    const secure = await browser.call('POST', '/dashboard/session', { token: OWNER_TOKEN }, https);
    expect(secure.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^__Host-gatehouse-session=a\.[\w-]{43}; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Strict; Secure$/,
      ),
    ]);
    expect((await browser.call('GET', '/dashboard/session', undefined, https)).status).toBe(200);
    // Over https a neighbouring host could have set the plain name.
    const [, value] = browser.cookie!.split('=');
    browser.cookie = `gatehouse-session=${value}`;
    expect(refusal(await browser.call('GET', '/dashboard/session', undefined, https)).code).toBe(
      'session_ended',
    );
  });

  it('changes nothing for another origin, nor without its token', async () => {
    const browser = await signedIn(stage, OWNER_TOKEN);
    const document = tenantDocument('forged');
    const refused = { status: 403, code: 'csrf_refused', fields: [] };
    const forged: Array<Record<string, string>> = [
      { 'Sec-Fetch-Site': 'cross-site' },
      // Another port or a neighbouring host is the same site, and gets the cookie.
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': '', Origin: 'http://localhost:1' },
      { 'Sec-Fetch-Site': '', Origin: 'null' },
      { 'X-CSRF-Token': '' },
      { 'X-CSRF-Token': (await signedIn(stage, OWNER_TOKEN)).csrfToken! },
    ];
    for (const headers of forged) {
      const answer = await browser.call('POST', '/admin/tenants', document, headers);
      expect([headers, refusal(answer)]).toEqual([headers, refused]);
      const end = await browser.call('DELETE', '/dashboard/session', undefined, headers);
      expect([headers, refusal(end)]).toEqual([headers, refused]);
    }
    for (const headers of forged.slice(0, 4))
      expect(refusal(await browser.call('GET', '/admin/tenants', undefined, headers))).toEqual(refused);
    expect((await browser.call('GET', '/admin/tenants', undefined, forged[4])).status).toBe(200);
    expect((await stage.call('GET', '/admin/tenants/forged')).status).toBe(404);
    const signIn = await openBrowser(stage).call(
      'POST',
      '/dashboard/session',
      { token: OWNER_TOKEN },
      forged[0],
    );
    expect([refusal(signIn), signIn.headers.getSetCookie()]).toEqual([refused, []]);
  });

  it('is nothing to a request that brings a credential itself', async () => {
    const browser = await signedIn(stage, OWNER_TOKEN);
    const evil = { 'Sec-Fetch-Site': 'cross-site', 'X-CSRF-Token': '' };
    const byKey = await browser.call('GET', '/me', undefined, { ...evil, 'X-API-Key': acme.manager.key });
    expect(byKey.body).toMatchObject({ tenant_id: 'acme', role: 'tenant' });
    for (const header of ['X-Admin-Token', 'Authorization'])
      expect(
        (await browser.call('GET', '/admin/tenants', undefined, { [header]: 'Bearer wrong' })).status,
      ).toBe(401);
  });

  it('is never one that was there before', async () => {
    const victim = openBrowser(stage);
    const attacker = await signedIn(stage, acme.manager.key);
    victim.cookie = attacker.cookie;
    expect((await victim.signIn(OWNER_TOKEN)).status).toBe(200);
    expect(victim.cookie).not.toBe(attacker.cookie);
    // The one that was planted has ended, and nobody's has become the owner's.
    expect(refusal(await attacker.call('GET', '/me')).code).toBe('session_ended');
    for (const made of ['a.' + 'A'.repeat(43), 't.' + 'A'.repeat(43), 'a.', 'x', '', 'a.' + '='.repeat(43)]) {
      victim.cookie = `gatehouse-session=${made}`;
      const answer = await victim.call('GET', '/admin/tenants');
      expect([made, answer.status]).toEqual([made, 401]);
      expect(answer.headers.getSetCookie().join()).toMatch(/^gatehouse-session=; Path=\/; Max-Age=0/);
    }
    // Nor is one of a tenant looked for among those of administrators.
    victim.cookie = (await signedIn(stage, acme.manager.key)).cookie!.replace('=t.', '=a.');
    expect((await victim.call('GET', '/me')).status).toBe(401);
  });

  it('ends when it is ended, on every control plane, and can be ended twice', async () => {
    const browser = await signedIn(stage, OWNER_TOKEN);
    const { cookie } = browser;
    const end = await browser.call('DELETE', '/dashboard/session');
    expect([end.status, browser.cookie]).toEqual([204, undefined]);
    browser.cookie = cookie;
    expect(refusal(await browser.call('GET', '/admin/tenants'))).toMatchObject({
      status: 401,
      code: 'session_ended',
    });
    browser.cookie = cookie;
    expect((await browser.call('DELETE', '/dashboard/session')).status).toBe(204);
    expect(refusal(await browser.call('GET', '/dashboard/session')).code).toBe('session_ended');
  });

  it('ends with its credential', async () => {
    const made = await stage.call('POST', `${acme.admin}/api-keys`, { name: 'short' });
    const { id, key } = made.body as { id: string; key: string };
    const browser = await signedIn(stage, key);
    expect((await stage.call('DELETE', `${acme.admin}/api-keys/${id}?wait=true`)).status).toBe(200);
    await waitFor('the end', async () => (await browser.call('GET', '/me')).status === 401);
    expect(refusal(await browser.call('GET', '/me')).code).toBe('invalid_api_key');
    expect(refusal(await browser.call('GET', '/dashboard/session')).code).toBe('invalid_api_key');
  });

  it('is kept where a reader of the store can do nothing with it', async () => {
    const browser = await signedIn(stage, acme.manager.key);
    const kept = await stage.store.notes.all({ key: keys.sessions('tenants'), max: 1 });
    const texts = [...kept].flat().join();
    expect(kept.size).toBeGreaterThan(0);
    expect(texts).not.toContain(acme.manager.key);
    expect(texts).not.toContain(browser.cookie!.split('.')[1]);
    expect(JSON.stringify(stage.lines())).not.toContain(browser.cookie!.split('.')[1]);
  });

  it('is begun by a token that is known, ten wrong ones a minute', async () => {
    const from = ownAddress();
    const attempt = (token: unknown, headers = from) =>
      openBrowser(stage).call('POST', '/dashboard/session', { token }, headers);
    for (const token of [undefined, '', 7, 'with space', 'ä', 'x'.repeat(8193)])
      expect(refusal(await attempt(token))).toEqual({
        status: 400,
        code: 'validation_failed',
        fields: ['token'],
      });
    for (let i = 0; i < 3; i++) expect((await attempt(OWNER_TOKEN)).status).toBe(200);
    const codes: string[] = [];
    for (let i = 0; i < 12; i++) codes.push(refusal(await attempt(i % 2 ? `a.b.${i}` : `gh_live_${i}`)).code);
    expect(codes).toEqual([...Array<string>(10).fill('sign_in_failed'), 'rate_limited', 'rate_limited']);
    const last = await attempt(OWNER_TOKEN);
    expect([last.status, Number(last.headers.get('retry-after'))]).toEqual([429, expect.any(Number)]);
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await attempt(OWNER_TOKEN, ownAddress())).status).toBe(200);
    const log = await waitFor('the log', async () => {
      const { body } = await stage.call('GET', '/admin/audit?action=session.begin&actor=unknown');
      const { entries } = body as { entries: unknown[] };
      return entries.length > 0 ? JSON.stringify(entries) : undefined;
    });
    expect(log).not.toContain('gh_live_');
  });

  it('is refused to a tenant that is suspended', async () => {
    const gone = await furnish(stage, 'gone');
    const browser = await signedIn(stage, gone.manager.key);
    await stage.call('POST', `${gone.admin}/suspend`, {});
    await waitFor('it', async () => (await browser.call('GET', '/me')).status === 403);
    expect(refusal(await openBrowser(stage).signIn(gone.manager.key)).code).toBe('tenant_suspended');
  });
});

describe('the dashboard', () => {
  it('that is off is not there', async () => {
    const stage = await startStage({ env: { DASHBOARD: 'false' } });
    expect(refusal(await openBrowser(stage).signIn(OWNER_TOKEN))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
    expect((await openBrowser(stage).call('GET', '/dashboard')).status).toBe(404);
    await stage.close();
  });
});
