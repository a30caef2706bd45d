import { keys } from '#libs/store';
import { hashApiKey } from '#libs/tenants';
import { openTestStore } from '../store/stores';
import { waitFor } from '../support/children';
import { metric } from '../support/outcomes';
import { KINDS, StreamSetup, type Credentials, type TestStream } from './stream-setup';

interface Subject {
  readonly tenantId: string;
  readonly keyId: string;
}

/** What is done through the admin API, and what streams are told then. */
const CAUSES: Array<[what: string, code: string, act: (subject: Subject) => [string, string, object?]]> = [
  ['revoked', 'invalid_api_key', ({ tenantId, keyId }) => ['DELETE', `${tenantId}/api-keys/${keyId}`]],
  ['disabled', 'key_disabled', patched({ enabled: false })],
  ['narrowed to other addresses', 'address_not_allowed', patched({ allowedIps: ['10.0.0.0/8'] })],
  ['narrowed to other methods', 'key_not_allowed', patched({ allowedMethods: ['POST'] })],
  ['narrowed to other routes', 'key_not_allowed', patched({ allowedRoutes: ['/elsewhere'] })],
  ['of a suspended tenant', 'tenant_suspended', ({ tenantId }) => ['POST', `${tenantId}/suspend`, {}]],
  [
    'of a tenant that is closed to the address',
    'address_not_allowed',
    ({ tenantId }) => ['PATCH', tenantId, { ipAllow: ['10.0.0.0/8'] }],
  ],
  ['of a deleted tenant', 'invalid_api_key', ({ tenantId }) => ['DELETE', tenantId]],
];

function patched(patch: object) {
  return ({ tenantId, keyId }: Subject): [string, string, object] => [
    'PATCH',
    `${tenantId}/api-keys/${keyId}`,
    patch,
  ];
}

/** What holds on every kind of store. @param environment the settings that lead to it. */
export function guarantees(environment: () => Record<string, string>): void {
  let setup: StreamSetup;
  let unrelated: TestStream[];
  beforeAll(async () => {
    setup = await StreamSetup.start(environment());
    unrelated = await setup.both(await setup.tenant());
  });
  afterAll(() => setup.stop());
  afterEach(async () => {
    await Promise.all(unrelated.map((stream) => stream.works()));
    expect(unrelated.map((stream) => stream.outcome())).toEqual(['', '']);
  });

  const change = async (method: string, path: string, body?: object): Promise<void> => {
    const answer = await setup.gateway.admin(method, `/admin/tenants/${path}`, body);
    expect([answer.status, answer.body]).toEqual([expect.closeTo(200, -2), answer.body]);
  };

  it.each(CAUSES)('closes both kinds when their key is %s', async (_what, code, act) => {
    const tenant = await setup.tenant();
    const { id: keyId, key } = await setup.key(tenant.id);
    const { id: serviceId } = await setup.service(tenant.id);
    const streams = [...(await setup.both({ key })), ...(await setup.both({ key }, `/proxy/${serviceId}`))];
    await change(...act({ tenantId: tenant.id, keyId }));
    await setup.expectClosed(streams, code);
  });

  it('closes those of a route that is removed, and no others', async () => {
    const tenant = await setup.tenant({ allowedRoutes: [{ path: '/a' }, { path: '/b' }], idp: undefined });
    const streams = await setup.both(tenant, '/api/a');
    const others = await setup.both(tenant, '/api/b');
    await change('PATCH', tenant.id, { allowedRoutes: [{ path: '/b' }] });
    await setup.expectClosed(streams, 'route_not_allowed');
    await Promise.all(others.map((stream) => stream.works()));
  });

  it('closes those of a service that is removed, and no others', async () => {
    const tenant = await setup.tenant();
    const { id } = await setup.service(tenant.id);
    const streams = await setup.both(tenant, `/proxy/${id}`);
    const others = await setup.both(tenant);
    await change('DELETE', `${tenant.id}/services/${id}`);
    await setup.expectClosed(streams, 'service_not_found');
    await Promise.all(others.map((stream) => stream.works()));
  });

  it('closes them when the time of their credential is over, and not before', async () => {
    const tenant = await setup.tenant();
    const endsAt = Math.ceil(Date.now() / 1000) * 1000 + 1000;
    const expiring = await setup.key(tenant.id, { expiresAt: new Date(endsAt).toISOString() });
    const rotated = await setup.key(tenant.id);
    await setup.made(`${tenant.id}/api-keys/${rotated.id}/rotate`, { graceSeconds: 1 });
    const token = setup.issuer.sign({ exp: endsAt / 1000 });
    const [byKey, byGrace, byToken] = await Promise.all([
      setup.both(expiring),
      setup.both(rotated),
      setup.both({ key: tenant.key, token }, '/api/private'),
    ]);
    const ended = await Promise.all([...byKey, ...byToken].map(endOf));
    for (const at of ended) expect(at).toBeGreaterThanOrEqual(endsAt);
    await setup.expectClosed([...byKey, ...byGrace], 'key_expired');
    await setup.expectClosed(byToken, 'invalid_jwt');
  });

  it('follows an expiry that is moved while the stream is open', async () => {
    const tenant = await setup.tenant();
    const soon = new Date(Date.now() + 1000).toISOString();
    const { id, key } = await setup.key(tenant.id, { expiresAt: soon });
    const streams = await setup.both({ key });
    await change('PATCH', `${tenant.id}/api-keys/${id}`, { expiresAt: '2999-01-01T00:00:00.000Z' });
    await waitFor('the first expiry', () => Date.now() > Date.parse(soon) + 100);
    await Promise.all(streams.map((stream) => stream.works()));
    await change('PATCH', `${tenant.id}/api-keys/${id}`, {
      expiresAt: new Date(Date.now() + 300).toISOString(),
    });
    await setup.expectClosed(streams, 'key_expired');
  });

  it('closes exactly one of 500 when the key of one is revoked', async () => {
    const tenant = await setup.tenant();
    const { id, key } = await setup.key(tenant.id);
    const before = await metric(setup.gateway, 'gateway_open_streams');
    const open = (credentials: Credentials, count: number): Promise<TestStream[]> =>
      Promise.all(
        Array.from({ length: count }, (_, i) =>
          setup.open(KINDS[i % 2] ?? 'WebSocket', credentials, '/api/open/quiet'),
        ),
      );
    const one = await open({ key }, 1);
    const many: TestStream[] = [];
    // Some at a time: all at once keep a busy machine busy for longer than anybody waits for one of them.
    while (many.length < 499) many.push(...(await open(tenant, Math.min(50, 499 - many.length))));
    expect(await metric(setup.gateway, 'gateway_open_streams')).toBe(before + 500);
    await change('DELETE', `${tenant.id}/api-keys/${id}`);
    await setup.expectClosed(one, 'invalid_api_key');
    expect(await metric(setup.gateway, 'gateway_open_streams')).toBe(before + 499);
    expect(many.filter((stream) => stream.over())).toEqual([]);
    many.forEach((stream) => stream.leave());
    await waitFor(
      'the rest to be forgotten',
      async () => (await metric(setup.gateway, 'gateway_open_streams')) === before,
    );
  }, 60_000);

  it('hears of a change that somebody else makes in the store', async () => {
    const { key } = await setup.tenant();
    const streams = await setup.both({ key });
    const store = await openTestStore(environment());
    await store.documents.delete(keys.apiKeyMapping(hashApiKey(key)), 'any');
    await setup.expectClosed(streams, 'invalid_api_key');
  });
}

/** When a stream was found to be over, milliseconds since the epoch. */
function endOf(stream: TestStream): Promise<number> {
  return waitFor(`the end of ${stream.path}`, () => (stream.over() ? Date.now() : undefined), 8000, 5);
}
