import { startStage, type Stage } from './stage';

const SECRET = 'zK4x9-a-long-random-text-for-signatures';
const OTHER = 'pQ7w2-another-long-random-text-for-them';

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
afterAll(() => stage.close());

let made = 0;
async function tenant(more: object = {}): Promise<string> {
  const id = `signer-${++made}`;
  const document = {
    id,
    name: id,
    upstreamBaseUrl: 'http://127.0.0.1:1',
    allowedRoutes: [{ path: '/' }],
    ...more,
  };
  const answer = await stage.call('POST', '/admin/tenants', document);
  expect([answer.status, answer.body]).toMatchObject([201, { id }]);
  return `/admin/tenants/${id}`;
}
const fieldsOf = (body: unknown): string[] =>
  (body as { errors: Array<{ field: string }> }).errors.map(({ field }) => field);

it('secrets are never shown, not in lists either, and stay when the document is changed', async () => {
  const keys = { old: { secret: SECRET }, named: { secret: { env: 'GATEWAY_SECRET_SIGNING' } } };
  const path = await tenant({ signatureKeys: keys, signing: { key: 'old' } });
  const shown = { old: { secret: { digest: expect.stringMatching(/^[0-9a-f]{16}$/) } }, named: keys.named };
  const read = await stage.call('GET', path);
  expect(read.body).toMatchObject({ signatureKeys: shown, signing: { key: 'old' } });
  const renamed = await stage.call('PATCH', path, { name: 'renamed' });
  expect(renamed).toMatchObject({ status: 200, body: { name: 'renamed', signatureKeys: shown } });
  // What was read can be sent back: the stored secrets are meant.
  const { id: _, ...document } = read.body as { id: string };
  const replaced = await stage.call('PUT', path, document);
  expect(replaced).toMatchObject({ status: 200, body: { signatureKeys: shown } });
  expect(
    (await stage.call('PATCH', path, { signatureKeys: { old: { secret: SECRET } } })).headers.get('etag'),
  ).toBe(replaced.headers.get('etag'));
  const everything = JSON.stringify([
    renamed.body,
    replaced.body,
    (await stage.call('GET', '/admin/tenants')).body,
    (await stage.call('GET', path.replace('/admin/tenants', '/tenant'))).body,
    (await stage.call('GET', '/admin/audit')).body,
  ]);
  expect(everything).not.toContain(SECRET);
});

it('a key is changed in three steps, each with If-Match', async () => {
  const path = await tenant({ signatureKeys: { old: { secret: SECRET } }, signing: { key: 'old' } });
  let tag = (await stage.call('GET', path)).headers.get('etag') ?? '';
  const stale = tag;
  for (const [patch, expected] of [
    [{ signatureKeys: { new: { secret: OTHER } } }, ['old', 'new']],
    [{ signing: { key: 'new' } }, ['old', 'new']],
    [{ signatureKeys: { old: null } }, ['new']],
  ] as const) {
    const answer = await stage.call('PATCH', path, patch, { 'If-Match': tag });
    expect(answer.status).toBe(200);
    expect(Object.keys((answer.body as { signatureKeys: object }).signatureKeys)).toEqual(expected);
    tag = answer.headers.get('etag') ?? '';
  }
  const late = await stage.call('PATCH', path, { signing: null }, { 'If-Match': stale });
  expect([late.status, late.body]).toMatchObject([412, { code: 'precondition_failed' }]);
  expect((await stage.call('PATCH', path, { signatureKeys: null, signing: null })).body).not.toHaveProperty(
    'signing',
  );
});

it.each<[string, object, string]>([
  ['a short secret', { signatureKeys: { k: { secret: 'short' } } }, 'signatureKeys.k.secret'],
  [
    'a sample secret',
    { signatureKeys: { k: { secret: 'your-shared-secret-key-with-32-bytes-in-it' } } },
    'signatureKeys.k.secret',
  ],
  ['no secret', { signatureKeys: { k: {} } }, 'signatureKeys.k.secret'],
  [
    'another variable',
    { signatureKeys: { k: { secret: { env: 'ADMIN_TOKEN' } } } },
    'signatureKeys.k.secret.env',
  ],
  [
    'a digest of what is not stored',
    { signatureKeys: { k: { secret: { digest: '0' } } } },
    'signatureKeys.k.secret.env',
  ],
  ['a key that cannot be named', { signatureKeys: { 'a;b': { secret: SECRET } } }, 'signatureKeys'],
  ['keys in a list', { signatureKeys: [] }, 'signatureKeys'],
  ['a key that is not there', { signing: { key: 'none' } }, 'signing.key'],
  ['a cap that is none', { signing: { key: 'old', maxBodyBytes: -1 } }, 'signing.maxBodyBytes'],
  ['another word', { signing: { key: 'old', oversize: 'drop' } }, 'signing.oversize'],
  ['a misspelt field', { signing: { key: 'old', header: [] } }, 'signing.header'],
  ['a header that is framed anew', { signing: { key: 'old', headers: ['Connection'] } }, 'signing.headers.0'],
  ['true', { signing: true }, 'signing'],
  ['no keys', { inboundSignature: { keys: [] } }, 'inboundSignature.keys'],
  ['keys that are not there', { inboundSignature: { keys: ['old', 'none'] } }, 'inboundSignature.keys'],
  [
    'no tolerance',
    { inboundSignature: { keys: ['old'], toleranceSeconds: 0 } },
    'inboundSignature.toleranceSeconds',
  ],
  ['a text for a flag', { inboundSignature: { keys: ['old'], required: 'no' } }, 'inboundSignature.required'],
  [
    'a header twice',
    { inboundSignature: { keys: ['old'], headers: ['A', 'a'] } },
    'inboundSignature.headers.1',
  ],
  [
    'a bad route',
    { allowedRoutes: [{ path: '/', inboundSignature: { keys: ['none'] } }] },
    'allowedRoutes.0.inboundSignature.keys',
  ],
])('%s is refused by name, and nothing is stored', async (_name, patch, field) => {
  const path = await tenant({ signatureKeys: { old: { secret: SECRET } } });
  const before = (await stage.call('GET', path)).headers.get('etag');
  const answer = await stage.call('PATCH', path, patch);
  expect([answer.status, answer.body]).toMatchObject([400, { code: 'validation_failed' }]);
  expect(fieldsOf(answer.body)).toContain(field);
  expect((await stage.call('GET', path)).headers.get('etag')).toBe(before);
});

it('services and published routes name keys of their tenant only', async () => {
  const path = await tenant({ signatureKeys: { own: { secret: SECRET } } });
  const service = { name: 's', targets: [{ url: 'http://127.0.0.1:1' }] };
  const policy = { signing: { key: 'own', headers: ['X-User'] }, inboundSignature: { keys: ['own'] } };
  const created = await stage.call('POST', `${path}/services`, { ...service, ...policy });
  expect([created.status, created.body]).toMatchObject([201, policy]);
  const { id } = created.body as { id: string };
  const changed = await stage.call('PATCH', `${path}/services/${id}`, {
    signing: false,
    inboundSignature: null,
  });
  expect(changed.body).toMatchObject({ signing: false });
  expect(changed.body).not.toHaveProperty('inboundSignature');
  const foreign = await stage.call('PATCH', `${path}/services/${id}`, { signing: { key: 'others' } });
  expect([foreign.status, fieldsOf(foreign.body)]).toEqual([400, ['signing.key']]);
  const routes = (more: object): object => ({
    routes: [{ name: 'r', path: `/signed-${made}`, backends: [{ service: id }], ...more }],
  });
  const published = await stage.call('PUT', `${path}/publication`, routes(policy));
  expect([published.status, published.body]).toMatchObject([200, routes(policy)]);
  const refused = await stage.call(
    'PUT',
    `${path}/publication`,
    routes({ inboundSignature: { keys: ['others'] } }),
  );
  expect([refused.status, fieldsOf(refused.body)]).toEqual([400, ['routes.0.inboundSignature.keys']]);
});
