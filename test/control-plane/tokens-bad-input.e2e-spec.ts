import { describeStores, refusal, tenantDocument, type Stage } from './stage';

const GATEWAY_JWT_SECRET = 'kJ3f9Qw2Lx7Zp0Vt5Rb8Nc1Md4Hs6Gy-';
const GOOD = { project: 'acme', service: 'web' };
const MOMENT = new Date(Date.now() + 86_400_000).toISOString();

const BAD_TOKENS: Array<[change: object, field: string]> = [
  [{ project: undefined }, 'project'],
  [{ project: null }, 'project'],
  [{ project: 7 }, 'project'],
  [{ project: '' }, 'project'],
  [{ project: ['acme'] }, 'project'],
  [{ project: 'a b' }, 'project'],
  [{ project: 'a:b' }, 'project'],
  [{ project: '../acme' }, 'project'],
  [{ project: 'x'.repeat(65) }, 'project'],
  [{ project: 'acme\n' }, 'project'],
  [{ service: undefined }, 'service'],
  [{ service: null }, 'service'],
  [{ service: '' }, 'service'],
  [{ service: 'a b' }, 'service'],
  [{ service: 'wéb' }, 'service'],
  [{ service: 'a/b' }, 'service'],
  [{ service: '*' }, 'service'],
  [{ service: 'x'.repeat(65) }, 'service'],
  [{ service: { a: 1 } }, 'service'],
  [{ description: 7 }, 'description'],
  [{ description: null }, 'description'],
  [{ description: 'x'.repeat(201) }, 'description'],
  [{ expiresInDays: null }, 'expiresInDays'],
  [{ expiresInDays: 0 }, 'expiresInDays'],
  [{ expiresInDays: -1 }, 'expiresInDays'],
  [{ expiresInDays: 366 }, 'expiresInDays'],
  [{ expiresInDays: 1.5 }, 'expiresInDays'],
  [{ expiresInDays: '90' }, 'expiresInDays'],
  [{ expiresInDays: [90] }, 'expiresInDays'],
  [{ jti: 'mine' }, 'jti'],
  [{ exp: 9e9 }, 'exp'],
  [{ iat: 1 }, 'iat'],
];

const BAD_REVOCATIONS: Array<[body: object, field: string]> = [
  [{}, 'reason'],
  [{ reason: '' }, 'reason'],
  [{ reason: null }, 'reason'],
  [{ reason: 7 }, 'reason'],
  [{ reason: 'x'.repeat(501) }, 'reason'],
  [{ reason: 'x', actor: '' }, 'actor'],
  [{ reason: 'x', actor: null }, 'actor'],
  [{ reason: 'x', actor: 'x'.repeat(101) }, 'actor'],
  [{ reason: 'x', project: 'a:b' }, 'project'],
  [{ reason: 'x', project: null }, 'project'],
  [{ reason: 'x', project: 'acme', service: 'a b' }, 'service'],
  [{ reason: 'x', project: 'acme', expiresAt: 'tomorrow' }, 'expiresAt'],
  [{ reason: 'x', project: 'acme', expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
  [{ reason: 'x', project: 'acme', expiresAt: 1893456000 }, 'expiresAt'],
  [{ reason: 'x', project: 'acme', expiresAt: MOMENT, token: 'eyJ' }, 'token'],
];

describeStores('bad input about tokens', (start) => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await start({ env: { GATEWAY_JWT_SECRET } });
    await stage.call('POST', '/admin/tenants', tenantDocument('acme'));
  });
  afterAll(() => stage.close());

  /** Whatever was refused left nothing. */
  afterEach(async () => {
    for await (const key of stage.store.documents.scan('tenant:token:')) throw new Error(`stored: ${key}`);
    expect((await stage.call('GET', '/admin/tokens?state=all')).body).toEqual({
      tokens: [],
      nextCursor: null,
    });
  });

  it.each(BAD_TOKENS)('issues none for %j and names the field', async (change, field) => {
    const answer = refusal(await stage.call('POST', '/admin/tokens', { ...GOOD, ...change }));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.fields).toEqual([field]);
  });

  it.each(BAD_REVOCATIONS)('takes none back for %j and names the field', async (body, field) => {
    const answer = refusal(await stage.call('POST', '/admin/tokens/some-id/revoke', body));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed' });
    expect(answer.fields).toEqual([field]);
  });

  it.each([
    ['no body', undefined, 400, 'validation_failed'],
    ['a list', '[]', 400, 'validation_failed'],
    ['half an object', '{"project":', 400, 'bad_request'],
    ['a prototype', '{"__proto__":{"project":"acme"},"service":"web"}', 400, 'validation_failed'],
    ['a body of another kind', 'project=acme', 415, 'unsupported_media_type'],
  ])('refuses %s', async (title, body, status, code) => {
    const headers: Record<string, string> = title.includes('another kind')
      ? { 'Content-Type': 'application/x-www-form-urlencoded' }
      : {};
    for (const path of ['/admin/tokens', '/admin/tokens/x/revoke'])
      expect(refusal(await stage.call('POST', path, body, headers))).toMatchObject({ status, code });
  });

  it('issues none for a tenant that does not exist', async () => {
    const answer = refusal(await stage.call('POST', '/admin/tokens', { ...GOOD, project: 'nobody' }));
    expect(answer).toMatchObject({ status: 404, code: 'tenant_not_found' });
  });

  it.each(['nope', 'a'.repeat(129), '%20', '%0a', '%c3%a4', '%00', '..%2f..', '%7b%7d'])(
    'knows no token called %s',
    async (id) => {
      const shown = await stage.call('GET', `/admin/tokens/${id}`);
      const revoked = await stage.call('POST', `/admin/tokens/${id}/revoke`, { reason: 'x' });
      for (const answer of [shown, revoked])
        expect(refusal(answer)).toMatchObject({ status: 404, code: 'token_not_found' });
    },
  );

  it.each([
    ['state', 'gone'],
    ['state', ''],
    ['project', 'a:b'],
    ['service', 'a b'],
    ['limit', '0'],
    ['limit', '201'],
    ['limit', 'x'],
    ['cursor', '%'],
    ['cursor', Buffer.from('no place').toString('base64url')],
    ['cursor', Buffer.from('a:b\n').toString('base64url')],
    ['before', 'x'],
  ])('refuses a list with %s=%s', async (name, value) => {
    const answer = refusal(await stage.call('GET', `/admin/tokens?${name}=${encodeURIComponent(value)}`));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed', fields: [name] });
  });

  it.each([['wait', 'yes']])('refuses a revocation with %s=%s', async (name, value) => {
    const path = `/admin/tokens/x/revoke?${name}=${value}`;
    const answer = refusal(await stage.call('POST', path, { reason: 'x', project: 'acme' }));
    expect(answer).toMatchObject({ status: 400, code: 'validation_failed', fields: [name] });
  });
});
