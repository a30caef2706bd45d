import { connect } from 'node:net';
import type { AuditEntry } from '#libs/audit';
import { StoreUnavailableError } from '#libs/store';
import { waitFor } from '../support/children';
import { OWNER_TOKEN, describeStores, refusal, tenantDocument, type Stage } from './stage';

const env = {
  GATEWAY_JWT_SECRET: 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-',
  OPEN_REGISTRATION: 'true',
  ALLOW_PRIVATE_UPSTREAMS: 'true',
};

describeStores('the audit log', (start) => {
  let stage: Stage;
  beforeEach(async () => void (stage = await start({ env })));
  afterEach(() => stage.close());

  const page = async (query = ''): Promise<{ entries: AuditEntry[]; nextCursor: string | null }> => {
    const answer = await stage.call('GET', `/admin/audit${query}`);
    expect(answer.status).toBe(200);
    return answer.body as { entries: AuditEntry[]; nextCursor: string | null };
  };
  /** Entries of changes are there before their answers, those of refusals soon after. */
  const entries = async (count: number, query = ''): Promise<AuditEntry[]> => {
    let found: AuditEntry[] = [];
    await waitFor(`${count} entries`, async () => (found = (await page(query)).entries).length >= count);
    expect(found).toHaveLength(count);
    return found;
  };

  it('says who has done what to whom, when, from where and with which outcome, newest first', async () => {
    const before = Date.now();
    const created = await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const key = await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k' });
    const { id } = key.body as { id: string };
    await stage.call('GET', '/admin/tenants/acme');
    await stage.call('PATCH', '/admin/tenants/acme', { name: 7 });
    await stage.call('DELETE', '/admin/tenants/nobody');
    await stage.call('DELETE', `/admin/tenants/acme/api-keys/${id}`);
    const [revoked, made, tenant] = await entries(3);
    expect(tenant).toEqual({
      id: expect.any(String) as string,
      at: expect.any(String) as string,
      actor: 'owner',
      action: 'tenant.create',
      tenantId: 'acme',
      target: 'acme',
      requestId: created.headers.get('x-request-id'),
      ip: '127.0.0.1',
      status: 201,
      revision: 1,
      changes: [{ kind: 'tenant', id: 'acme', tenantId: 'acme', change: 'created', patch: [] }],
      chain: 'owners',
      seq: 1,
      previousHash: '0'.repeat(64),
      hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(Date.parse(tenant!.at)).toBeGreaterThanOrEqual(before);
    expect(made).toMatchObject({ action: 'api_key.create', tenantId: 'acme', target: id, status: 201 });
    expect(revoked).toMatchObject({ action: 'api_key.revoke', tenantId: 'acme', target: id, status: 204 });
    expect(
      [revoked, made, tenant]
        .map((entry) => entry!.id)
        .sort()
        .reverse(),
    ).toEqual([revoked, made, tenant].map((entry) => entry!.id));
  });

  it('says of a token which it was, whose and why it was taken back, never the token', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const issued = await stage.call('POST', '/admin/tokens', { project: 'acme', service: 'web' });
    const { jti, token, expiresAt } = issued.body as { jti: string; token: string; expiresAt: string };
    await stage.call('POST', `/admin/tokens/${jti}/revoke`, { reason: 'Token compromised', actor: 'alice' });
    const [revoke, issue] = await entries(3);
    const whose = { jti, project: 'acme', service: 'web' };
    expect(issue).toMatchObject({ action: 'token.issue', actor: 'owner', tenantId: 'acme', target: jti });
    expect(issue!.details).toEqual({ ...whose, expiresAt });
    expect(revoke).toMatchObject({ action: 'token.revoke', actor: 'owner', tenantId: 'acme', target: jti });
    expect(revoke!.details).toEqual({ ...whose, reason: 'Token compromised', by: 'alice' });
    expect(JSON.stringify(await page())).not.toContain(token.split('.')[2]);
  });

  it('tells strangers who were refused, and never what they sent as a credential', async () => {
    for (const token of ['guessed', `${OWNER_TOKEN}x`]) {
      const headers = { 'X-Admin-Token': token, 'X-Request-Id': 'r-1' };
      await stage.call('DELETE', '/admin/tenants/acme', undefined, headers);
    }
    await stage.call('POST', '/api-keys', { name: 'x' }, { 'X-Admin-Token': '', 'X-API-Key': 'guessed-key' });
    const found = await entries(3);
    expect(found).toMatchObject([
      { actor: 'unknown', action: 'api_key.create', status: 401 },
      { actor: 'unknown', action: 'tenant.delete', tenantId: 'acme', status: 401, requestId: 'r-1' },
      { actor: 'unknown', action: 'tenant.delete', status: 401 },
    ]);
    expect(JSON.stringify(found)).not.toMatch(/guessed|owner-token/);
  });

  it('tells tenants by their keys, and those who need none', async () => {
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
    const made = await stage.call('POST', '/admin/tenants/acme/api-keys', { name: 'k' });
    const { key, id } = made.body as { key: string; id: string };
    const asTenant = async (method: string, path: string, body: object): Promise<number> => {
      const response = await fetch(stage.url + path, {
        method,
        headers: { 'X-API-Key': key, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    };
    expect(await asTenant('POST', '/api-keys', { name: 'of the tenant' })).toBe(201);
    const registered = await fetch(`${stage.url}/register-api`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'weather', target_url: 'http://127.0.0.1:9' }),
    });
    expect(registered.status).toBeLessThan(300);
    const [anonymous, tenant] = await entries(4);
    expect(anonymous).toMatchObject({ actor: 'anonymous', action: 'service.create', tenantId: 'default' });
    expect(tenant).toMatchObject({ actor: `key:${id}`, action: 'api_key.create', tenantId: 'acme' });
    expect(JSON.stringify(await page())).not.toContain(key);
  });

  it('is filtered by actor, action, tenant and time, and read page by page', async () => {
    for (const id of ['acme', 'other']) await stage.call('POST', '/admin/tenants', tenantDocument(id));
    await stage.call('POST', '/admin/tenants/acme/suspend');
    await stage.call('POST', '/admin/tenants/acme/resume', undefined, { 'X-Admin-Token': 'wrong' });
    const all = await entries(4);
    expect((await page('?actor=unknown')).entries).toEqual([all[0]]);
    expect((await page('?action=tenant.create')).entries).toEqual(all.slice(2));
    expect((await page('?tenant=other')).entries).toEqual([all[2]]);
    expect((await page('?tenant=acme&actor=owner')).entries).toEqual([all[1], all[3]]);
    expect((await page(`?from=${all[1]!.at}`)).entries).toEqual(all.filter(({ at }) => at >= all[1]!.at));
    expect((await page(`?to=${all[1]!.at}`)).entries).toEqual(all.filter(({ at }) => at < all[1]!.at));
    const seen: AuditEntry[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const one = await page(`?limit=1${cursor && `&cursor=${cursor}`}`);
      seen.push(...one.entries);
      cursor = one.nextCursor;
    }
    expect(seen).toEqual(all);
  });

  it.each([
    ['from', 'yesterday'],
    ['from', '2030-13-01'],
    ['from', '2030-W01-1'],
    ['to', '2030-02-30T00:00:00Z'],
    ['limit', '0'],
    ['cursor', 'AAAA'],
    ['who', 'x'],
  ])('refuses %s=%s', async (name, value) => {
    const answer = refusal(await stage.call('GET', `/admin/audit?${name}=${value}`));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed', fields: [name] });
  });

  it('is read by the owner only, and changed by nobody', async () => {
    const answer = await stage.call('GET', '/admin/audit', undefined, { 'X-Admin-Token': 'wrong' });
    expect(refusal(answer)).toMatchObject({ status: 401, code: 'admin_unauthorized' });
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'])
      expect((await stage.call(method, '/admin/audit')).status).toBe(405);
  });

  it('keeps no more than it is set to', async () => {
    await stage.close();
    stage = await start({ env: { ...env, AUDIT_MAX_ENTRIES: '5' } });
    for (let i = 0; i < 9; i++) await stage.call('POST', '/admin/tenants', tenantDocument(`t${i}`));
    const newest = async (): Promise<string[]> => (await page()).entries.map(({ target }) => target ?? '');
    await waitFor('the trimming', async () => (await newest()).join() === 't8,t7,t6,t5,t4');
  });

  it('tells of changes whose makers did not wait for the answer', async () => {
    const put = stage.store.documents.put.bind(stage.store.documents);
    let release: () => void = () => undefined;
    const asked = new Promise<void>((told) => {
      stage.store.documents.put = async (key, ...rest) => {
        if (key === 'tenant:slow') {
          told();
          await new Promise<void>((resolve) => (release = resolve));
        }
        return put(key, ...rest);
      };
    });
    const body = JSON.stringify(tenantDocument('slow'));
    const socket = connect(Number(new URL(stage.url).port), '127.0.0.1');
    socket.write(
      `POST /admin/tenants HTTP/1.1\r\nHost: x\r\nX-Admin-Token: ${OWNER_TOKEN}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    await asked;
    socket.destroy();
    const [entry] = await entries(1);
    expect(entry).toMatchObject({ actor: 'owner', action: 'tenant.create', status: 499 });
    release();
    await waitFor('the tenant', async () => (await stage.store.documents.get('tenant:slow')) !== undefined);
  });

  it('does not lose an entry that cannot be written: it is in the log as an error', async () => {
    const put = stage.store.documents.put.bind(stage.store.documents);
    stage.store.documents.put = (key, ...rest) =>
      key.startsWith('gatehouse:audit:') ? Promise.reject(new StoreUnavailableError()) : put(key, ...rest);
    expect((await stage.call('POST', '/admin/tenants', tenantDocument('acme'))).status).toBe(201);
    const line = await waitFor('the line', () => stage.lines().find(({ entry }) => entry !== undefined));
    expect(line).toMatchObject({
      level: 'error',
      category: 'admin',
      entry: { actor: 'owner', action: 'tenant.create', target: 'acme', status: 201 },
    });
  });
});
